// The last line: a file that was refused, shared causes, how old the oldest data is, how often the forecasts were right.

import { causeText } from "./causes.js";
import { h, setAttribute, setText, shape } from "./dom.js";
import { clock, percent } from "./format.js";
import { linesNow } from "./lines.js";
import { OLD_MS, ageOf, model, now } from "./model.js";
import { hrefIncident } from "./router.js";
import { nameOf, say } from "./words.js";

const QUIET_ROLE_MS = 90_000;
/** Notes among the heartbeats that nobody repeats. */
const NOTE = /^(failure:.*|import)$/;

export function createFooter() {
  const incidents = h("p", { class: "incidents" });
  const refused = h("p", { class: "refused", hidden: true });
  const age = h("p", { class: "oldest" });
  const record = h("p", { class: "track" });
  const element = h("footer", { class: "bottom" }, refused, incidents, age, record);

  function render() {
    incidents.replaceChildren(...causes());
    refused.hidden = !model.refused;
    setText(refused, model.refused ? say("wall.refused", { what: model.refused }) : "");
    setAttribute(refused, "title", model.refused || null);
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
  if (model.incidents.length) return model.incidents.flatMap((incident) => [shape("not_ready"), h("a", { href: hrefIncident(incident.id) }, incidentText(incident))]);
  const quiet = quietRoles();
  if (quiet.length) return [shape("unknown"), say("wall.quiet_roles", { roles: quiet.join(", ") })];
  return countsNow();
}

/** How many lines are degraded, without contact, without data: counts only, no cause is known of them. */
function countsNow() {
  const { degraded, dark, unknown } = linesNow();
  const said = [["at_risk", "flags_now", degraded.size], ["dark", "dark_now", dark.length], ["unknown", "unknown_now", unknown.length]].filter(([, , n]) => n);
  if (!said.length) return [say("wall.no_incidents")];
  return said.flatMap(([shade, key, n], index) => [index ? " · " : "", shape(shade), say(`wall.${key}`, { n })]);
}

function incidentText(incident) {
  const names = incident.sites.map((site) => model.offices.get(site)).filter(Boolean).map(nameOf);
  const shown = names.slice(0, 4).join(", ") + (names.length > 4 ? " …" : "");
  const told = say("wall.incident", { cause: causeText(incident), n: names.length, offices: shown, since: incident.since_ms });
  return incident.by ? `${told} · ${say("views.taken_by", { by: incident.by })}` : told;
}

/** Parts of the house that have not said for a while that they are at work. */
function quietRoles() {
  return Object.values(model.pulses)
    .filter((pulse) => !NOTE.test(pulse.role) && now() - pulse.at_ms > QUIET_ROLE_MS)
    .map((pulse) => `${pulse.role} (${clock(pulse.at_ms)})`);
}

/** Age of the oldest data of all linked offices, and how many have been silent for longer than data may be old. */
function oldestText() {
  const ages = Object.values(model.tiles).filter((tile) => tile.shade !== "planned").map(ageOf);
  const known = ages.filter((age) => age !== null);
  if (!known.length) return say("wall.no_data_yet");
  const silent = ages.filter((age) => age === null || age > OLD_MS).length;
  const oldest = say("wall.oldest_data", { age: Math.max(...known) / 1000 });
  return silent ? `${oldest} · ${say("wall.silent_offices", { n: silent, limit: OLD_MS / 1000 })}` : oldest;
}

function trackText() {
  const { track } = model;
  if (!track) return say("wall.no_track");
  return say("wall.track", { n: track.days, right: percent(track.right / track.of), of: track.of });
}

