// The keys, in a dialog.

import { h } from "./dom.js";
import { say } from "./words.js";

const KEYS = [
  ["1 2 3", "views"], ["m", "map"], ["g", "grid"], ["h", "language"], ["d", "theme"], ["Tab", "tab"], ["← ↑ → ↓", "arrows"],
  ["Enter", "enter"], ["+ −", "charts"], ["Esc", "escape"], ["?", "help"],
];
const ELSEWHERE = { views: "views.key_views", charts: "site.key_charts" };

export function createHelp() {
  const element = h("dialog", { class: "help", "aria-labelledby": "help-title" });
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });

  function open() {
    element.replaceChildren(
      h("h2", { id: "help-title" }, say("wall.help")),
      h("dl", {}, KEYS.map(([key, name]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, say(ELSEWHERE[name] ?? `wall.key_${name}`))))),
      h("button", { type: "button", onclick: () => element.close() }, say("wall.close")));
    element.showModal();
  }
  return { element, open, isOpen: () => element.open };
}
