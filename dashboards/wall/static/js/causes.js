// What several offices have in common, in words: on the wall's foot, on the map and on the page of incidents.

import { duration, minute } from "./format.js";
import { model, now } from "./model.js";
import { nameOf, say } from "./words.js";

/** The common cause; ends and regions by the operator's own names. */
export function causeText({ kind, name, region }) {
  const named = (places, id) => nameOf(places.find((place) => place.id === id) ?? { hi: id, en: id });
  const shown = kind === "end" ? named(model.scene.ends, name) : kind === "region" ? named(model.scene.regions, name) : name;
  return say(`shared.${kind}`, { name: shown, region: region && named(model.scene.regions, region) });
}

/** How long it lasted: between the minutes beside it, so that the reader's own subtraction says the same. */
export const lengthText = ({ since_ms: since, until_ms: until }) =>
  duration(Math.max(60, (minute(until ?? now()) - minute(since)) * 60));

export const officesOf = (incident) => incident.sites.map((site) => model.offices.get(site)).filter(Boolean);
