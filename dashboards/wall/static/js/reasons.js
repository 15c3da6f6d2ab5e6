// Why an office will not hold, in words. The twin of `say_reason` in telemetry/words/speak.py.

import { causeText } from "./causes.js";
import { clock, measure } from "./format.js";
import { say } from "./words.js";

/** A reason as a screen shows it: with its number, or the cause that it shares with others; since when, or when it was. */
export function sayReason(why) {
  if (!why) return "";
  const text = why.cause ? causeText(why.cause) : ownText(why);
  if (!why.since_ms) return text;
  if (!why.until_ms) return say("reason.since", { reason: text, since: why.since_ms });
  const brief = clock(why.since_ms) === clock(why.until_ms);
  return say(brief ? "reason.past_moment" : "reason.past", { reason: text, since: why.since_ms, until: why.until_ms });
}

function ownText(why) {
  const toldBySince = why.unit === "s" && why.since_ms;
  if (why.value === undefined || toldBySince) return say(`brief.${why.code}`);
  return say(`reason.${why.code}`, { value: measure(why.value, why.unit ?? "") });
}
