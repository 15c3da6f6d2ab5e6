// The wall itself: fleet, attention, time line.

import { h, setText } from "./dom.js";
import { createAttention } from "./attention.js";
import { createGrid } from "./grid.js";
import { createMap } from "./map.js";
import { model } from "./model.js";
import { fleetView } from "./preferences.js";
import { createTimeline } from "./timeline.js";
import { say } from "./words.js";

export function createWall() {
  const map = createMap();
  const grid = createGrid();
  const attention = createAttention();
  const timeline = createTimeline();
  const title = h("h2", { class: "sr", id: "fleet-title" });
  const fleet = h("section", { class: "fleet", "aria-labelledby": "fleet-title" }, title, map.element, grid.element);
  const element = h("div", { class: "wall" }, attention.element, fleet, timeline.element);
  const everything = { whole: true, sites: new Set(), meetings: true, flags: true, health: true, shades: [] };

  function render(change) {
    if (!element.isConnected) return;
    setText(title, say("wall.fleet"));
    if (change.whole || change.sites.size || change.health) {
      map.render(change);
      grid.render(change);
    }
    if (change.whole || change.sites.size || change.meetings || change.flags) attention.render();
    if (change.whole || change.meetings) timeline.render();
    for (const [site] of change.shades) for (const view of [map, grid, attention]) view.mark(site);
  }

  function showView() {
    element.dataset.view = fleetView();
    map.relabel();
    grid.ensure();
  }
  return {
    element,
    open() {
      showView();
      render({ ...everything, sites: new Set(Object.keys(model.tiles)) });
    },
    render,
    redraw: () => map.redraw(),
    showView,
    tick() {
      if (!element.isConnected) return;
      for (const view of [map, grid, attention, timeline]) view.tick();
    },
    relabel() {
      for (const view of [grid, attention, timeline, map]) view.relabel();
    },
  };
}
