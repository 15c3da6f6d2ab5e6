// The map of a fleet too large for names and for one element an office: every office is a small shape on a canvas.
// What is under the pointer is told by the map's card; by keyboard a pin goes from office to office.

import { h } from "./dom.js";
import { createMapPin } from "./map_pin.js";
import { model, isOld } from "./model.js";
import { tileOf } from "./office.js";

/** More offices than this have no room for names. */
export const MOST_NAMED = 600;
const LAST = ["planned", "ready", "unknown", "at_risk", "not_ready", "dark"];
const [FLASH_MS, REACH_PX] = [10_000, 14];

/** `onHover(site or null)` and `onChoose(site)` are told what is under the pointer. */
export function createDenseMap({ onHover, onChoose }) {
  const canvas = document.createElement("canvas");
  canvas.className = "dots";
  canvas.setAttribute("aria-hidden", "true");
  const pin = createMapPin({ onHover });
  const element = h("div", { class: "dots-frame" }, canvas, pin.element);
  const flashes = new Map();
  let places = [];
  let size = 3;
  let waiting = false;

  /** Positions in CSS px of all offices, from the plane's viewBox. */
  function layout({ left, top, scale }, width, height) {
    const dots = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dots);
    canvas.height = Math.round(height * dots);
    places = model.scene.offices.map((office) => ({ site: office.id, x: (office.x - left) / scale, y: (office.y - top) / scale }));
    size = Math.max(1.6, Math.min(6, 0.28 * Math.sqrt((width * height) / Math.max(1, places.length))));
    pin.layout(places);
    draw();
  }

  function draw() {
    waiting = false;
    const pen = canvas.getContext("2d");
    const dots = window.devicePixelRatio || 1;
    const style = getComputedStyle(document.documentElement);
    const colours = Object.fromEntries(LAST.map((shade) => [shade, style.getPropertyValue(`--${shade}`).trim()]));
    const edge = style.getPropertyValue("--at_risk-edge").trim();
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const groups = Object.fromEntries(LAST.map((shade) => [shade, []]));
    for (const place of places) groups[tileOf(place.site).shade].push(place);
    for (const shade of LAST) for (const place of groups[shade]) drawShape(pen, place, shade, colours[shade], size, shade === "at_risk" ? edge : colours[shade]);
    pin.refresh();
    const now = performance.now();
    pen.strokeStyle = style.getPropertyValue("--text").trim();
    pen.lineWidth = 1.5;
    for (const { site, x, y } of places) {
      if (!(flashes.get(site) > now)) { flashes.delete(site); continue; }
      pen.beginPath();
      pen.arc(x, y, size * 3, 0, 7);
      pen.stroke();
    }
  }

  /** Draw once in the next frame, however many offices have changed. */
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(draw);
  }

  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [null, REACH_PX];
    for (const place of places) {
      const away = Math.hypot(place.x - x, place.y - y);
      if (away < least) [best, least] = [place.site, away];
    }
    return best;
  }

  canvas.addEventListener("pointermove", (event) => {
    const site = nearest(event);
    canvas.classList.toggle("over", Boolean(site));
    onHover(site);
  });
  canvas.addEventListener("pointerleave", () => onHover(null));
  canvas.addEventListener("click", (event) => { const site = nearest(event); if (site) onChoose(site); });
  return {
    element, layout, soon,
    flash(site) {
      flashes.set(site, performance.now() + FLASH_MS);
      soon();
      setTimeout(soon, FLASH_MS + 50);
    },
  };
}

function drawShape(pen, { site, x, y }, shade, colour, size, edge) {
  const r = shade === "ready" || shade === "planned" ? size : size * 1.7;
  pen.globalAlpha = shade !== "dark" && shade !== "planned" && isOld(tileOf(site)) ? 0.45 : 1;
  pen.fillStyle = colour;
  pen.strokeStyle = edge;
  pen.beginPath();
  switch (shade) {
    case "ready": pen.arc(x, y, r, 0, 7); pen.fill(); break;
    case "at_risk": pen.moveTo(x, y - r * 1.15); pen.lineTo(x + r * 1.1, y + r * 0.85); pen.lineTo(x - r * 1.1, y + r * 0.85); pen.closePath(); pen.fill(); pen.lineWidth = 1; pen.stroke(); break;
    case "not_ready": pen.rect(x - r, y - r, 2 * r, 2 * r); pen.fill(); break;
    case "dark": pen.lineWidth = r * 0.6; pen.moveTo(x - r, y - r); pen.lineTo(x + r, y + r); pen.moveTo(x + r, y - r); pen.lineTo(x - r, y + r); pen.stroke(); break;
    case "unknown": pen.lineWidth = r * 0.35; pen.setLineDash([r * 0.5, r * 0.5]); pen.arc(x, y, r * 0.8, 0, 7); pen.stroke(); pen.setLineDash([]); break;
    default: pen.lineWidth = 1; pen.arc(x, y, r * 0.7, 0, 7); pen.stroke();
  }
  pen.globalAlpha = 1;
}
