// Today and tomorrow: each meeting a bar with how many of its offices are ready, now as a line. On a phone and on
// paper the same links are a list.

import { h, setText, setVariables, shape } from "./dom.js";
import { clock, date, hourOfDay, midnight } from "./format.js";
import { meetingsInOrder, model, now } from "./model.js";
import { hrefMeeting } from "./router.js";
import { nameOf, say } from "./words.js";

const DAY_MS = 86_400_000;
const WORK = [8, 20];
const LANES = 3;
/** What a bar's words take, as a share of the day shown: all of them, time and count, the least of a title, the shape alone. */
const [ALL, COUNT, TITLE, SHAPE] = [0.36, 0.185, 0.05, 0.035];
const shown = (hours) => hours[1] - hours[0];

export function createTimeline() {
  const days = [dayOf(), dayOf()];
  const title = h("h2", { class: "sr", id: "timeline-title" });
  const nothing = h("p", { class: "nothing" });
  const element = h("section", { class: "timeline", "aria-labelledby": "timeline-title" }, title, nothing, days.map((day) => day.element));
  let shownDay = 0;

  function render() {
    setText(title, say("wall.timeline"));
    const today = midnight(now());
    shownDay = today;
    const meetings = meetingsInOrder();
    nothing.hidden = meetings.length > 0;
    setText(nothing, meetings.length ? "" : say("wall.no_meetings", { file: model.scene.calendar }));
    const hours = hoursOf(meetings);
    days.forEach((day, index) => {
      const start = today + index * DAY_MS;
      day.show(say(index ? "wall.tomorrow" : "wall.today"), start, meetings.filter((m) => within(m, start)), hours);
    });
    tick();
  }

  function tick() {
    if (shownDay && midnight(now()) !== shownDay) return render();
    days[0].now(now());
  }
  return { element, render, tick, relabel: () => model.scene && render() };
}

const within = (meeting, start) => meeting.starts_ms >= start && meeting.starts_ms < start + DAY_MS;

/** The hours that both days show: office hours, widened for early and late meetings and for now. */
function hoursOf(meetings) {
  const starts = meetings.map((m) => hourOfDay(m.starts_ms));
  const ends = meetings.map(endOf);
  return [Math.floor(Math.min(WORK[0], ...starts)), Math.min(24, Math.ceil(Math.max(WORK[1], ...ends)))];
}

function dayOf() {
  const heading = h("h3");
  const axis = h("div", { class: "axis", "aria-hidden": "true" });
  const bars = h("ol", { class: "bars" });
  const line = h("div", { class: "now-line", "aria-hidden": "true", hidden: true });
  const element = h("div", { class: "day-frame" }, heading, h("div", { class: "day-plot" }, axis, bars, line));
  let span = [0, 24];
  const percentOf = (hour) => (100 * (hour - span[0])) / (span[1] - span[0]);
  return {
    element,
    show(word, start, meetings, hours) {
      span = hours;
      heading.replaceChildren(h("b", {}, word), ` ${date(start + DAY_MS / 2)}`);
      axis.replaceChildren(...ticks(hours).map((hour) => tickAt(hour, percentOf(hour))));
      const seats = seatsOf(meetings, hours);
      bars.replaceChildren(...meetings.map((meeting, i) => barOf(meeting, seats[i], percentOf)));
      bars.classList.toggle("empty", !meetings.length);
      element.classList.toggle("none", !meetings.length);
    },
    now(time) {
      const hour = hourOfDay(time);
      line.hidden = hour < span[0] || hour > span[1];
      setVariables(line, { "--x": `${percentOf(hour)}%` });
    },
  };
}

function ticks([first, last]) {
  const every = last - first > 14 ? 3 : 2;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((hour) => hour % every === 0 && hour < last);
}

function tickAt(hour, x) {
  const tick = h("span", { class: "tick" }, `${hour}:00`);
  setVariables(tick, { "--x": `${x}%` });
  return tick;
}

const endOf = (meeting) => hourOfDay(meeting.starts_ms) + (meeting.ends_ms - meeting.starts_ms) / 3600_000;

/** Late in the day the words stand before the bar, else after it. */
function isFlipped(meeting, hours) {
  const day = shown(hours);
  return hours[1] - endOf(meeting) < (COUNT + TITLE) * day && hourOfDay(meeting.starts_ms) - ALL * day >= hours[0];
}

/**
 * For each meeting its lane and the hours that its words may take there: up to the next bar, or back to the one before.
 * On a crowded day bars may share what is free; words that do not fit are left out, never laid over others.
 */
function seatsOf(meetings, hours) {
  const length = ALL * shown(hours);
  const words = Array(LANES).fill(-Infinity);
  const blocks = Array(LANES).fill(-Infinity);
  const seats = meetings.map((meeting) => {
    const [start, end, flipped] = [hourOfDay(meeting.starts_ms), endOf(meeting), isFlipped(meeting, hours)];
    let lane = words.findIndex((free) => free <= start - (flipped ? length : 0));
    if (lane < 0) lane = blocks.indexOf(Math.min(...blocks));
    const seat = { lane, flipped, start, end, room: flipped ? start - Math.max(blocks[lane], hours[0]) : hours[1] - end };
    blocks[lane] = end;
    words[lane] = end + (flipped ? 0 : length);
    return seat;
  });
  seats.forEach((seat, i) => {
    const next = seats.slice(i + 1).find((other) => other.lane === seat.lane);
    if (!next) return;
    const gap = Math.max(0, next.start - seat.end);
    if (!seat.flipped) seat.room = Math.min(seat.room, next.flipped ? gap / 2 : gap);
    if (next.flipped && !seat.flipped) next.room = Math.min(next.room, gap / 2);
  });
  return seats;
}

/** How much of the words fits into a share of the day shown. */
const fitOf = (share) => (share >= COUNT + TITLE ? "all" : share >= COUNT ? "count" : share >= SHAPE ? "shape" : "none");

/** The worst that is expected of any of its offices. */
export function worstOf(count) {
  return ["dark", "not_ready", "at_risk", "unknown"].find((shade) => count[shade]) ?? (count.ready ? "ready" : "planned");
}

function barOf(meeting, { lane, flipped, start, end, room }, percentOf) {
  const from = percentOf(start);
  const width = percentOf(end) - from;
  const worst = worstOf(meeting.count);
  const ready = meeting.count.ready ?? 0;
  const over = meeting.ends_ms <= now();
  const link = h("a", { href: hrefMeeting(meeting), class: `bar${over ? " over" : ""}${flipped ? " flipped" : ""}`, "data-shade": worst, "data-fit": fitOf((percentOf(start + room) - from) / 100), title: `${clock(meeting.starts_ms)} ${nameOf(meeting)} ${ready}/${meeting.linked}` },
    h("span", { class: "block" }),
    h("span", { class: "bar-text" },
      h("time", {}, clock(meeting.starts_ms)), shape(worst),
      h("b", {}, `${ready}/${meeting.linked}`), h("span", { class: "bar-title" }, nameOf(meeting)),
      h("span", { class: "sr" }, say("wall.ready_of", { ready, linked: meeting.linked }))));
  setVariables(link, { "--x": `${from}%`, "--w": `${width}%`, "--lane": lane, "--room": percentOf(start + room) - from });
  return h("li", {}, link);
}
