// The grid: a column for each region, a tile for each linked office in the operator's order, the planned ones below.
// Tiles keep their places.

import { h, reshape, setAttribute, setText, shape } from "./dom.js";
import { flash } from "./map.js";
import { isOld, model } from "./model.js";
import { ageText, shortNumber, spoken, tileOf } from "./office.js";
import { roam } from "./roam.js";
import { hrefSite } from "./router.js";
import { createSpark, drawSpark } from "./spark.js";
import { nameOf, say, sayReason, sayShade } from "./words.js";

const LONG_NAME = 15;

export function createGrid() {
  const element = h("div", { class: "grid", role: "group" });
  let tiles = new Map();

  function build() {
    tiles = new Map();
    element.replaceChildren(...model.scene.regions.map((region) => column(region, tiles)));
    roam(element, [...tiles.values()].map((tile) => tile.link));
  }

  function update(sites) {
    for (const site of sites) tiles.get(site)?.show(tileOf(site));
  }
  return {
    element,
    render({ whole, sites }) {
      setAttribute(element, "aria-label", say("wall.grid"));
      if (whole && element.dataset.scene !== String(model.sceneId)) {
        element.dataset.scene = model.sceneId;
        build();
      }
      update(sites);
    },
    tick: () => update(new Set(tiles.keys())),
    relabel() {
      build();
      update(new Set(tiles.keys()));
    },
    mark: (site) => flash(tiles.get(site)?.link),
  };
}

function column(region, tiles) {
  const offices = model.scene.offices.filter((office) => office.region === region.id);
  const linked = offices.filter((office) => office.linked);
  const planned = offices.filter((office) => !office.linked);
  const made = (office) => {
    const tile = office.linked ? createTile(office) : createChip(office);
    tiles.set(office.id, tile);
    return h("li", {}, tile.link);
  };
  return h("section", { class: "region" },
    h("h3", {}, nameOf(region), h("small", {}, `${linked.length}/${offices.length}`)),
    h("ul", { class: "tiles" }, linked.map(made)),
    planned.length ? h("ul", { class: "chips", "aria-label": say("state.planned") }, planned.map(made)) : null);
}

function createTile(office) {
  const glyph = shape("unknown");
  const name = nameOf(office);
  const state = h("span", { class: "state" });
  const spark = createSpark();
  const more = h("span", { class: "sr" });
  const link = h("a", { href: hrefSite(office.id), class: `tile${name.length > LONG_NAME ? " long" : ""}` },
    glyph, h("span", { class: "name" }, name), state, spark, more);
  return {
    link,
    show(tile) {
      reshape(glyph, tile.shade);
      setText(more, tile.shade === "ready" ? sayShade("ready") : sayReason(tile.why));
      setAttribute(link, "data-shade", tile.shade);
      link.classList.toggle("old", isOld(tile));
      setText(state, stateText(tile));
      drawSpark(spark, tile);
    },
  };
}

/** The word with its number, and the age of old data; nothing for an office that is ready, whose sparkline stands there instead. */
function stateText(tile) {
  if (tile.shade === "ready" && !isOld(tile)) return "";
  return [sayShade(tile.shade), shortNumber(tile), isOld(tile) ? ageText(tile) : ""].filter(Boolean).join(" · ");
}

function createChip(office) {
  const link = h("a", { href: hrefSite(office.id), class: "chip" }, shape("planned"), nameOf(office));
  return { link, show: (tile) => setAttribute(link, "aria-label", spoken(office, tile)) };
}
