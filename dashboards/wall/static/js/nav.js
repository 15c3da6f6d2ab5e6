// The three views, always in the same place: the offices, the meetings, the shared faults with how many last.

import { h, s, setAttribute, setText } from "./dom.js";
import { model } from "./model.js";
import { say } from "./words.js";

const ICONS = {
  wall: "M3 21h18M5 21V6l8-3v18M13 9h6v12M8 9h2M8 13h2M8 17h2M16 13h.5M16 17h.5",
  meetings: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
  incidents: "M12 5v5M12 10 6 15M12 10l6 5M12 2.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM5 14.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM19 14.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
};
const PLACES = { wall: "#/", meetings: "#/meetings", incidents: "#/incidents" };
const WITHIN = { wall: "wall", site: "wall", meeting: "meetings", meetings: "meetings", incidents: "incidents" };

export function createNav() {
  const badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
  const links = Object.fromEntries(Object.keys(ICONS).map((name) => [name, h("a", { href: PLACES[name] },
    s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, s("path", { d: ICONS[name] })),
    name === "incidents" ? badge : null)]));
  const element = h("nav", { class: "views" }, Object.values(links));

  function render() {
    const open = model.incidents.length;
    const untaken = model.incidents.filter((incident) => !incident.by).length;
    for (const [name, link] of Object.entries(links)) {
      const text = name === "incidents" && open ? say("views.incidents_open", { n: open }) : say(`views.${name}`);
      setAttribute(link, "aria-label", text);
      setAttribute(link, "title", text);
    }
    badge.hidden = !open;
    badge.classList.toggle("taken", !untaken);
    setText(badge, String(open));
    setAttribute(element, "aria-label", say("views.views"));
  }

  /** Mark the view that is open. */
  function at(page) {
    for (const [name, link] of Object.entries(links)) setAttribute(link, "aria-current", WITHIN[page] === name ? "page" : null);
  }
  return { element, render, at };
}

export const placeOf = (name) => PLACES[name];
