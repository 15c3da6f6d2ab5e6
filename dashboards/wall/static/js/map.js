// The map: the ground of the offices, a mark and a name for each. Marks and names keep their places; states change
// shape, colour and weight only.

import { h, reshape, s, setAttribute, setText, shape } from "./dom.js";
import { farCandidates, leaderEnd, nearCandidates, placeLabels, spread } from "./labels.js";
import { isOld, model } from "./model.js";
import { causeText, officesOf } from "./causes.js";
import { duration, percent } from "./format.js";
import { borders, pathOf } from "./ground.js";
import { createDenseMap, MOST_NAMED } from "./map_dense.js";
import { failedSaid, isDown, oldText, sayChance, shortAge, shortLabel, shortNumber, spoken, tileOf } from "./office.js";
import { hrefIncident, hrefSite } from "./router.js";
import { sayWhy } from "./reasons.js";
import { nameOf, say, sayShade } from "./words.js";
import { roam } from "./roam.js";

const TEXT_PX = 17;
const MARK_PX = { linked: 22, planned: 11 };
/** The longest that a label says beside the name: that the line is down, a probability, or the age of old data (s). */
const [LONGEST_NUMBER, LONGEST_AGE_S] = [0.88, 59 * 60];
/** The smallest that a name is written for the age of old data to have room beside it, of its usual size. */
const LEAST_SIZE = 0.6;

/** What a label has room for, in the order of choosing: name and number, the name, a number alone; near its mark, then farther off. */
const STAGES = [["whole", nearCandidates], ["name", nearCandidates], ["whole", farCandidates], ["name", farCandidates], ["number", nearCandidates], ["number", farCandidates]];

export function createMap() {
  const svg = s("svg", { class: "map", role: "group" });
  const card = h("div", { class: "card", "aria-hidden": "true" });
  const shared = h("ul", { class: "shared-causes" });
  const dense = createDenseMap({ onHover: (site) => (site ? show(site) : hide()), onChoose: (site) => { location.hash = hrefSite(site); } });
  const element = h("div", { class: "map-frame" }, svg, dense.element, shared, card);
  let marks = new Map();
  let drawn = "";

  /** Lay out anew when size, language or scene changed. */
  function layout() {
    const { width, height } = element.getBoundingClientRect();
    if (!width || !model.scene) return;
    const key = [Math.round(width), Math.round(height), document.documentElement.lang, model.sceneId].join(" ");
    if (key === drawn) return;
    drawn = key;
    const view = viewOf(model.scene, width, height);
    element.classList.toggle("dense", isDense());
    svg.setAttribute("role", isDense() ? "img" : "group");
    if (isDense()) {
      marks = new Map();
      svg.replaceChildren(ground(model.scene, false));
      svg.setAttribute("viewBox", `${view.left} ${view.top} ${view.w} ${view.h}`);
      dense.layout(view, width, height);
      hulls();
      return;
    }
    marks = draw(svg, view);
    for (const [site, mark] of marks) {
      mark.link.addEventListener("mouseenter", () => show(site));
      mark.link.addEventListener("focus", () => show(site));
      mark.link.addEventListener("mouseleave", hide);
      mark.link.addEventListener("blur", hide);
    }
    roam(svg, [...marks.values()].map((mark) => mark.link));
    hulls();
    update(new Set(marks.keys()));
  }

  function update(sites) {
    if (isDense()) { if (sites.size) dense.soon(); return; }
    const allOld = everythingOld();
    for (const site of sites) marks.get(site)?.show(tileOf(site), allOld);
  }

  const hide = () => card.classList.remove("shown");

  /** A soft line around the offices of what is shared, and each cause with its name. */
  function hulls() {
    const theirs = new Set(model.incidents.filter(isLocal).flatMap((incident) => incident.sites));
    const isTheirs = (office) => theirs.has(office.id);
    setAttribute(svg.querySelector(".hull-inner"), "d", theirs.size ? borders(model.scene, isTheirs) : "");
    setAttribute(svg.querySelector("#shared-cells path"), "d", model.scene.offices.map((office, i) => (isTheirs(office) ? pathOf(model.scene.cells[i]) : "")).join("") || "M0 0");
    shared.replaceChildren(...model.incidents.map((incident) => h("li", {}, h("a", { href: hrefIncident(incident.id) },
      h("b", {}, causeText(incident)), ` · ${say("views.n_offices", { n: officesOf(incident).length })}`))));
  }

  function show(site) {
    const office = model.offices.get(site);
    const tile = tileOf(site);
    card.replaceChildren(...cardLines(office, tile));
    card.classList.add("shown");
  }

  new ResizeObserver(layout).observe(element);
  return {
    element,
    render({ whole, sites, health }) {
      setAttribute(svg, "aria-label", say(isDense() ? "views.map_dense" : "wall.map"));
      if (whole) layout();
      if (health && drawn) hulls();
      update(sites);
    },
    tick: () => { if (!isDense()) update(new Set(marks.keys())); },
    relabel: layout,
    redraw: () => { if (isDense() && drawn) dense.soon(); },
    mark: (site) => (isDense() ? dense.flash(site) : flash(marks.get(site)?.link)),
  };
}

