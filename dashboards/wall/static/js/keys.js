// The keys of the page, and the dialog that lists them.

import { h } from "./dom.js";
import { placeOf } from "./nav.js";
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

/** Letters do nothing while something is typed or chosen, or with a modifier held. */
export function listenToKeys({ switchView, switchLanguage, switchTheme, help }) {
  const actions = {
    m: () => switchView("map"),
    g: () => switchView("grid"),
    1: () => { location.hash = placeOf("wall"); },
    2: () => { location.hash = placeOf("meetings"); },
    3: () => { location.hash = placeOf("incidents"); },
    h: switchLanguage,
    d: switchTheme,
    "?": () => help.open(),
    Escape: () => { if (location.hash && location.hash !== "#/") location.hash = "#/"; },
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
