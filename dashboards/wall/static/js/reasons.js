// Why an office will not hold, in words. The twin of `say_reason` in telemetry/words/speak.py.

import { causeText, factorName } from "./causes.js";
import { measure, minute } from "./format.js";
import { say, sayAction, sayShade } from "./words.js";

/** A reason as a screen shows it: with its number, or the cause that it shares with others; since when, or when it was. */
export function sayReason(why) {
  if (!why) return "";
  if (why.crosses_ms) return risingText(why);
  if (why.code === "outage" && why.unseen && why.until_ms) return say(`unseen.${why.code}`, { until: why.until_ms });
  if (why.code === "no_data" && why.value === undefined && !why.since_ms) return say("never.no_data");
  const text = why.cause ? causeText(why.cause) : ownText(why);
  if (why.unseen && why.until_ms) return say("reason.until", { reason: text, until: why.until_ms });
  if (!why.since_ms) return text;
  if (!why.until_ms) return say(why.unseen ? "reason.since_or_before" : "reason.since", { reason: text, since: why.since_ms });
  const brief = minute(why.since_ms) === minute(why.until_ms);
  return say(brief ? "reason.past_moment" : "reason.past", { reason: text, since: why.since_ms, until: why.until_ms });
}

function risingText(why) {
  const [value, limit, rate] = [why.value, why.limit, why.per_minute].map((each) => measure(each, why.unit));
  return say(`crosses.${why.code}`, { value, limit, rate, at: why.crosses_ms });
}

function ownText(why) {
  const toldBySince = why.unit === "s" && why.since_ms;
  if (toldBySince && why.value !== undefined && why.until_ms) return say(`was.${why.code}`, { value: measure(why.value, why.unit) });
  if (why.among) return say(`${why.until_ms ? "among_was" : "among"}.${why.among.kind}`, { value: measure(why.value, why.unit ?? ""), name: factorName(why.among) });
  if (why.record) return say(`record.${why.code}`, { failed: why.record[0], weeks: why.record[1] });
  if (why.value === undefined || toldBySince) return say(`brief.${why.code}`);
  const isOfOthersPast = why.code === "shared_fault" && !why.cause && why.until_ms;
  return say(`${isOfOthersPast ? "was" : "reason"}.${why.code}`, { value: measure(why.value, why.unit ?? "") });
}

const DOWN = new Set(["outage", "no_data", "dark"]);

/** The reason that says that nothing comes through or is heard at this moment; undefined without one. */
export const downAmong = (reasons) => reasons?.find((why) => why && DOWN.has(why.code) && why.since_ms && !why.until_ms);

/** A line that is down now: first what is and since when, then the chance that it is back and holds. The twin of `say_down`. */
export const sayDown = (why, chance) => (chance === undefined ? sayReason(why) : say("down.chance", { reason: sayReason(why), chance }));

/** Why an office will not hold, in a line: that it is down now, if so, before what explains it. Takes `{why, down, probability}`. */
export function sayWhy(one) {
  const down = downAmong([one.down, one.why]);
  if (!down) return sayReason(one.why);
  return [sayDown(down, one.probability), down === one.why ? "" : sayReason(one.why)].filter(Boolean).join(" · ");
}

/** The one thing to do. The fault of a whole region is no single provider's: the mail's advice. The twin of `say_action`. */
export function sayAdvice(action, reasons) {
  const isRegion = (why) => why?.cause?.kind === "region" && !why.until_ms;
  return action === "call_provider" && reasons?.some(isRegion) ? say("alerts.act_shared.region") : sayAction(action);
}

/** What to do about a fault that offices share, as its mail says it; once it is over, what the worst of them does. */
export const sayShared = ({ action, why }) => (why.until_ms ? sayAction(action) : say(`alerts.act_shared.${why.cause.kind}`));

/** The word of a verdict; where the line is down now, that before what is expected. The twin of `say_state`. */
export function sayState(shade, reasons) {
  const down = shade === "dark" || shade === "ready" ? undefined : downAmong(reasons);
  return down ? say("down.state", { down: say(`brief.${down.code}`), state: sayShade(shade) }) : sayShade(shade);
}