const isDense = () => model.scene?.offices.length > MOST_NAMED;

/** The part of the plane that a frame of a size shows, and how long a CSS px is on it. */
function viewOf(scene, width, height) {
  const scale = Math.max(scene.width / width, scene.height / height);
  const [w, h_] = [width * scale, height * scale];
  return { scale, w, h: h_, left: (scene.width - w) / 2, top: (scene.height - h_) / 2 };
}

/** What headquarters has, or may have, wrong with itself is nowhere on the map. */
const isLocal = ({ kind }) => !["hub", "end", "headquarters", "at_once"].includes(kind);

/** Mark a change for ten seconds. */
export function flash(element) {
  if (!element) return;
  element.classList.add("changed");
  setTimeout(() => element.classList.remove("changed"), 10_000);
}

function cardLines(office, tile) {
  return [
    h("strong", {}, shape(tile.shade), ` ${nameOf(office)}`),
    h("span", {}, [sayShade(tile.shade), shortNumber(tile) && (sayChance(tile) || shortNumber(tile)), failedSaid(office.id, tile)].filter(Boolean).join(" · ")),
    tile.why && tile.shade !== "ready" ? h("span", {}, sayWhy(tile)) : null,
    isOld(tile) ? h("span", {}, oldText(tile)) : null,
  ].filter(Boolean);
}

function draw(svg, { scale, left, top, w, h: tall }) {
  const { scene } = model;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const px = scale * rem;
  svg.setAttribute("viewBox", `${left} ${top} ${w} ${tall}`);
  svg.replaceChildren(ground(scene, true));
  const placed = place(scene, px, { x: left + 4, y: top + 4, w: w - 8, h: tall - 8 });
  const layer = s("g", { class: "marks", "font-size": TEXT_PX * px });
  const marks = new Map();
  for (const one of placed) {
    const mark = createMark(one, px);
    marks.set(one.office.id, mark);
    layer.append(mark.link);
  }
  svg.append(layer);
  return marks;
}

function ground(scene, withCells) {
  const regions = new Map(scene.regions.map((region, index) => [region.id, index]));
  const outline = scene.outline.map(pathOf).join("");
  const cells = !withCells ? s("path", { class: "tone-0", d: outline }) : scene.offices.map((office, i) => s("path", {
    class: `cell tone-${regions.get(office.region) % 3}`, d: pathOf(scene.cells[i]),
  }));
  const washes = !withCells ? null : scene.offices.map((office, i) => s("path", { class: "cell-wash", d: pathOf(scene.cells[i]), "data-cell": office.id }));
  return s("g", { "aria-hidden": "true" },
    s("clipPath", { id: "outline" }, s("path", { d: outline })),
    s("g", { "clip-path": "url(#outline)" }, cells, s("path", { class: "region-line", d: borders(scene, (office) => office.region) }), washes, s("path", { class: "hull hull-inner" })),
    s("path", { class: "outline", d: outline }),
    s("clipPath", { id: "shared-cells" }, s("path")),
    s("path", { class: "hull hull-rim", d: outline, "clip-path": "url(#shared-cells)" }));
}

