// What came of a meeting that is over, as shapes and words: what was expected of it last is no longer what is.

import { isOver } from "./model.js";
import { say } from "./words.js";

/** The shape of each outcome. */
export const OUTCOMES = { held: "ready", failed: "not_ready", excused: "planned", unsettled: "unknown" };
const NAMES = Object.entries(OUTCOMES);

/** How many of a meeting's offices stand under which shape: what is expected, or once it is over what came true, open where nothing did yet. */
export function countsOf(meeting) {
  if (!isOver(meeting)) return meeting.count;
  const came = meeting.came ?? { unsettled: meeting.linked };
  return Object.fromEntries(NAMES.map(([name, shade]) => [shade, came[name] ?? 0]));
}

/** The outcome's word for the shape that stands for it. */
export const sayOutcome = (shade) => say(`outcome.${NAMES.find(([, each]) => each === shade)[0]}`);

/** How many offices held it, as it is shown, and as it is read out; no number while nothing is settled. */
export const heldWords = ({ came, linked }) => [
  came ? say("wall.held", { held: came.held ?? 0, linked }) : `–/${linked}`,
  came ? say("wall.held_of", { held: came.held ?? 0, linked }) : say("wall.held_not_known"),
];
