// Today and tomorrow: each meeting a bar with how many of its offices are ready, or held it once it is over, now as a line. On a phone and on
// paper the same links are a list; on a phone without those that are over, which it counts.

import { countsOf, heldWords } from "./came.js";
import { h, setText, setVariables, shape } from "./dom.js";
import { clock, date, hourOfDay, midnight } from "./format.js";
import { isOver, meetingsInOrder, model, now, overCount } from "./model.js";
import { hrefMeeting } from "./router.js";
import { seatsOf } from "./seats.js";
import { nameOf, say } from "./words.js";

const DAY_MS = 86_400_000;
const WORK = [8, 20];
/** Sizes in rem, as css/timeline.css has them: letters, the words' gaps and padding with the shape, the least of a bar and of a title. */
const [LETTERS, AROUND, LEAST_BAR, LEAST_TITLE] = [1.125, 3.6, 0.5, 2.5];

export function createTimeline() {
  const days = [dayOf(), dayOf()];
  const title = h("h2", { class: "sr", id: "timeline-title" });
  const nothing = h("p", { class: "nothing" });
  const element = h("section", { class: "timeline", "aria-labelledby": "timeline-title" }, title, nothing, days.map((day) => day.element));
  let shown = 0;
  /** Another one when the day is, or when one more meeting is over. */
  const moment = () => midnight(now()) + overCount();

  function render() {
    setText(title, say("wall.timeline"));
    const today = midnight(now());
    shown = moment();
    const meetings = meetingsInOrder();
    nothing.hidden = meetings.length > 0;
    setText(nothing, meetings.length ? "" : say("wall.no_meetings", { file: model.scene.calendar }));
    const hours = hoursOf(meetings);
    const lanes = days.map((day, index) => {
      const start = today + index * DAY_MS;
      return day.show(say(index ? "wall.tomorrow" : "wall.today"), start, meetings.filter((m) => within(m, start)), hours);
    });
    setVariables(element, { "--lanes": Math.max(...lanes) });
    tick();
  }

  function tick() {
    if (shown && moment() !== shown) return render();
    days[0].now(now());
  }
  let width = 0;
  new ResizeObserver(([entry]) => {
    const fresh = Math.round(entry.contentRect.width);
    if (fresh !== width && model.scene) render();
    width = fresh;
  }).observe(element);
  return { element, render, tick, relabel: () => model.scene && render() };
}

export const within = (meeting, start) => meeting.starts_ms >= start && meeting.starts_ms < start + DAY_MS;

/** The hours that both days show: office hours, widened for early and late meetings and for now. */
function hoursOf(meetings) {
  const starts = meetings.map((m) => hourOfDay(m.starts_ms));
  const ends = meetings.map(endOf);
  return [Math.floor(Math.min(WORK[0], ...starts)), Math.min(24, Math.ceil(Math.max(WORK[1], ...ends)))];
}

function dayOf() {
  const heading = h("h3");
  const rest = h("span", { class: "unseated" });
  const axis = h("div", { class: "axis", "aria-hidden": "true" });
  const bars = h("ol", { class: "bars" });
  const line = h("div", { class: "now-line", "aria-hidden": "true", hidden: true });
  const plot = h("div", { class: "day-plot" }, axis, bars, line);
  const gone = h("a", { class: "gone", href: "#/meetings" });
  const element = h("div", { class: "day-frame" }, heading, plot, gone);
  let span = [0, 24];
  const percentOf = (hour) => (100 * (hour - span[0])) / (span[1] - span[0]);
  return {
    element,
    /** Show a day's meetings; gives the lanes that they take. */
    show(word, start, meetings, hours) {
      span = hours;
      heading.replaceChildren(h("b", {}, word), ` ${date(start + DAY_MS / 2)}`, rest);
      axis.replaceChildren(...ticks(hours).map((hour) => tickAt(hour, percentOf(hour))));
      const { width } = plot.getBoundingClientRect();
      const { seats, lanes } = seatsOf(lengthsOf(meetings, percentOf, width), width);
      const left = seats.filter((seat) => !seat).length;
      setText(rest, left ? ` · ${say("wall.more_meetings", { n: left })}` : "");
      bars.replaceChildren(...meetings.map((meeting, i) => barOf(meeting, seats[i], percentOf)));
      const n = meetings.filter(isOver).length;
      gone.hidden = !n;
      setText(gone, say("views.n_over", { n }));
      element.classList.toggle("none", !meetings.length);
      return lanes;
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

/** What each meeting takes in the strip, px: its bar and its words; the words of a count as wide as it can become. */
function lengthsOf(meetings, percentOf, width) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const pen = document.createElement("canvas").getContext("2d");
  const { fontFamily } = getComputedStyle(document.body);
  const wide = (text, weight) => {
    pen.font = `${weight} ${LETTERS * rem}px ${fontFamily}`;
    return pen.measureText(text).width;
  };
  return meetings.map((meeting) => {
    const from = (percentOf(hourOfDay(meeting.starts_ms)) / 100) * width;
    const until = Math.min(width, Math.max(from + LEAST_BAR * rem, (percentOf(endOf(meeting)) / 100) * width));
    const words = wide(`${clock(meeting.starts_ms)}${widest(meeting)}`, 600) + AROUND * rem;
    return { from, until, words, full: words + wide(nameOf(meeting), 400) + 0.6 * rem, terse: words + LEAST_TITLE * rem };
  });
}

const widest = ({ linked, came, ...meeting }) => (came && isOver(meeting) ? heldWords({ came: { held: linked }, linked })[0] : `${linked}/${linked}`);

/** The worst that is expected of any of its offices, or that came of it. */
export function worstOf(meeting) {
  const count = countsOf(meeting);
  return ["dark", "not_ready", "at_risk", "unknown"].find((shade) => count[shade]) ?? (count.ready ? "ready" : "planned");
}

/** The worst that is expected, and how many of its offices are ready, as it is shown and read out; no number where nothing is known. Of one that is over, what came of it. */
export function readyParts(meeting) {
  const sign = shape(worstOf(meeting));
  if (isOver(meeting)) {
    const [shown, said] = heldWords(meeting);
    return [sign, h("b", {}, shown), h("span", { class: "sr" }, said)];
  }
  const { count, linked } = meeting;
  const ready = linked && count.unknown === linked ? null : count.ready ?? 0;
  return [sign, h("b", {}, `${ready ?? "–"}/${linked}`),
    h("span", { class: "sr" }, ready === null ? say("wall.ready_not_known") : say("wall.ready_of", { ready, linked }))];
}

function barOf(meeting, seat, percentOf) {
  const from = percentOf(hourOfDay(meeting.starts_ms));
  const width = Math.min(100, percentOf(endOf(meeting))) - from;
  const worst = worstOf(meeting);
  const [sign, ready, said] = readyParts(meeting);
  const kind = ["bar", seat?.side ?? "left-out", isOver(meeting) && "over", seat && seat.room < Math.min(seat.bar.terse, seat.bar.full) && "terse"];
  const link = h("a", { href: hrefMeeting(meeting), class: kind.filter(Boolean).join(" "), "data-shade": worst, title: `${clock(meeting.starts_ms)} ${nameOf(meeting)} ${ready.textContent}` },
    h("span", { class: "block" }),
    h("span", { class: "bar-text" },
      h("time", {}, clock(meeting.starts_ms)), sign, ready,
      h("span", { class: "bar-title" }, nameOf(meeting)), said));
  setVariables(link, { "--x": `${from}%`, "--w": `${width}%`, "--lane": seat?.lane ?? 0, "--room": `${seat?.room ?? 0}px` });
  return h("li", {}, link);
}
