// The charts in numbers, for whoever cannot see them or wants them exact: newest, middle and worst of the span.

import { h } from "./dom.js";
import { mos, ms, percent, rate } from "./format.js";
import { say } from "./words.js";

const ROWS = [
  ["loss_up", (series) => series.loss_up, percent, Math.max],
  ["loss_down", (series) => series.loss_down, percent, Math.max],
  ["rtt_p50", (series) => series.rtt_ms.p50, ms, Math.max],
  ["rtt_p95", (series) => series.rtt_ms.p95, ms, Math.max],
  ["jitter_up", (series) => series.jitter_up_ms, ms, Math.max],
  ["jitter_down", (series) => series.jitter_down_ms, ms, Math.max],
  ["pdv_up", (series) => series.pdv_up_ms, ms, Math.max],
  ["pdv_down", (series) => series.pdv_down_ms, ms, Math.max],
  ["bitrate_up", (series) => series.bitrate_up_bps, rate, Math.min],
  ["bitrate_down", (series) => series.bitrate_down_bps, rate, Math.min],
  ["mos_up", (series) => series.mos_up, mos, Math.min],
  ["mos_down", (series) => series.mos_down, mos, Math.min],
];

export function summaryRows(series) {
  const heads = ["", "newest", "middle", "worst"].map((name) => h("th", { scope: "col" }, name ? say(`wall.num_${name}`) : h("span", { class: "sr" }, say("wall.num_what"))));
  return [h("thead", {}, h("tr", {}, heads)), h("tbody", {}, ROWS.map((row) => rowOf(series, row)))];
}

function rowOf(series, [name, pick, format, worst]) {
  const values = pick(series).filter((value) => value !== null);
  const sorted = [...values].sort((a, b) => a - b);
  const cells = values.length ? [values.at(-1), sorted[Math.floor(sorted.length / 2)], worst(...values)].map(format) : ["–", "–", "–"];
  return h("tr", {}, h("th", { scope: "row" }, say(`wall.num_${name}`)), cells.map((cell) => h("td", {}, cell)));
}
