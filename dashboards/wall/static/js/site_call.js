// The live call that the probe sees passing, and the last rehearsal: beside the charts.

import { h } from "./dom.js";
import { decimal, moment, ms, percent, rate } from "./format.js";
import { model, now } from "./model.js";
import { rehearsalWhy } from "./rehearsal_why.js";
import { nameOf, say } from "./words.js";

const DOUBT_MS = 90_000;

/** Headings and what is under them; `pathName` says a path in words. */
export function callAndRehearsal(site, pathName) {
  return [h("h3", {}, say("site.call")), ...callPart(site.call), h("h3", {}, say("site.last_rehearsal")), ...rehearsalPart(site.rehearsal, pathName)];
}

function callPart(call) {
  if (!call || now() - call.at_ms > DOUBT_MS) return [h("p", { class: "nothing small" }, say("site.call_none"))];
  const estimated = call.flows.some((flow) => flow.estimated);
  return [
    h("table", { class: "call-table" },
      h("thead", {}, h("tr", {}, ["flow", "loss", "jitter", "rate"].map((name) => h("th", { scope: "col" }, say(`site.column_${name}`))))),
      h("tbody", {}, call.flows.map(flowRow))),
    estimated ? h("p", { class: "source" }, say("site.call_estimated")) : null,
  ].filter(Boolean);
}

function flowRow(flow) {
  const more = [flow.frames_per_s === undefined ? "" : say("site.frames", { n: decimal(flow.frames_per_s) }), flow.freezes ? say("site.freezes", { n: flow.freezes }) : ""].filter(Boolean);
  return h("tr", {},
    h("th", { scope: "row" }, `${flow.direction === "up" ? "↑" : "↓"} ${flow.media}`, more.length ? h("small", {}, more.join(" · ")) : null),
    h("td", {}, flow.loss === undefined ? "–" : percent(flow.loss)), h("td", {}, flow.jitter_ms === undefined ? "–" : ms(flow.jitter_ms)),
    h("td", {}, flow.bitrate_bps === undefined ? "–" : rate(flow.bitrate_bps)));
}

function rehearsalPart(last, pathName) {
  if (!last) return [h("p", { class: "nothing small" }, say("site.rehearsal_none"))];
  return [
    h("p", {}, `${moment(last.at_ms)} · ${pathName(last.path)}`),
    last.aborted ? h("p", { class: "why" }, say("site.rehearsal_aborted", { why: rehearsalWhy(last.aborted) })) : null,
    h("ul", { class: "rungs" }, [["↑", last.up ?? []], ["↓", last.down ?? []]].flatMap(([way, steps]) => steps.map((step) => rung(way, step)))),
  ].filter(Boolean);
}

function rung(way, step) {
  const profile = model.profiles.get(step.name);
  const said = [step.bitrate_bps === undefined ? "" : rate(step.bitrate_bps), step.loss === undefined ? "" : say("site.rung_loss", { loss: percent(step.loss) })].filter(Boolean);
  return h("li", { class: step.held ? "held" : "broke" }, `${way} ${profile ? nameOf(profile) : step.name} `, h("b", {}, `${step.held ? "✓" : "✕"} ${say(step.held ? "site.held" : "site.broke")}`), said.length ? h("small", {}, ` ${said.join(" · ")}`) : null);
}
