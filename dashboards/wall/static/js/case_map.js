// Where the offices of a shared fault are: the ground with every office as a dot, theirs marked, their cells as one soft area.

import { borders, pathOf } from "./ground.js";
import { causeText } from "./causes.js";
import { h, s } from "./dom.js";
import { model } from "./model.js";
import { say } from "./words.js";

const [DOT, MARK] = [3.2, 20];

/** A figure; null where there is nothing to be drawn. */
export function caseMap(incident) {
  const { scene } = model;
  const theirs = new Set(incident.sites);
  const points = scene.offices.filter((office) => theirs.has(office.id));
  if (!points.length || !scene.outline.length) return null;
  const text = say("views.case_map", { cause: causeText(incident), n: points.length });
  const others = scene.offices.filter((office) => office.linked && !theirs.has(office.id));
  return h("figure", { class: "case-map" },
    s("svg", { viewBox: `0 0 ${scene.width} ${scene.height}`, role: "img", "aria-label": text },
      s("clipPath", { id: "case-outline" }, s("path", { d: scene.outline.map(pathOf).join("") })),
      s("path", { class: "outline", d: scene.outline.map(pathOf).join("") }),
      s("g", { "clip-path": "url(#case-outline)" },
        scene.offices.map((office, i) => (theirs.has(office.id) ? s("path", { class: "hull-wash", d: pathOf(scene.cells[i]) }) : null)),
        s("path", { class: "hull", d: borders(scene, (office) => theirs.has(office.id)) })),
      s("clipPath", { id: "case-cells" }, scene.offices.map((office, i) => (theirs.has(office.id) ? s("path", { d: pathOf(scene.cells[i]) }) : null))),
      s("path", { class: "hull", d: scene.outline.map(pathOf).join(""), "clip-path": "url(#case-cells)" }),
      others.map(({ x, y }) => s("circle", { cx: x, cy: y, r: DOT })),
      points.map(({ x, y }) => s("use", { href: "#shape-not_ready", x: x - MARK / 2, y: y - MARK / 2, width: MARK, height: MARK }))),
    h("figcaption", {}, text));
}
