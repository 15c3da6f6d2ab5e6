// uPlot, fetched when the first chart is drawn; the wall itself does without.

let loading = null;

function load() {
  const base = `${document.documentElement.dataset.static}/vendor/uplot-1.6.32`;
  return new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = `${base}/uPlot.min.css`;
    const script = document.createElement("script");
    script.src = `${base}/uPlot.iife.min.js`;
    script.onload = () => resolve(window.uPlot);
    script.onerror = () => reject(new Error("the chart library did not load"));
    document.head.append(style, script);
  });
}

export function loadPlot() {
  loading ??= load();
  return loading;
}
