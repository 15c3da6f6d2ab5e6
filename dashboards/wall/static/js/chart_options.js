// What each chart draws, in uPlot's terms.

import { clock, clockSeconds, date, decimal, hourOfDay, mos, percent, rate, ms as milliseconds } from "./format.js";
import { drawMarks } from "./chart_marks.js";

export const CHARTS = ["loss", "rtt", "jitter", "pdv", "bitrate", "quality"];
const DAY_S = 86_400;
const HOUR_MS = 3600_000;
const cssColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const downwards = (values) => values.map((value) => (value === null ? null : -value));
const seconds = (series) => series.t_ms.map((t) => (t + series.step_ms / 2) / 1000);

/** The arrays of a chart; those of what is usual come first, so that they lie behind. */
export function dataOf(name, series, past) {
  const t = seconds(series);
  const { rtt_ms: rtt } = series;
  const band = (figure) => bandOf(past, figure, series);
  switch (name) {
    case "loss": return [t, series.loss_up, downwards(series.loss_down), series.loss_unattributed];
    case "rtt": return [t, ...band("rtt_p95_ms").reverse(), rtt.p99, rtt.p95, rtt.p5, rtt.p75, rtt.p25, rtt.p50];
    case "quality": return [t, series.mos_up, series.mos_down];
    case "jitter": return [t, ...band("up_jitter_ms").reverse(), ...band("down_jitter_ms").map(downwards), series.jitter_up_ms, downwards(series.jitter_down_ms)];
    case "pdv": return [t, series.pdv_up_ms, downwards(series.pdv_down_ms)];
    default: return [t, series.bitrate_up_bps, downwards(series.bitrate_down_bps)];
  }
}

/** What is usual of a figure at that hour, at each step: `[low, high]`, null where nothing is known. */
function bandOf(past, figure, series) {
  const band = past?.usual[figure];
  const first = past?.t_ms[0];
  const pick = (values) => series.t_ms.map((t) => values?.[Math.floor((t + series.step_ms / 2 - first) / HOUR_MS)] ?? null);
  return [pick(band?.low), pick(band?.high)];
}

/** Which arrays are read out: of the round trip the middle and its slow ends, of the others up and down. */
const READ = { rtt: [8, 4, 3], jitter: [5, 6] };
const BANDS = { rtt: [[1, 2], [4, 5], [6, 7]], jitter: [[1, 2], [3, 4]] };

/** uPlot's options for a chart of a size. `now()` gives what is shown: series, view, past, selected. */
export function chartOptions(name, now, { width, height }, { zoom, cursorAt, pick }) {
  const ink = { text: cssColor("--muted"), line: cssColor("--line"), strong: cssColor("--text") };
  const view = () => now().view;
  return {
    width, height, padding: [8, halfLabel(view()), 0, 0], legend: { show: false },
    cursor: { sync: { key: "line" }, drag: { x: true, y: false }, points: { show: false }, y: false },
    select: { show: true },
    scales: { x: { time: true, range: () => [view().from / 1000, view().to / 1000] }, y: { range: rangeOf(name) } },
    series: [{}, ...seriesOf(name, ink)],
    bands: bandsOf(name),
    axes: [timeAxis(ink, view), valueAxis(name, ink)],
    hooks: {
      drawClear: [(plot) => drawMarks(plot, now(), name)],
      draw: [(plot) => centreLine(plot, name, ink), (plot) => selectedLine(plot, now(), ink)],
      setSelect: [(plot) => selected(plot, zoom)],
      setCursor: [(plot) => cursorAt(plot, plot.cursor.idx)],
      ready: [(plot) => plot.over.addEventListener("click", () => pick(plot.cursor.idx))],
    },
  };
}

const FEW = 60;

/** Points are drawn where few steps are in view, and where one stands alone between gaps. */
function pointsToDraw(plot, row) {
  const values = plot.data[row];
  const { min, max } = plot.scales.x;
  const inView = plot.data[0].reduce((n, t) => n + (t >= min && t <= max), 0);
  const there = (i) => values[i] !== null && values[i] !== undefined;
  return values.flatMap((_, i) => (there(i) && (inView <= FEW || (!there(i - 1) && !there(i + 1))) ? [i] : []));
}

function seriesOf(name, ink) {
  const up = cssColor("--chart-up");
  const down = cssColor("--chart-down");
  const plain = (stroke, more) => ({ stroke, width: 1.5, points: { show: true, size: 5, fill: stroke, filter: pointsToDraw }, spanGaps: false, ...more });
  const quiet = (stroke, more) => plain(stroke, { points: { show: false }, ...more });
  const bars = (color) => quiet(color, { width: 0, fill: color, paths: window.uPlot.paths.bars({ size: [0.9, 24, 1], gap: 0 }) });
  const hidden = quiet("transparent", { width: 0 });
  const usual = quiet(cssColor("--usual-edge"), { width: 1 });
  switch (name) {
    case "loss": return [bars(up), bars(down), bars(ink.text)];
    case "rtt": return [usual, usual, quiet(cssColor("--smoke-edge"), { width: 1, dash: [2, 3] }), hidden, hidden, hidden, hidden, plain(ink.strong)];
    case "quality": return [plain(up), plain(down, { dash: [6, 3] })];
    case "jitter": return [usual, usual, usual, usual, plain(up), plain(down)];
    default: return [plain(up), plain(down)];
  }
}

function bandsOf(name) {
  const fills = name === "rtt" ? ["--usual", "--smoke-outer", "--smoke-inner"] : ["--usual", "--usual"];
  return (BANDS[name] ?? []).map((series, i) => ({ series, fill: cssColor(fills[i]) }));
}

