// All meetings: today and tomorrow with what is expected of each, and those of the past weeks with what came true.

import { countsOf, sayOutcome } from "./came.js";
import { h, setText } from "./dom.js";
import { clock, date, midnight, percent } from "./format.js";
import { isOver, meetingsInOrder, model, now, overCount } from "./model.js";
import { barOf } from "./moves.js";
import { hrefMeeting } from "./router.js";
import { createTimeline, readyParts, within, worstOf } from "./timeline.js";
import { nameOf, say } from "./words.js";

const DAY_MS = 86_400_000;
const PHONE = matchMedia("(max-width: 760px)");
let unfolded = null; // as the reader left it; null: as wide as the screen is
const EXPECTED = ["ready", "at_risk", "not_ready", "dark", "unknown"];
const CAME = ["ready", "not_ready", "unknown"];

export function createMeetingsPage() {
  const title = h("h2");
  const timeline = createTimeline();
  const coming = h("div", { class: "coming" });
  const past = h("div", { class: "past" });
  const element = h("article", { class: "page meetings-page" }, title, timeline.element, coming, past);
  let told = null;
  let fetchedFor = 0;

  async function load() {
    fetchedFor = overCount();
    const answer = await fetch("/api/meetings/past").catch(() => null);
    if (!answer?.ok) return;
    told = await answer.json();
    drawPast();
  }

  function draw() {
    if (!model.scene) return;
    setText(title, say("views.meetings"));
    timeline.render();
    const today = midnight(now());
    const all = meetingsInOrder();
    coming.replaceChildren(...[0, 1].map((day) => dayOf(day, today + day * DAY_MS, all)));
    drawPast();
  }

  function drawPast() {
    if (!told) return;
    past.replaceChildren(h("h3", { id: "past-title" }, say("views.past_days", { n: told.days })),
      told.meetings.length ? pastTable(told.meetings) : h("p", { class: "nothing" }, say("views.no_past")));
  }

  return {
    element,
    open() { draw(); load(); },
    render(change) { if (element.isConnected && change.meetings) draw(); },
    tick() {
      if (!element.isConnected) return;
      timeline.tick();
      if (overCount() !== fetchedFor) { draw(); load(); }
    },
    relabel: draw,
  };
}

/** What comes first, then what is over: folded where a day is longer than the screen. */
function dayOf(day, start, all) {
  const meetings = all.filter((meeting) => within(meeting, start));
  const coming = meetings.filter((meeting) => !isOver(meeting));
  const over = meetings.filter(isOver);
  return h("section", { class: "day-list" },
    h("h3", {}, h("b", {}, say(day ? "wall.tomorrow" : "wall.today")), ` ${date(start + DAY_MS / 2)}`),
    coming.length ? h("ol", {}, coming.map(meetingCard)) : "",
    over.length ? folded(over) : "",
    meetings.length ? "" : h("p", { class: "nothing" }, say("views.no_meetings_day")));
}

function folded(over) {
  const summary = h("summary", {}, say("views.n_over", { n: over.length }));
  const element = h("details", { class: "day-over" }, summary, h("ol", {}, over.map(meetingCard)));
  element.open = unfolded ?? !PHONE.matches;
  summary.addEventListener("click", () => { unfolded = !element.open; }); // "toggle" also comes of what we open ourselves
  return element;
}

function meetingCard(meeting) {
  const end = model.ends.get(meeting.end);
  return h("li", {}, h("a", { href: hrefMeeting(meeting), class: `meeting-card${isOver(meeting) ? " over" : ""}`, "data-shade": worstOf(meeting) },
    h("time", {}, clock(meeting.starts_ms)),
    h("span", { class: "card-title" }, nameOf(meeting)),
    h("span", { class: "card-end" }, [end ? nameOf(end) : meeting.end, phaseOf(meeting)].filter(Boolean).join(" · ")),
    h("span", { class: "card-ready" }, readyParts(meeting)),
    isOver(meeting) ? barOf(countsOf(meeting), CAME, sayOutcome) : barOf(meeting.count, EXPECTED)));
}

function phaseOf(meeting) {
  if (isOver(meeting)) return say("views.over");
  return meeting.starts_ms <= now() ? say("views.runs") : "";
}

function pastTable(meetings) {
  const heads = ["when", "meeting", "held", "right"];
  return h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-labelledby": "past-title" }, h("table", { class: "past-table" },
    h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col", class: `col-${name}` }, say(`views.col_${name}`))))),
    h("tbody", {}, meetings.map(pastRow))));
}

function pastRow(meeting) {
  const { held = 0, failed = 0, excused = 0, unsettled = 0, of = 0, right = 0 } = meeting;
  const settled = held + failed;
  const rest = [excused && say("views.n_excused", { n: excused }), unsettled && say("views.n_unsettled", { n: unsettled })].filter(Boolean);
  return h("tr", {},
    h("td", { class: "col-when" }, `${date(meeting.starts_ms)}, ${clock(meeting.starts_ms)}`),
    h("th", { scope: "row" }, h("a", { href: hrefMeeting(meeting) }, nameOf(meeting))),
    h("td", { class: "col-held" }, settled
      ? [barOf({ ready: held, not_ready: failed }, CAME, sayOutcome), rest.length ? h("small", {}, ` ${rest.join(" · ")}`) : ""]
      : say("outcome.unsettled")),
    h("td", { class: "col-right" }, of ? [h("b", {}, percent(right / of)), h("small", {}, ` ${say("views.n_of_m", { n: right, m: of })}`)] : "–"));
}
