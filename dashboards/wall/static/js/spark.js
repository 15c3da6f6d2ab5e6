// A sparkline of two hours: round trip as a line, loss as ticks from the bottom. Five minutes a step, gaps stay gaps.

import { s, setAttribute } from "./dom.js";

const WIDTH = 96;
const HEIGHT = 28;
const LOSS_FULL = 0.1;
const LOSS_LEAST = 0.001;
const RTT_LEAST_TOP_MS = 80;

/** An empty sparkline. */
export function createSpark() {
  const loss = s("path", { class: "spark-loss" });
  const rtt = s("path", { class: "spark-rtt" });
  return s("svg", {
    class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false",
  }, s("path", { class: "spark-base", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }), loss, rtt);
}

/** Draw a tile's last two hours. */
export function drawSpark(svg, tile) {
  const [, loss, rtt] = svg.children;
  setAttribute(loss, "d", lossPath(tile.loss ?? []));
  setAttribute(rtt, "d", linePath(tile.rtt ?? []));
}

function lossPath(values) {
  const step = WIDTH / (values.length || 1);
  return values.map((value, i) => {
    if (value === null || value < LOSS_LEAST) return "";
    const tall = Math.max(2, Math.min(1, Math.sqrt(value / LOSS_FULL)) * (HEIGHT - 2));
    return `M${(i * step + 0.6).toFixed(1)} ${HEIGHT}v${(-tall).toFixed(1)}h${(step - 1.2).toFixed(1)}v${tall.toFixed(1)}z`;
  }).join("");
}

function linePath(values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return "";
  const top = Math.max(...known, RTT_LEAST_TOP_MS) * 1.1;
  const step = WIDTH / values.length;
  let pen = false;
  return values.map((value, i) => {
    if (value === null) { pen = false; return ""; }
    const move = pen ? "L" : "M";
    pen = true;
    const x = ((i + 0.5) * step).toFixed(1);
    const y = (HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(1);
    return `${move}${x} ${y}`;
  }).join("");
}
