// What the green band stands on, in words: how many weeks were measured, since when they count, or that there is no band yet.

import { date, moment } from "./format.js";
import { say } from "./words.js";

/** The sentences below the charts; none before the past is here. */
export function usualSaid(past) {
  if (!past) return [];
  const { rtt_p95_ms: rtt, up_jitter_ms: up, down_jitter_ms: down } = past.usual;
  const bands = [rtt, up, down].filter(({ low }) => low.some((value) => value !== null));
  const weeks = Math.max(...bands.map((band) => band.weeks));
  const at = moment(past.as_of_ms);
  return [
    bands.length ? say("site.usual_of", { weeks, at }) : say("site.usual_not_yet", { days: past.least_days, at }),
    movedSince("site.metric_rtt", rtt.since_ms),
    movedSince("site.metric_jitter", Math.max(up.since_ms, down.since_ms)),
  ].filter(Boolean);
}

const movedSince = (what, since) => (since ? say("site.usual_since", { what: say(what), since: date(since) }) : "");
