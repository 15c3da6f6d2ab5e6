// The row above the charts: where the cursor stands, in words, with the keys that move it; buttons that move and zoom the view.

import { h, setAttribute, setText } from "./dom.js";
import { clock, clockSeconds, date } from "./format.js";
import { now } from "./model.js";
import { RANGES } from "./ranges.js";
import { say } from "./words.js";

const WINDOW_MS = 15_000;
const LONGEST_MS = RANGES["8w"];
const LEAP = 10;

/** `move(steps)`, `moveTo("first" | "last")`, `pick()`, `show(from, to)` in ms, `share()`; `view()` is what is shown, `cursor()` ms or null. */
export function createCursorRow({ move, moveTo, pick, show, share, view, cursor }) {
  const slider = h("div", { class: "time-cursor", role: "slider", tabindex: "0" });
  const button = (name, act) => [name, h("button", { type: "button", onclick: act })];
  const buttons = Object.fromEntries([
    button("earlier", () => shift(-0.5)), button("later", () => shift(0.5)), button("closer", () => zoom(0.5)), button("wider", () => zoom(2)),
    button("share", share),
  ]);
  const said = h("span", { class: "sr", role: "status" });
  const element = h("div", { class: "cursor-row", role: "group" }, slider, ...Object.values(buttons), said);

  function shift(share_) {
    const { from, to } = view();
    show(...within(from + share_ * (to - from), to - from));
  }

  /** About the cursor where it is in view, else about the middle. */
  function zoom(factor) {
    const { from, to } = view();
    const stands = cursor();
    const at = stands !== null && stands >= from && stands < to ? stands : (from + to) / 2;
    const length = Math.min(LONGEST_MS, Math.max(WINDOW_MS, (to - from) * factor));
    show(...within(at - ((at - from) / (to - from)) * length, length));
  }

  const keys = {
    ArrowLeft: (event) => move(event.shiftKey ? -LEAP : -1), ArrowRight: (event) => move(event.shiftKey ? LEAP : 1),
    Home: () => moveTo("first"), End: () => moveTo("last"), PageUp: () => shift(-0.5), PageDown: () => shift(0.5),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Enter: pick, " ": pick,
  };
  slider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key](event);
  });

  /** Where the cursor stands: the step's begin and length in ms, and its values in words. */
  function tell(at, stepMs, values) {
    const { from, to } = view();
    for (const [name, value] of [["min", from], ["max", to], ["now", at ?? from]]) setAttribute(slider, `aria-value${name}`, Math.round(value));
    const text = at === null ? say("site.cursor_hint") : stepText(at, stepMs);
    setText(slider, text);
    setAttribute(slider, "aria-valuetext", at === null ? text : `${text}. ${values}`);
  }

  function relabel() {
    setAttribute(element, "aria-label", say("site.view"));
    setAttribute(slider, "aria-label", say("site.cursor"));
    setAttribute(slider, "title", say("site.cursor_keys"));
    for (const [name, sign] of [["earlier", "◀"], ["later", "▶"], ["closer", "+"], ["wider", "−"]]) {
      setText(buttons[name], sign);
      for (const attribute of ["aria-label", "title"]) setAttribute(buttons[name], attribute, say(`site.${name}`));
    }
    setText(buttons.share, say("site.share"));
  }

  return { element, tell, relabel, announce: (text) => setText(said, text) };
}

/** A step in words: its day and its time, and its end where it is longer than a window. */
export function stepText(at, stepMs) {
  const time = stepMs < 60_000 ? clockSeconds : clock;
  return `${date(at)}, ${time(at)}–${time(at + stepMs)}`;
}

/** Whole windows, and nothing that is still to come. */
function within(from, length) {
  const end = Math.ceil(Math.min(from + length, now()) / WINDOW_MS) * WINDOW_MS;
  return [end - Math.ceil(length / WINDOW_MS) * WINDOW_MS, end];
}
