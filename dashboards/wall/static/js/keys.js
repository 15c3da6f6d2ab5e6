// The keys of the page. Letters do nothing while something is typed or chosen, or with a modifier held.

import { placeOf } from "./nav.js";

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
