// The few buttons: map or grid, language, light or dark, help. Each has a key.

import { h, s, setAttribute, setText } from "./dom.js";
import { fleetView, theme } from "./preferences.js";
import { say } from "./words.js";

const ICONS = {
  map: "M3 6.5 9 4l6 2.5L21 4v13.5L15 20l-6-2.5L3 20zM9 4v13.5M15 6.5V20",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  dark: "M20 14.5A8 8 0 1 1 9.5 4a6.5 6.5 0 0 0 10.5 10.5z",
};

function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, s("path", { d: ICONS[name] }));
}

export function createControls({ switchView, switchLanguage, switchTheme, openHelp }) {
  const view = h("button", { type: "button", onclick: switchView });
  const language = h("button", { type: "button", class: "language", onclick: switchLanguage });
  const light = h("button", { type: "button", onclick: switchTheme });
  const help = h("button", { type: "button", onclick: openHelp }, "?");
  const element = h("nav", { class: "controls" }, view, language, light, help);

  function render() {
    const other = fleetView() === "map" ? "grid" : "map";
    view.replaceChildren(icon(other));
    name(view, say(`wall.show_${other}`));
    setText(language, say("wall.other_language"));
    name(language, say("wall.switch_language"));
    const opposite = theme() === "dark" ? "light" : "dark";
    light.replaceChildren(icon(opposite));
    name(light, say(`wall.show_${opposite}`));
    name(help, say("wall.help"));
    setAttribute(element, "aria-label", say("wall.controls"));
  }
  return { element, render };
}

function name(button, text) {
  setAttribute(button, "aria-label", text);
  setAttribute(button, "title", text);
}
