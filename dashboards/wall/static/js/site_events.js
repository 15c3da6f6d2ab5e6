// What happened in the span that the charts show: the marks in words, newest first, each with the swatch that it has there.

import { causeText } from "./causes.js";
import { moveText } from "./chart_marks.js";
import { h } from "./dom.js";
import { clock, date, midnight } from "./format.js";
import { now } from "./model.js";
import { rehearsalWhy } from "./rehearsal_why.js";
import { hrefIncident, hrefMeetingKey, hrefSite } from "./router.js";
import { nameOf, say } from "./words.js";

const MOST = 40;
const LEAST_MS = 15 * 60_000;
const MEETINGS_LISTED_MS = 2 * 86_400_000;

/** `place` is the address of the page: a time leads to the charts around it. */
export function createEvents() {
  const list = h("ul", { class: "events" });
  const heading = h("h3");
  const element = h("section", { class: "site-events", hidden: true }, heading, list);

  function show(series, past, view, place) {
    const marks = (series?.marks ?? []).filter((mark) => !mark.path || mark.path === series.path);
    const moves = (past?.moves ?? []).map((move) => ({ kind: "change", from_ms: move.at_ms, until_ms: move.at_ms, move }));
    const all = [...marks, ...moves].filter((one) => one.from_ms < view.to && (one.until_ms ?? view.to) >= view.from).sort((a, b) => b.from_ms - a.from_ms);
    const listed = view.to - view.from > MEETINGS_LISTED_MS ? all.filter(({ kind }) => kind !== "meeting") : all;
    element.hidden = !series;
    heading.textContent = say("site.happened");
    list.replaceChildren(...listed.slice(0, MOST).map((one) => item(one, place)));
    const rest = listed.length > MOST ? say("site.happened_more", { n: listed.length - MOST })
      : all.length > listed.length ? say("site.happened_meetings", { n: all.length - listed.length })
        : all.length ? "" : say("site.happened_nothing");
    if (rest) list.append(h("li", { class: "nothing" }, rest));
  }

  return { element, show, hide: () => { element.hidden = true; } };
}

function item(one, place) {
  const around = { from: Math.floor(one.from_ms - LEAST_MS), to: Math.ceil((one.until_ms ?? one.from_ms) + LEAST_MS), path: place.path };
  const text = TEXT[one.kind](one);
  const link = one.kind === "meeting" ? hrefMeetingKey(one.link) : one.kind === "incident" ? hrefIncident(one.link) : null;
  return h("li", {},
    h("span", { class: `swatch swatch-${one.kind}`, "aria-hidden": "true" }),
    h("a", { class: "when", href: hrefSite(place.id, around) }, spanText(one)), " ",
    link ? h("a", { class: "what", href: link }, text) : h("span", { class: "what" }, text));
}

/** The day where it is not today's, begin and end; one time where both are the same. */
function spanText({ from_ms: from, until_ms: until }) {
  const day = midnight(from) === midnight(now()) ? "" : `${date(from).split(",")[0]}, `;
  if (until === undefined) return `${day}${clock(from)} –`;
  if (clock(from) === clock(until) && until - from < LEAST_MS) return day + clock(from);
  const end = midnight(from) === midnight(until) ? clock(until) : `${date(until).split(",")[0]}, ${clock(until)}`;
  return `${day}${clock(from)}–${end}`;
}

const TEXT = {
  meeting: nameOf,
  flag: (one) => say(`brief.${one.label}`),
  offline: () => say("site.offline"),
  gap: () => say("site.gap"),
  dropped: (one) => say("site.dropped", { n: one.n, why: one.label }),
  incident: (one) => say("site.incident", { n: one.n, cause: causeText({ kind: one.label, name: one.en, region: one.region }) }),
  rehearsal: (one) => (one.label ? say("site.rehearsal_aborted", { why: rehearsalWhy(one.label) }) : say("site.rehearsal_held", { n: one.n ?? 0 })),
  change: ({ move }) => say("site.moved", { what: say(`site.metric_${move.metric}`), levels: moveText(move) }),
};
