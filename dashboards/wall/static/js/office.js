// What is said about an office wherever it stands: its spoken label, its age, its short number.

import { duration, percent } from "./format.js";
import { ageOf, isOld, model } from "./model.js";
import { nameOf, say, sayReason, sayShade } from "./words.js";

/** All that matters, in one sentence for a screen reader; it begins with what is to be seen. */
export function spoken(office, tile) {
  const number = shortNumber(tile);
  const parts = [[nameOf(office), number].filter(Boolean).join(" ") + `: ${sayShade(tile.shade)}`];
  if (!number && tile.probability !== undefined) parts.push(percent(tile.probability));
  if (tile.why && tile.shade !== "ready") parts.push(sayReason(tile.why));
  if (isOld(tile)) parts.push(oldText(tile));
  return parts.join(", ");
}

/** "Old data, 3 min" or "no data yet". */
export function oldText(tile) {
  const age = ageOf(tile);
  return age === null ? say("wall.never_heard") : say("wall.old_data", { age: age / 1000 });
}

/** The number that a tile shows beside the name: the probability, for an office that is not ready. */
export function shortNumber(tile) {
  if (tile.shade === "ready" || tile.shade === "planned" || tile.probability === undefined) return "";
  return percent(tile.probability);
}

export const ageText = (tile) => {
  const age = ageOf(tile);
  return age === null ? "" : duration(age / 1000);
};

/** How bad, for ordering: lower comes first. */
export function severity(tile) {
  const group = { dark: 0, not_ready: 0, at_risk: 1, unknown: 2, ready: 3, planned: 4 }[tile.shade];
  return group * 10 + (tile.probability ?? (tile.shade === "dark" ? 0 : 1));
}

export const tileOf = (site) => model.tiles[site] ?? { shade: "unknown" };
