// After a meeting: what came true beside what was said half an hour before.

import { h, shape } from "./dom.js";
import { percent } from "./format.js";
import { say } from "./words.js";

/** The four counts as a small table with one sentence above it; null while nothing is settled. */
export function cameTrue(score) {
  if (!score) return null;
  const { ready_held: hit = 0, ready_failed: missed = 0, not_held: alarm = 0, not_failed: caught = 0, brier } = score;
  const of = hit + missed + alarm + caught;
  const right = hit + caught;
  const cell = (n, kind, key) => h("td", { class: kind }, h("b", {}, String(n)), h("small", {}, say(`views.${key}`)));
  return h("section", { class: "came-true", "aria-labelledby": "came-title" },
    h("h3", { id: "came-title" }, say("views.came_true")),
    h("p", {}, say("views.right_of", { right, of, share: percent(right / of) }), brier === undefined ? "" : ` · ${say("views.brier", { value: brier.toFixed(2) })}`),
    h("table", { class: "crossed" },
      h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, say("outcome.held")), h("th", { scope: "col" }, say("outcome.failed")))),
      h("tbody", {},
        h("tr", {}, h("th", { scope: "row" }, say("views.said_holds")), cell(hit, "good", "came_right"), cell(missed, missed ? "bad" : "", "came_missed")),
        h("tr", {}, h("th", { scope: "row" }, say("views.said_not")), cell(alarm, alarm ? "wary" : "", "came_false_alarm"), cell(caught, "good", "came_right")))));
}

const CAME = { right: "ready", missed: "not_ready", false_alarm: "at_risk" };

/** Whether an office's forecast was right: shape and word. */
export function cameOf({ came }) {
  if (!came) return "–";
  return h("span", { class: `verdict shade-${CAME[came]}` }, shape(CAME[came]), " ", say(`views.came_${came}`));
}

/** What was said of an office half an hour before. */
export function saidOf(one) {
  const judged = (one.forecasts ?? []).find(({ horizon }) => horizon === "T-30m");
  if (!judged) return "–";
  return h("span", { class: `verdict shade-${judged.shade}` }, shape(judged.shade), " ", judged.probability === undefined ? say(`state.${judged.shade}`) : percent(judged.probability));
}
