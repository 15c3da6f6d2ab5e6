// Whether the picture as a whole can be trusted: this page's stream, the databases, the parts of the house behind the
// picture, and offices that fell silent all at once. One office's old data is that office's, and its tile says so.

import { ageOf, model, now } from "./model.js";
import { silence } from "./stream.js";
import { knows, say } from "./words.js";

const QUIET_MS = 90_000;
/** So many offices, and this share of those that have contact: beyond it the fault is rather ours than theirs. */
const [LEAST_OFFICES, MOST_SILENT] = [3, 0.75];

/** What is to be said across the page: `{old, text}`, `old` when states and numbers are no longer of now; null when all is well. */
export function trouble() {
  if (!knows("wall.stopped") || !model.scene) return null; // no words yet
  const quiet = silence();
  if (quiet) return { old: true, text: say("wall.stopped", { age: Math.round(quiet / 10_000) * 10 }) };
  if (model.trouble) return { old: true, text: say("wall.trouble", { what: model.trouble }) };
  const store = model.pulses.store?.at_ms;
  if (store) return { old: true, text: say("wall.store_away", { at: store, age: Math.round((now() - store) / 10_000) * 10 }) };
  const [watch, alerts, collector] = ["watch", "alerts", "collector"].map(quietSince);
  if (watch && alerts && collector) return { old: true, text: say("wall.stale_all", { at: Math.max(watch, alerts, collector) }) };
  const texts = [
    watch && say("wall.stale_watch", { at: watch }),
    takingIn(collector),
  ].filter(Boolean);
  const untold = alerts ? say("wall.stale_alerts", { at: alerts }) : model.held ? say("wall.held_back", { n: model.held.n, at: model.held.since_ms }) : "";
  return texts.length || untold ? { old: texts.length > 0, text: [...texts, untold].filter(Boolean).join(" ") } : null;
}

/** That no reports come in: because nobody takes them in, or because nearly all offices fell silent at once. */
function takingIn(collector) {
  if (collector) return say("wall.stale_collector", { at: collector });
  const heard = Object.values(model.tiles).filter((tile) => !["planned", "dark"].includes(tile.shade) && ageOf(tile) !== null);
  const silent = heard.filter((tile) => ageOf(tile) > QUIET_MS).length;
  if (heard.length < LEAST_OFFICES || silent < heard.length * MOST_SILENT) return "";
  return say("wall.stale_offices", { n: silent, of: heard.length, at: Math.max(...heard.map((tile) => tile.newest_ms)) });
}

/** When a part of the house was last heard (ms), when that is too long ago, else 0; of several collectors the last one counts. */
function quietSince(role) {
  const beats = Object.values(model.pulses).filter((pulse) => pulse.role.startsWith(role)).map((pulse) => pulse.at_ms);
  const last = Math.max(...beats);
  return beats.length && now() - last > QUIET_MS ? last : 0;
}
