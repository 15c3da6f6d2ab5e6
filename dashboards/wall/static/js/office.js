// What is said about an office wherever it stands: its spoken label, its age, its short number.

import { duration, moment, percent } from "./format.js";
import { ageOf, failedIn, isOld, isRunning, model } from "./model.js";
import { downAmong, sayState, sayWhy } from "./reasons.js";
import { nameOf, say } from "./words.js";

/** The chance, and of which meeting it is: another one than a list beside it may be about. Empty without either. */
export function sayChance(tile) {
  const meeting = model.meetings[tile.meeting];
  return meeting && tile.probability !== undefined ? say("wall.chance", { chance: tile.probability, meeting: nameOf(meeting), at: moment(meeting.starts_ms) }) : "";
}

/** That so much of a running meeting is lost that an office has failed it, however well it is for the rest; empty without. */
export const sayFailed = (broken) => (broken === undefined ? "" : say("wall.failed_already", { broken }));

/** The same of the running meeting that a tile tells of. */
export const failedSaid = (site, tile) => sayFailed(failedIn(site, model.meetings[tile.meeting]));

/** All that matters, in one sentence for a screen reader; it begins with what is to be seen. */
export function spoken(office, tile) {
  const number = shortAge(tile) || shortLabel(tile);
  const parts = [[nameOf(office), number].filter(Boolean).join(" ") + `: ${sayState(tile.shade, [tile.down, tile.why])}`];
  if (number !== percentOf(tile) && tile.probability !== undefined) parts.push(percent(tile.probability));
  const meeting = model.meetings[tile.meeting];
  if (meeting && tile.shade !== "ready" && isRunning(meeting)) parts.push(sayChance(tile));
  parts.push(failedSaid(office.id, tile));
  if (tile.why && tile.shade !== "ready") parts.push(sayWhy(tile));
  if (isOld(tile)) parts.push(oldText(tile));
  return parts.filter(Boolean).join(", ");
}

/** Nothing comes through a line that reports: whoever is not heard shows the age of its data. */
export const isDown = (tile) => tile.shade !== "ready" && downAmong([tile.down, tile.why])?.code === "outage";

const percentOf = (tile) => (tile.probability === undefined ? "" : percent(tile.probability));

/** "Old data, 3 min" or "no data yet". */
export function oldText(tile) {
  const age = ageOf(tile);
  return age === null ? say("wall.never_heard") : say("wall.old_data", { age: age / 1000 });
}

/** What the map shows beside the name, of fresh data: that the line is down, else the number. */
export const shortLabel = (tile) => (isDown(tile) ? say("wall.down_short") : shortNumber(tile));

/** The number that a tile shows beside the name: the probability, for an office that is not ready. */
export function shortNumber(tile) {
  if (tile.shade === "ready" || tile.shade === "planned" || tile.probability === undefined) return "";
  return percent(tile.probability);
}

/** The age of old data in one unit, for the map: "42 s", "38 min", "5 h", "3 days"; empty for fresh data. */
export function shortAge(tile) {
  const seconds = (ageOf(tile) ?? 0) / 1000;
  const unit = [86_400, 3600, 60].find((size) => seconds >= size) ?? 1;
  return isOld(tile) && ageOf(tile) !== null ? duration(Math.floor(seconds / unit) * unit) : "";
}

const GRAIN_S = 15;

/** The age of a tile's data: in steps of 15 s while it is young, so that a wall at rest does not flicker. */
export function freshAge(tile) {
  const age = ageOf(tile);
  if (age === null) return "";
  return shortAge(tile) || duration(Math.max(GRAIN_S, Math.ceil(age / 1000 / GRAIN_S) * GRAIN_S));
}

const WORST_FIRST = ["dark", "not_ready", "at_risk", "unknown", "ready"];

/** Order of what will not hold: worse state, smaller probability, name. Takes `{site, shade, probability}`. */
export function worseFirst(a, b) {
  const chance = (one) => one.probability ?? -1;
  return WORST_FIRST.indexOf(a.shade) - WORST_FIRST.indexOf(b.shade) || chance(a) - chance(b)
    || nameOf(model.offices.get(a.site)).localeCompare(nameOf(model.offices.get(b.site)));
}

export const tileOf = (site) => model.tiles[site] ?? { shade: "unknown" };
