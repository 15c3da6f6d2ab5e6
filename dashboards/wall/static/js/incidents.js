// Shared faults: on the left those that last and those that are over, on the right one of them with its evidence, its
// offices, who has taken it up, and what happened. On a phone one after the other.

import { lengthText, causeText, officesOf } from "./causes.js";
import { createCase } from "./case.js";
import { h, setAttribute, setText, shape } from "./dom.js";
import { clock, date } from "./format.js";
import { model } from "./model.js";
import { hrefIncident } from "./router.js";
import { say } from "./words.js";

const TICK_MS = 30_000;

export function createIncidentsPage() {
  const title = h("h2");
  const open = h("section", { class: "case-group" });
  const past = h("section", { class: "case-group past-cases" });
  const list = h("div", { class: "case-list" }, title, open, past);
  const one = createCase();
  const element = h("article", { class: "page incidents-page" }, list, one.element);
  let told = null;
  let asked = "";
  let known = "";
  let drawnAt = 0;

  async function load() {
    known = stamp();
    const answer = await fetch("/api/incidents").catch(() => null);
    if (!answer?.ok) return;
    told = await answer.json();
    draw();
    if (element.isConnected) showOne(); // else the reader went on
  }

  /** Without an id in the address the first that lasts, beside the list; on a phone the list alone. */
  function showOne() {
    const first = told?.open[0] ?? told?.past[0];
    element.classList.toggle("one", Boolean(asked));
    one.show(asked || first?.id || "");
    mark();
  }

  function mark() {
    for (const link of list.querySelectorAll("a")) setAttribute(link, "aria-current", link.dataset.case === one.shown() ? "true" : null);
  }

  function draw() {
    if (!model.scene) return;
    setText(title, say("views.incidents"));
    drawnAt = performance.now();
    if (!told) return;
    const held = document.activeElement?.dataset?.case;
    open.replaceChildren(h("h3", {}, say("views.open_cases")),
      told.open.length ? h("ol", {}, told.open.map(openCard)) : h("p", { class: "nothing" }, shape("ready"), " ", say("views.no_open")));
    past.replaceChildren(h("h3", {}, say("views.past_cases", { n: told.days })),
      told.past.length ? h("ol", {}, told.past.map(pastLine)) : h("p", { class: "nothing" }, say("views.no_past_cases")));
    if (held) list.querySelector(`[data-case="${CSS.escape(held)}"]`)?.focus();
    mark();
  }

  const stamp = () => JSON.stringify(model.incidents.map(({ id, by, told: n, sites, suffer }) => [id, by, n, sites.length, suffer]));
  return {
    element,
    open({ id }) {
      asked = id;
      if (told) showOne();
      draw();
      load();
    },
    render(change) {
      if (change.health && stamp() !== known) { load(); one.reload(); }
      if (change.sites.size) one.repaint(change.sites);
    },
    tick() {
      one.tick();
      if (performance.now() - drawnAt > TICK_MS) draw();
    },
    relabel() { draw(); one.relabel(); },
    close() { one.show(""); },
  };
}

function openCard(incident) {
  return h("li", {}, h("a", { href: hrefIncident(incident.id), class: "case-card", "data-case": incident.id },
    shape("not_ready"), h("b", { class: "case-cause" }, causeText(incident)),
    h("span", { class: "case-facts" }, `${say("views.since_for", { since: incident.since_ms, long: lengthText(incident) })} · ${say("views.n_offices", { n: officesOf(incident).length })}`),
    h("span", { class: `case-ack${incident.by ? " taken" : ""}` }, incident.by ? say("views.taken_by", { by: incident.by }) : say("views.nobody_yet"))));
}

function pastLine(incident) {
  return h("li", {}, h("a", { href: hrefIncident(incident.id), class: "case-line", "data-case": incident.id },
    h("span", { class: "case-when" }, `${date(incident.since_ms)}, ${clock(incident.since_ms)}`),
    h("span", { class: "case-cause" }, causeText(incident)),
    h("span", { class: "case-facts" }, `${lengthText(incident)} · ${say("views.n_offices", { n: officesOf(incident).length })}`)));
}
