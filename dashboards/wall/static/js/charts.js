// The five charts of a line, one time axis, one cursor: loss up and down from a centre line, round trip as smoke,
// jitter, bitrate, and what is expected of a call's sound. Drag to zoom.

import { loadPlot } from "./plot_library.js";
import { chartOptions, dataOf } from "./chart_options.js";
import { summaryRows } from "./chart_summary.js";
import { h, setText } from "./dom.js";
import { codecName, say } from "./words.js";

const CHARTS = ["loss", "rtt", "jitter", "bitrate", "quality"];

export function createCharts(zoom) {
  const nothing = h("p", { class: "nothing" });
  const frames = Object.fromEntries(CHARTS.map((name) => [name, frameOf()]));
  const summary = h("table", { class: "summary-table" });
  const element = h("div", { class: "charts" }, nothing, CHARTS.map((name) => frames[name].figure),
    h("details", { class: "in-numbers" }, h("summary"), summary));
  let shown = null;
  let sentence = null;
  let plots = [];

  async function show(series, view) {
    shown = series ? { series, view } : null;
    sentence = null;
    await draw();
  }

  /** One sentence in place of the charts. */
  async function tell(text) {
    shown = null;
    sentence = text;
    await draw();
  }

  async function draw() {
    for (const plot of plots) plot.destroy();
    plots = [];
    const empty = !shown || !hasData(shown.series);
    nothing.hidden = !empty || sentence === "";
    setText(nothing, empty ? sentence ?? say(shown ? "wall.no_series" : "wall.loading") : "");
    for (const name of CHARTS) frames[name].figure.hidden = empty;
    element.querySelector("details").hidden = empty;
    if (empty) return;
    const Plot = await loadPlot();
    if (!shown) return;
    for (const name of CHARTS) plots.push(drawOne(Plot, name));
    setText(element.querySelector("details summary"), say("wall.in_numbers"));
    summary.replaceChildren(...summaryRows(shown.series));
  }

  function drawOne(Plot, name) {
    const { figure, caption, note, plot } = frames[name];
    setText(caption, say(`wall.chart_${name}`));
    const explained = say(`wall.chart_${name}_note`, { codec: codecName(shown.series.assumed) });
    setText(note, explained);
    plot.setAttribute("aria-label", `${say(`wall.chart_${name}`)}. ${explained}`);
    const size = { width: Math.max(280, plot.clientWidth || figure.clientWidth), height: plot.clientHeight || 160 };
    return new Plot(chartOptions(name, shown.series, shown.view, size, zoom), dataOf(name, shown.series), plot);
  }

  let width = 0;
  new ResizeObserver(([entry]) => {
    const fresh = Math.round(entry.contentRect.width);
    if (fresh === width) return;
    width = fresh;
    if (shown) draw();
  }).observe(element);
  return { element, show, tell, redraw: () => (shown ? draw() : undefined) };
}

function frameOf() {
  const caption = h("b");
  const note = h("span");
  const plot = h("div", { class: "plot", role: "img" });
  return { figure: h("figure", { hidden: true }, h("figcaption", {}, caption, " ", note), plot), caption, note, plot };
}

function hasData(series) {
  return series.rtt_ms.p50.some((value) => value !== null) || series.loss_up.some((value) => value !== null);
}
