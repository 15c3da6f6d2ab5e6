// What several offices have in common, in words: on the wall's foot, on the map and on the page of incidents.

import { duration, minute } from "./format.js";
import { model, now } from "./model.js";
import { nameOf, say } from "./words.js";

const named = (places, id) => nameOf(places.find((place) => place.id === id) ?? { hi: id, en: id });

/** What a common cause is called; ends and regions by the operator's own names. */
export const factorName = ({ kind, name }) =>
  kind === "end" ? named(model.scene.ends, name) : kind === "region" ? named(model.scene.regions, name) : name;

/** The common cause. */
export const causeText = (cause) =>
  say(`shared.${cause.kind}`, { name: factorName(cause), region: cause.region && named(model.scene.regions, cause.region) });

/** How long it lasted: between the minutes beside it, so that the reader's own subtraction says the same. */
export const lengthText = ({ since_ms: since, until_ms: until }) =>
  duration(Math.max(60, (minute(until ?? now()) - minute(since)) * 60));

export const officesOf = (incident) => incident.sites.map((site) => model.offices.get(site)).filter(Boolean);
