// Which lines are degraded, without contact, without data: one reckoning for the foot of the page and for the list beside
// the map, so that they cannot disagree.

import { model } from "./model.js";
import { tileOf } from "./office.js";

/** The last group of the list: of no meeting, lines that are degraded now. */
export const LINES = "lines";

/** What only rose within the limits is no fault of the line. */
const isFault = ({ why }) => !why.code.startsWith("moved_");

/** `{degraded: Map of office to its worst flag, dark: [office], unknown: [office]}`; who is not heard is not called degraded. */
export function linesNow() {
  const of = (shade) => Object.keys(model.tiles).filter((site) => model.tiles[site].shade === shade);
  const [dark, unknown] = [of("dark"), of("unknown")];
  const unheard = new Set([...dark, ...unknown]);
  const degraded = new Map();
  for (const flag of Object.values(model.flags)) {
    const before = degraded.get(flag.site);
    if (isFault(flag) && !unheard.has(flag.site) && !(before?.severe && !flag.severe)) degraded.set(flag.site, flag);
  }
  return { degraded, dark, unknown };
}

/** Offices whose line is degraded now though they are expected to hold their meeting, or no forecast has come since. */
export function degradedYetReady() {
  const { degraded } = linesNow();
  return [...degraded.values()].filter(({ site }) => tileOf(site).shade === "ready")
    .map(({ site, why }) => ({ site, shade: "ready", probability: tileOf(site).probability, why, line: true }));
}
