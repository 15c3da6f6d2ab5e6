// The grid: a column for each region, a tile for each linked office in the operator's order, the planned ones below.
// Tiles keep their places. A fleet too large for columns has its regions one below the other; what is not on the
// screen is laid out and painted by the browser only when it comes near (content-visibility in css/fleet.css).

import { h, reshape, setAttribute, setText, shape } from "./dom.js";
import { flash } from "./map.js";
import { isOld, model } from "./model.js";
import { freshAge, shortNumber, spoken, tileOf } from "./office.js";
import { roam } from "./roam.js";
import { hrefSite } from "./router.js";
import { createSpark, drawSpark } from "./spark.js";
import { sayWhy } from "./reasons.js";
import { nameOf, say, sayShade } from "./words.js";

/** Names of more letters are set smaller, and smaller still. */
const [LONG_NAME, LONGEST_NAME] = [15, 18];
/** So many regions stand side by side, and so many offices below each other at the most. */
const [MOST_COLUMNS, MOST_ROWS] = [8, 30];

export function createGrid() {
  const element = h("div", { class: "grid", role: "group" });
  let tiles = new Map();
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const { site } = target.dataset;
      if (isIntersecting) { seen.add(site); tiles.get(site)?.show(tileOf(site)); } else seen.delete(site);
    }
  }, { rootMargin: "200px" });

  function build() {
    tiles = new Map();
    seen.clear();
    watcher.disconnect();
    element.classList.toggle("many", isMany());
    element.replaceChildren(...model.scene.regions.map((region) => column(region, tiles)));
    roam(element, [...tiles.values()].map((tile) => tile.link));
    for (const { link } of tiles.values()) watcher.observe(link);
  }

  function update(sites) {
    for (const site of sites) tiles.get(site)?.show(tileOf(site));
  }

  /** Built when it is first to be seen, and anew for another scene or language. */
  function ensure() {
    if (!model.scene || !element.checkVisibility({ visibilityProperty: true })) return;
    const wanted = `${model.sceneId} ${document.documentElement.lang}`;
    if (element.dataset.scene === wanted) return;
    element.dataset.scene = wanted;
    build();
    update(new Set(tiles.keys()));
  }
  new ResizeObserver(ensure).observe(element);
  return {
    element,
    render({ sites }) {
      setAttribute(element, "aria-label", say("wall.grid"));
      ensure();
      update(sites);
    },
    ensure,
    /** Ages grow on the tiles that are to be seen. */
    tick: () => update(seen),
    relabel: ensure,
    mark: (site) => flash(tiles.get(site)?.link),
  };
}

function isMany() {
  const { regions, offices } = model.scene;
  const tallest = Math.max(0, ...regions.map(({ id }) => offices.filter((office) => office.linked && office.region === id).length));
  return regions.length > MOST_COLUMNS || tallest > MOST_ROWS;
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

/** Letters as the eye counts them: a Devanagari syllable is one, whatever it is written with. */
function lengthOf(name) {
  const letters = [...new Intl.Segmenter().segment(name)].length;
  return letters > LONGEST_NAME ? " longest" : letters > LONG_NAME || name.length > LONG_NAME ? " long" : "";
}

function createTile(office) {
  const glyph = shape("unknown");
  const name = nameOf(office);
  const state = h("span", { class: "state" });
  const age = h("span", { class: "age" });
  const spark = createSpark();
  const more = h("span", { class: "sr" });
  const link = h("a", { href: hrefSite(office.id), "data-site": office.id, class: `tile${lengthOf(name)}` },
    glyph, h("span", { class: "name" }, name), state, age, spark, more);
  return {
    link,
    show(tile) {
      reshape(glyph, tile.shade);
      setText(more, tile.shade === "ready" ? "" : sayWhy(tile));
      setAttribute(link, "data-shade", tile.shade);
      link.classList.toggle("old", isOld(tile));
      setText(state, [sayShade(tile.shade), shortNumber(tile)].filter(Boolean).join(" · "));
      setText(age, freshAge(tile));
      drawSpark(spark, tile);
    },
  };
}

function createChip(office) {
  const link = h("a", { href: hrefSite(office.id), "data-site": office.id, class: "chip" }, shape("planned"), nameOf(office));
  return { link, show: (tile) => setAttribute(link, "aria-label", spoken(office, tile)) };
}
