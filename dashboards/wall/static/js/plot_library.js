// uPlot, fetched when the first chart is drawn; the wall itself does without.

import { h } from "./dom.js";

let loading = null;

function load() {
  const base = `${document.documentElement.dataset.static}/vendor/uplot-1.6.32`;
  return new Promise((resolve, reject) => {
    document.head.append(
      h("link", { rel: "stylesheet", href: `${base}/uPlot.min.css` }),
      h("script", { src: `${base}/uPlot.iife.min.js`, onload: () => resolve(window.uPlot), onerror: () => reject(new Error("the chart library did not load")) }));
  });
}

export function loadPlot() {
  loading ??= load();
  return loading;
}
