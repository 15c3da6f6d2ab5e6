// The six charts of a line, one time axis, one cursor: loss up and down from a centre line, round trip as smoke with what is
// usual, jitter, delay variation, bitrate, and what is expected of a call's sound. Drag to zoom, click for the raw reports.

import { loadPlot } from "./plot_library.js";
import { CHARTS, chartOptions, dataOf, readOut } from "./chart_options.js";
import { createCursorRow } from "./chart_cursor.js";
import { summaryRows } from "./chart_summary.js";
import { usualSaid } from "./chart_usual.js";
import { h, setText } from "./dom.js";
import { codecName, say } from "./words.js";

/** `zoom(from, to)` in ms; `pick(at, step)` asks for the raw reports of a step; `share()` for the address of this view. */
export function createCharts({ zoom, pick, share }) {
  const nothing = h("p", { class: "nothing" });
  const frames = Object.fromEntries(CHARTS.map((name) => [name, frameOf()]));
  const source = h("p", { class: "source" });
  const summary = h("table", { class: "summary-table" });
  const details = h("details", { class: "in-numbers" }, h("summary"), h("div", { class: "table-frame" }, summary));
  const row = createCursorRow({
    move: (steps) => standAt((index ?? firstInView()) + steps), moveTo: (end) => standAt(end === "first" ? 0 : shown.series.t_ms.length - 1),
    pick: () => pickAt(index), show: zoom, share, view: () => shown.view, cursor: () => (index === null ? null : shown.series.t_ms[index]),
  });
  const element = h("div", { class: "charts" }, nothing, row.element, CHARTS.map((name) => frames[name].figure), source, details);
  let shown = null;
  let sentence = null;
  let plots = [];
  let index = null;

  /** A line over time; `selected` is the time (ms) whose raw reports are open, or null. */
  async function show(series, view, selected) {
    const same = shown && series && shown.series.path === series.path && plots.length;
    shown = series ? { series, view, past: null, selected } : null;
    sentence = null;
    if (same && hasData(series)) refill();
    else await draw();
    if (shown && plots.length && index === null && selected !== null) standAt(stepOf(selected));
  }

  /** What is usual, and where the level moved: it comes after the line. */
  function setPast(past) {
    if (!shown) return;
    shown.past = past;
    if (plots.length) refill();
  }

  /** At once, with the numbers that are here: what is finer comes when it has been fetched. */
  function look(view) {
    if (!shown) return;
    shown.view = view;
    for (const plot of plots) plot.setScale("x", { min: view.from / 1000, max: view.to / 1000 });
  }

  function select(at) {
    if (!shown) return;
    shown.selected = at;
    for (const plot of plots) plot.redraw(false, false);
  }

  /** The same plots with other numbers: nothing flickers, and the cursor stays where it is. */
  function refill() {
    const at = index === null ? null : plots[0].posToVal(plots[0].cursor.left, "x") * 1000;
    CHARTS.forEach((name, i) => plots[i].setData(dataOf(name, shown.series, shown.past)));
    if (at !== null) standAt(stepOf(at));
    tellAround();
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
    index = null;
    const empty = !shown || !hasData(shown.series);
    nothing.hidden = !empty || sentence === "";
    setText(nothing, empty ? sentence ?? say(shown ? "wall.no_series" : "wall.loading") : "");
    for (const part of [...CHARTS.map((name) => frames[name].figure), details, source]) part.hidden = empty;
    row.element.hidden = !shown;
    if (shown) tellAround();
    if (empty) return;
    const Plot = await loadPlot();
    if (!shown || plots.length) return;
    plots = CHARTS.map((name) => drawOne(Plot, name));
  }

  /** The words around the charts; at once, for the plots take their time. */
  function tellAround() {
    for (const name of CHARTS) {
      const { caption, note, none, plot } = frames[name];
      const [title, explained] = [say(`wall.chart_${name}`), say(`wall.chart_${name}_note`, { codec: codecName(shown.series.assumed) })];
      setText(caption, title);
      setText(note, explained);
      setText(none, hasFigures(name, shown.series) ? "" : say("site.no_figures"));
      plot.setAttribute("aria-label", `${title}. ${explained}`);
    }
    row.relabel();
    row.tell(index === null ? null : shown.series.t_ms[index], shown.series.step_ms, valuesAt(index));
    setText(details.querySelector("summary"), say("wall.in_numbers"));
    summary.replaceChildren(...summaryRows(shown.series));
    setText(source, [
      say(`site.source_${shown.series.source}`, { step: shown.series.step_ms / 1000 }),
      ...usualSaid(shown.past),
    ].join(" "));
  }

  function drawOne(Plot, name) {
    const { figure, plot } = frames[name];
    const size = { width: Math.max(280, plot.clientWidth || figure.clientWidth), height: plot.clientHeight || 160 };
    const options = chartOptions(name, () => shown, size, { zoom, cursorAt, pick: pickAt });
    return new Plot(options, dataOf(name, shown.series, shown.past), plot);
  }

  /** A chart says that its cursor moved; all of them move together, so the first one's word is enough. */
  function cursorAt(plot, at) {
    readOut(plot, CHARTS[plots.indexOf(plot)]);
    if (plot !== plots[0] || at === index) return;
    index = at ?? null;
    row.tell(index === null ? null : shown.series.t_ms[index], shown.series.step_ms, valuesAt(index));
  }

  function valuesAt(at) {
    if (at === null || !plots.length) return "";
    return CHARTS.map((name) => `${say(`wall.chart_${name}`)} ${frames[name].figure.querySelector(".read-out")?.textContent ?? ""}`).join(". ");
  }

  const stepOf = (timeMs) => Math.floor((timeMs - shown.series.t_ms[0]) / shown.series.step_ms);
  const firstInView = () => Math.max(0, stepOf(Math.min(shown.view.to, shown.series.t_ms.at(-1)) - 1));

  function standAt(wanted) {
    const last = shown.series.t_ms.length - 1;
    const [low, high] = [stepOf(shown.view.from), stepOf(shown.view.to - 1)];
    const at = Math.min(Math.max(wanted, Math.max(0, low)), Math.min(last, high));
    for (const plot of plots) plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: 0 }, true, false);
  }

  function pickAt(at) {
    if (at === null || at === undefined) return;
    pick(shown.series.t_ms[at], shown.series.step_ms);
  }

  let width = 0;
  new ResizeObserver(([entry]) => {
    const fresh = Math.round(entry.contentRect.width);
    if (fresh === width) return;
    width = fresh;
    if (shown) draw();
  }).observe(element);
  return { element, show, look, setPast, select, tell, announce: row.announce, row: row.element,
    focusCursor: (wanted) => { if (wanted) row.element.firstElementChild.focus(); },
    redraw: () => (shown ? draw() : undefined) };
}

function frameOf() {
  const caption = h("b");
  const note = h("span");
  const none = h("em");
  const plot = h("div", { class: "plot", role: "img" });
  return { figure: h("figure", { hidden: true }, h("figcaption", {}, caption, " ", note, " ", none), plot), caption, note, none, plot };
}

function hasData(series) {
  return series.rtt_ms.p50.some((value) => value !== null) || series.loss_up.some((value) => value !== null);
}

const hasFigures = (name, series) => dataOf(name, series, null).slice(1).some((values) => values.some((value) => value !== null));