const LEAST = { loss: 0.01, rtt: 40, jitter: 10, pdv: 10, bitrate: 20_000 };

const MOS = { low: 1, high: 4.6, satisfied: 3.6, splits: [1, 2, 3, 4] };

function rangeOf(name) {
  if (name === "quality") return () => [MOS.low, MOS.high];
  return (_plot, low, high) => {
    const top = Math.max(LEAST[name], Math.abs(high ?? 0), Math.abs(low ?? 0)) * 1.08;
    return name === "rtt" ? [0, top] : [-top, top];
  };
}

function timeAxis(ink, view) {
  const label = (timeMs, step) => {
    const { from, to } = view();
    if (to - from > 2 * DAY_S * 1000 || hourOfDay(timeMs) === 0 && timeMs % 60_000 === 0) return shortDate(timeMs);
    return step < 60 ? clockSeconds(timeMs) : clock(timeMs);
  };
  return {
    stroke: ink.text, grid: { stroke: ink.line, width: 1 }, ticks: { show: false }, size: 26, font: font(),
    splits: (plot, _axis, from, until) => timeSplits(from, until, Math.max(3, Math.min(10, plot.width / 75))),
    values: (_plot, splits) => splits.map((s) => label(s * 1000, splits.length > 1 ? splits[1] - splits[0] : 1)),
  };
}

const STEPS_S = [5, 15, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 21600, DAY_S, 2 * DAY_S, 7 * DAY_S];

/** Ticks on round local times, at most so many. */
function timeSplits(from, until, most) {
  const step = STEPS_S.find((candidate) => (until - from) / candidate <= most) ?? 28 * DAY_S;
  const offset = (hourOfDay(from * 1000) * 3600 - (Math.floor(from / 60) * 60 % DAY_S) + 2 * DAY_S) % DAY_S;
  const first = Math.ceil((from + offset) / step) * step - offset;
  return Array.from({ length: Math.max(0, Math.floor((until - first) / step) + 1) }, (_, i) => first + i * step);
}

/** Room on the right for half of a label that stands at the end of the time axis. */
function halfLabel(view) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = font();
  const widest = Math.max(...[clockSeconds(view.to), shortDate(view.from), shortDate(view.to)].map((text) => pen.measureText(text).width));
  return Math.ceil(widest / 2) + 2;
}

const shortDate = (timeMs) => date(timeMs).replace(/^\p{L}+ /u, "").split(",")[0];

function valueAxis(name, ink) {
  return {
    stroke: ink.text, grid: { stroke: ink.line, width: 1 }, ticks: { show: false }, size: 74, font: font(), space: 28,
    splits: (_plot, _axis, low, high) => (name === "quality" ? MOS.splits : valueSplits(low, high)),
    values: (_plot, splits) => splits.map((value) => shownValue(name, Math.abs(value))),
  };
}

/** Round values: zero and, on each side that is drawn, one or two more. */
function valueSplits(low, high) {
  const size = 10 ** Math.floor(Math.log10(high));
  const round = [5, 2, 1].map((n) => n * size).find((n) => n <= high * 0.95) ?? size / 2;
  const steps = high / round > 2 ? [round, 2 * round] : [round];
  return [...(low < 0 ? steps.map((n) => -n).reverse() : []), 0, ...steps];
}

function shownValue(name, value) {
  switch (name) {
    case "loss": return value === 0 ? "0" : percent(value);
    case "bitrate": return value === 0 ? "0" : rate(value);
    case "quality": return decimal(value);
    default: return value === 0 ? "0" : `${decimal(value)} ms`;
  }
}

const font = () => {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125;
  return `${size}px 'Noto Sans', 'Noto Sans Devanagari', sans-serif`;
};

function centreLine(plot, name, ink) {
  if (name === "rtt") return;
  const y = Math.round(plot.valToPos(name === "quality" ? MOS.satisfied : 0, "y", true));
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ink.text;
  ctx.lineWidth = 1;
  ctx.setLineDash(name === "quality" ? [2, 5] : []);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y + 0.5);
  ctx.lineTo(bbox.left + bbox.width, y + 0.5);
  ctx.stroke();
  ctx.restore();
}

function selected(plot, zoom) {
  const { left, width } = plot.select;
  if (width < 8) return;
  const from = plot.posToVal(left, "x") * 1000;
  const until = plot.posToVal(left + width, "x") * 1000;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (until - from >= 15_000) zoom(from, until);
}

/** The point whose raw reports are open. */
function selectedLine(plot, { selected: at, series }, ink) {
  if (at === null || at === undefined) return;
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos((at + series.step_ms / 2) / 1000, "x", true));
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = ink.strong;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** The values under the cursor, in the chart's note. */
export function readOut(plot, name) {
  const target = plot.root.parentElement?.previousElementSibling?.querySelector(".read-out") ?? makeReadOut(plot);
  if (!target) return;
  const at = plot.cursor.idx;
  if (at === null || at === undefined) { target.textContent = ""; return; }
  const said = (row) => {
    const value = plot.data[row]?.[at];
    return value === null || value === undefined ? "–" : amount(name, Math.abs(value));
  };
  const [first, second, third] = READ[name] ?? [1, 2];
  target.textContent = name === "rtt" ? `${said(first)} · p95 ${said(second)} · p99 ${said(third)}` : `↑ ${said(first)}  ↓ ${said(second)}`;
}

function makeReadOut(plot) {
  const caption = plot.root.parentElement?.previousElementSibling;
  if (!caption) return null;
  const target = document.createElement("span");
  target.className = "read-out";
  caption.append(target);
  return target;
}

const amount = (name, value) => ({ loss: percent, bitrate: rate, quality: mos })[name]?.(value) ?? milliseconds(value);
