// The keyboard's way over a canvas of thousands of offices: one real link that stands at an office. Arrow keys put a fresh one at the
// nearest office in that direction (a fresh one, so that a screen reader says it), Enter opens it.

import { h, setAttribute, setVariables } from "./dom.js";
import { model } from "./model.js";
import { spoken, tileOf, worseFirst } from "./office.js";
import { hrefSite } from "./router.js";
import { DIRECTIONS, cheapest } from "./roam.js";

/** `onHover(site or null)` is told where the link has the focus. */
export function createMapPin({ onHover }) {
  const element = h("div", { class: "pins", onkeydown: step });
  let places = [];
  let at = null;
  let link = null;

  /** Positions of all offices in CSS px; the pin begins at the worst and stays with its office. */
  function layout(found) {
    places = found;
    at = places.find((place) => place.site === at?.site) ?? worst();
    if (!at) { element.replaceChildren(); return; }
    if (link && element.contains(link)) place();
    else put();
  }

  const worst = () => places.map((one) => ({ ...one, ...tileOf(one.site) })).filter((one) => one.shade !== "planned" && one.shade !== "ready").sort(worseFirst)[0] ?? places[0];

  function put() {
    link = h("a", { class: "pin", onfocus: () => onHover(at.site), onblur: () => onHover(null) });
    place();
    element.replaceChildren(link);
  }

  function place() {
    setAttribute(link, "href", hrefSite(at.site));
    setVariables(link, { "--x": `${at.x}px`, "--y": `${at.y}px` });
    refresh();
  }

  /** Say what the office is now. */
  function refresh() {
    const office = at && model.offices.get(at.site);
    if (office && link) setAttribute(link, "aria-label", spoken(office, tileOf(at.site)));
  }

  function step(event) {
    const direction = DIRECTIONS[event.key];
    if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = cheapest(places, places.indexOf(at), ({ x, y }) => [x, y], direction);
    if (!next) return;
    event.preventDefault();
    at = next;
    put();
    link.focus();
  }

  return { element, layout, refresh };
}