/** Positions of marks and labels for all offices; the linked ones choose first. */
function place(scene, px, bounds) {
  const measure = document.createElement("canvas").getContext("2d");
  const family = getComputedStyle(document.body).fontFamily;
  const offices = scene.offices;
  const radius = (office) => ((office.linked ? MARK_PX.linked : MARK_PX.planned) / 2) * px;
  const points = spread(offices, MARK_PX.linked * px * 0.98);
  const marks = points.map((point, i) => ({ ...point, r: radius(offices[i]) }));
  measure.font = `600 ${TEXT_PX}px ${family}`;
  const wide = (text) => measure.measureText(text).width * px;
  const beside = Math.max(...[say("wall.down_short"), percent(LONGEST_NUMBER), duration(LONGEST_AGE_S)].map((text) => wide(` ${text}`)));
  const height = TEXT_PX * 1.22 * px;
  const sizes = {
    whole: (office) => ({ w: wide(nameOf(office)) + beside, h: height }),
    name: (office) => ({ w: wide(nameOf(office)), h: height }),
    number: () => ({ w: beside, h: height }),
  };
  let boxes = offices.map(() => null);
  for (const [holds, candidates] of STAGES) {
    const wanted = offices.map((office) => (office.linked ? sizes[holds](office) : null));
    boxes = placeLabels(marks, wanted, bounds, boxes, candidates).map((box) => box && { holds, ...box });
  }
  return offices.map((office, i) => ({ office, mark: marks[i], box: boxes[i] && { ...boxes[i], small: smallFor(boxes[i], beside) } }));
}

/** How much smaller a name must be written for an age to stand beside it in the same room; 0 where nobody could read it. */
function smallFor({ holds, w }, beside) {
  const size = w / (w + beside);
  return holds === "name" && size >= LEAST_SIZE ? size : 0;
}

const everythingOld = () => Object.values(model.tiles).every((tile) => tile.shade === "planned" || isOld(tile));

/** A label's name and number (or that the line is down); where only one has room, the name; the age when everything is old. */
function wordsOf(office, tile, { holds, small }, allOld) {
  const age = shortAge(tile);
  const number = age || shortLabel(tile);
  if (age && !allOld && (holds === "number" || (holds === "name" && !small))) return [holds === "name" ? nameOf(office) : "", ""];
  if (holds === "number" || (holds === "name" && age && !small)) return ["", number];
  return [nameOf(office), number && (holds === "whole" || age || (small && isDown(tile))) ? ` ${number}` : ""];
}

function createMark({ office, mark, box }, px) {
  const size = 2 * mark.r;
  const glyph = shape("unknown");
  for (const [name, value] of Object.entries({ x: mark.x - mark.r, y: mark.y - mark.r, width: size, height: size })) {
    glyph.setAttribute(name, value);
  }
  const ring = s("circle", { class: "ring", cx: mark.x, cy: mark.y, r: mark.r * 1.9 });
  const onLeft = box && box.x + box.w / 2 < mark.x - mark.r;
  const above = box && Math.abs(box.x + box.w / 2 - mark.x) < box.w / 2;
  const anchor = above ? "middle" : onLeft ? "end" : "start";
  const x = box && (anchor === "middle" ? box.x + box.w / 2 : onLeft ? box.x + box.w : box.x);
  const name = s("tspan");
  const number = s("tspan", { class: "number" });
  const label = box && s("text", { x, y: box.y + box.h * 0.77, "text-anchor": anchor, "stroke-width": 4 * px }, name, number);
  const end = box?.far && leaderEnd(box, mark);
  const leader = end && s("path", { class: "leader", d: `M${mark.x} ${mark.y}L${end.x} ${end.y}` });
  const hit = s("circle", { class: "hit", cx: mark.x, cy: mark.y, r: Math.max(mark.r, 12 * px) });
  const link = s("a", { href: hrefSite(office.id), class: "mark" }, leader || null, ring, hit, glyph, label);
  const cell = () => document.querySelector(`[data-cell="${CSS.escape(office.id)}"]`);
  return {
    link,
    show(tile, allOld) {
      reshape(glyph, tile.shade);
      setAttribute(link, "aria-label", spoken(office, tile));
      link.setAttribute("class", ["mark", `is-${tile.shade}`, isOld(tile) && "old", link.classList.contains("changed") && "changed"].filter(Boolean).join(" "));
      setAttribute(cell(), "data-shade", tile.shade);
      if (!label) return;
      const [called, said] = wordsOf(office, tile, box, allOld);
      if (leader) leader.style.visibility = called || said ? "" : "hidden";
      setText(name, called);
      setText(number, said);
      setAttribute(label, "font-size", said && box.small ? TEXT_PX * px * box.small : null);
    },
  };
}
