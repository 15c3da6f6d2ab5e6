// Why a rehearsal did not hold: the lines of telemetry/rehearsal_reasons in words.

import { clock, midnight, moment } from "./format.js";
import { model, now } from "./model.js";
import { knows, nameOf, say } from "./words.js";

/** `code`, `code more`, or one for each way, `up loss, down delay`; a line whose code nobody knows stays as it came. */
export function rehearsalWhy(line) {
  const parts = line.split(", ");
  const perWay = parts.every((part) => /^(up|down)( |$)/.test(part));
  const said = (perWay ? parts : [line]).map((part) => (perWay ? wayText(part) : partText(part)));
  return said.every(Boolean) ? said.join(" · ") : line;
}

/** What an office's last rehearsal held on each way, when, and what broke. */
export function lastRehearsal({ at_ms: at, up, down, why }) {
  const rung = (id) => (id ? nameOf(model.profiles.get(id) ?? { en: id }) : "–");
  const when = midnight(at) === midnight(now()) ? clock(at) : moment(at);
  return [say("rehearsal.last", { when, up: rung(up), down: rung(down) }), why ? rehearsalWhy(why) : ""].filter(Boolean).join(" · ");
}

function wayText(part) {
  const [way, ...rest] = part.split(" ");
  const why = partText(rest.join(" "));
  return why && say(`rehearsal.way_${way}`, { why });
}

function partText(part) {
  const [code, ...rest] = part.split(" ");
  const key = `rehearsal.why.${code}`;
  if (!knows(key)) return "";
  return rest.length ? say("rehearsal.why_more", { why: say(key), more: rest.join(" ") }) : say(key);
}
