// How the forecast moved, as it was issued: a small chart for an office, and one bar a horizon for the whole meeting.
// Small pictures of at most five points, drawn as the sparklines are; everything they show is there in words too.

import { h, s, setVariables, shape } from "./dom.js";
import { percent } from "./format.js";
import { knows, say, sayShade } from "./words.js";

const [WIDTH, HEIGHT, MARGIN, DOT] = [132, 34, 7, 10];
export const HORIZONS = ["T-24h", "T-2h", "T-30m", "T-10m"];
const SHADES = ["ready", "at_risk", "not_ready", "dark", "unknown"];

const horizonText = (horizon) => (knows(`horizon.${horizon}`) ? say(`horizon.${horizon}`) : horizon === "now" ? say("views.now") : horizon);
const chanceText = ({ shade, probability }) => (probability === undefined ? sayShade(shade) : percent(probability));

/** The points of an office: what was issued, earliest first, and what stands now. */
export function pointsOf(one, over) {
  const issued = one.forecasts ?? [];
  return over ? issued : [...issued, { horizon: "now", shade: one.shade, probability: one.probability }];
}

/** The small chart of an office; from left to right the horizons, the higher the likelier. */
export function moveChart(one, over) {
  const points = pointsOf(one, over);
  if (!points.length) return h("span", {}, "–");
  const columns = [...HORIZONS, ...(over ? [] : ["now"])];
  const step = (WIDTH - 2 * MARGIN) / (columns.length - 1);
  const placed = points.map((point) => ({
    ...point, x: MARGIN + step * Math.max(0, columns.indexOf(point.horizon)),
    y: point.probability === undefined ? HEIGHT - MARGIN : MARGIN + (1 - point.probability) * (HEIGHT - 2 * MARGIN),
  }));
  const told = points.map((point) => `${horizonText(point.horizon)} ${chanceText(point)}`).join(", ");
  const half = HEIGHT / 2;
  return h("span", { class: "move", title: told },
    s("svg", { class: "move-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", focusable: "false" },
      s("path", { class: "move-half", d: `M0 ${half}H${WIDTH}` }),
      s("path", { class: "move-line", d: `M${placed.map(({ x, y }) => `${x} ${y}`).join("L")}` }),
      placed.map(({ x, y, shade }) => s("use", { class: `shade-${shade}`, href: `#shape-${shade}`, x: x - DOT / 2, y: y - DOT / 2, width: DOT, height: DOT }))),
    h("span", { class: "sr" }, told));
}

/** Of the whole meeting: a bar for each horizon that was issued, and for now, divided by state. */
export function wholeMoved(invited, over) {
  const rows = [...HORIZONS, ...(over ? [] : ["now"])]
    .map((horizon) => ({ horizon, count: countAt(invited, horizon, over) }))
    .filter(({ count }) => Object.keys(count).length);
  if (!rows.length || (rows.length === 1 && rows[0].horizon === "now")) return null;
  return h("section", { class: "moved", "aria-labelledby": "moved-title" },
    h("h3", { id: "moved-title" }, say("views.moved")),
    h("ul", {}, rows.map(({ horizon, count }) => h("li", {},
      h("span", { class: "moved-when" }, horizonText(horizon)), barOf(count)))));
}

function countAt(invited, horizon, over) {
  const count = {};
  for (const one of invited) {
    const point = pointsOf(one, over).find((candidate) => candidate.horizon === horizon);
    if (point) count[point.shade] = (count[point.shade] ?? 0) + 1;
  }
  return count;
}

/** A bar divided by state, its numbers beside it; `order` is worst last. */
export function barOf(count, order = SHADES, word = sayShade) {
  const parts = order.filter((shade) => count[shade]);
  const bar = h("span", { class: "shares", "aria-hidden": "true" }, parts.map((shade) => {
    const part = h("span", { class: "share", "data-shade": shade });
    setVariables(part, { "--n": count[shade] });
    return part;
  }));
  return h("span", { class: "counted" }, bar, h("span", { class: "counts-text" }, parts.map((shade) =>
    h("span", { class: `shade-${shade}` }, shape(shade), h("b", {}, String(count[shade])), h("span", { class: "sr" }, ` ${word(shade)} `)))));
}
