// The line at three metres: what time it is, how long until the next meeting, how many offices are in which state.

import { h, setAttribute, setText, shape } from "./dom.js";
import { clock, countdown, date, duration } from "./format.js";
import { firstMeeting, isRunning, meetingsInOrder, model, now } from "./model.js";
import { hrefMeeting } from "./router.js";
import { readyParts } from "./timeline.js";
import { nameOf, say, sayShade } from "./words.js";

const COUNTED = ["not_ready", "at_risk", "dark", "unknown", "ready"];
/** Beyond so many offices the counts are set smaller. */
const MOST_LARGE = 999;
const LONGEST_COUNTDOWN_MS = 24 * 3600_000;

export function createHeader(nav, controls) {
  const time = h("time", { class: "clock" });
  const day = h("span", { class: "day" });
  const nextLabel = h("span", { class: "next-label" });
  const nextTime = h("span", { class: "next-time" });
  const nextReady = h("span", { class: "next-ready" });
  const nextTitle = h("a", { class: "next-title" });
  const countsOf = h("p", { class: "counts-of", id: "counts-of" });
  const counts = Object.fromEntries(COUNTED.map((shade) => [shade, countOf(shade)]));
  const linked = h("span", { class: "linked" });
  const element = h("header", { class: "top" },
    h("h1", { class: "now" }, h("span", { class: "sr" }), time, day),
    h("div", { class: "next" }, nextLabel, h("div", { class: "next-when" }, nextTime, nextReady), nextTitle),
    h("div", { class: "counted-offices" }, countsOf,
      h("ul", { class: "counts", "aria-labelledby": "counts-of" }, COUNTED.map((shade) => counts[shade].item), h("li", { class: "count-linked" }, linked))),
    nav, controls);

  function tick() {
    setText(time, clock(now()));
    setText(day, date(now()));
    setText(countsOf, say(meetingsInOrder().some(isRunning) ? "wall.counts_of_running" : "wall.counts_of"));
    const meeting = firstMeeting();
    if (!meeting) return showNone();
    const left = meeting.starts_ms - now();
    const running = meetingsInOrder().filter(isRunning).length;
    setText(nextLabel, left > 0 ? say("wall.next_in") : running > 1 ? say("wall.running_of", { n: running }) : say("wall.running_for"));
    setText(nextTime, left > LONGEST_COUNTDOWN_MS ? duration(left / 1000) : countdown(Math.abs(left)));
    setText(nextTitle, nameOf(meeting));
    setAttribute(nextTitle, "href", hrefMeeting(meeting));
    setAttribute(nextTitle, "title", nameOf(meeting));
    showReady(readyParts(meeting));
  }

  /** Of the next meeting's own offices: the counts beside it are of all offices, each for a meeting of its own. */
  function showReady(parts) {
    const fresh = h("span", { class: "next-ready" }, parts);
    if (!fresh.isEqualNode(nextReady)) nextReady.replaceChildren(...parts);
  }

  function showNone() {
    setText(nextLabel, say("wall.no_next"));
    setText(nextTime, "");
    setText(nextTitle, "");
    setAttribute(nextTitle, "href", null);
    showReady([]);
  }

  function render() {
    const tiles = Object.values(model.tiles);
    for (const shade of COUNTED) counts[shade].show(tiles.filter((tile) => tile.shade === shade).length);
    const joined = tiles.filter((tile) => tile.shade !== "planned").length;
    element.classList.toggle("many", tiles.length > MOST_LARGE);
    setText(linked, say("wall.linked_of", { linked: joined, all: tiles.length }));
    setText(element.querySelector("h1 .sr"), `${model.scene.name}. `);
    tick();
  }
  return { element, render, tick };
}

function countOf(shade) {
  const number = h("b");
  const word = h("span");
  const item = h("li", { class: `count shade-${shade}` }, shape(shade), number, word);
  return {
    item,
    show(n) {
      setText(number, String(n));
      setText(word, sayShade(shade));
      item.classList.toggle("zero", n === 0);
    },
  };
}
