// The last line: shared causes, how old the oldest data is, how often the forecasts were right.

import { h, setText, shape } from "./dom.js";
import { clock, percent } from "./format.js";
import { ageOf, model, now } from "./model.js";
import { nameOf, say } from "./words.js";

const QUIET_ROLE_MS = 90_000;

export function createFooter() {
  const incidents = h("p", { class: "incidents" });
  const age = h("p", { class: "oldest" });
  const record = h("p", { class: "track" });
  const element = h("footer", { class: "bottom" }, incidents, age, record);

  function render() {
    incidents.replaceChildren(...causes());
    setText(record, trackText());
    tick();
  }

  function tick() {
    setText(age, oldestText());
  }
  return { element, render, tick, relabel: () => model.scene && render() };
}

function causes() {
  if (model.trouble) return [shape("unknown"), say("wall.trouble", { what: model.trouble })];
  if (model.incidents.length) return model.incidents.flatMap((incident) => [shape("not_ready"), incidentText(incident)]);
  const flagged = new Set(Object.values(model.flags).map((flag) => flag.site)).size;
  const quiet = quietRoles();
  if (quiet.length) return [shape("unknown"), say("wall.quiet_roles", { roles: quiet.join(", ") })];
  if (!flagged) return [say("wall.no_incidents")];
  return [shape("at_risk"), say("wall.flags_now", { n: flagged })];
}

function incidentText(incident) {
  const names = incident.sites.map((site) => model.offices.get(site)).filter(Boolean).map(nameOf);
  const shown = names.slice(0, 4).join(", ") + (names.length > 4 ? " …" : "");
  return say("wall.incident", {
    cause: incident.cause || say("brief.shared_fault"), n: names.length, offices: shown, since: incident.since_ms,
  });
}

/** Parts of the house that have not said for a while that they are at work. */
function quietRoles() {
  return Object.values(model.pulses)
    .filter((pulse) => now() - pulse.at_ms > QUIET_ROLE_MS)
    .map((pulse) => `${pulse.role} (${clock(pulse.at_ms)})`);
}

/** Age of the oldest data among offices that are in contact. */
function oldestText() {
  const ages = Object.values(model.tiles)
    .filter((tile) => tile.shade !== "planned" && tile.shade !== "dark" && tile.online !== false)
    .map(ageOf);
  const known = ages.filter((age) => age !== null);
  if (!known.length) return say("wall.no_data_yet");
  return say("wall.oldest_data", { age: Math.max(...known) / 1000 });
}

function trackText() {
  const { track } = model;
  if (!track) return say("wall.no_track");
  return say("wall.track", { n: track.days, right: percent(track.right / track.of), of: track.of });
}

