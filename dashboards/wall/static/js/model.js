// What the page knows: the scene that stands still, the picture that changes, and the server's clock.

const listeners = new Set();
let clockOffset = 0;

export const model = {
  scene: null, sceneId: 0, offices: new Map(), ends: new Map(), profiles: new Map(),
  tiles: {}, meetings: {}, flags: {}, pulses: {}, incidents: [], track: null, held: null, trouble: "", refused: "",
};

/** Server time now, ms. */
export const now = () => Date.now() + clockOffset;

export function syncClock(serverMs) {
  clockOffset = serverMs - Date.now();
}

/** Be told of changes: called with `{sites: Set, whole: bool, meetings: bool, flags: bool, health: bool, shades: [[site, from, to]]}`. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(what) {
  for (const listener of [...listeners]) listener(what);
}

export function takeScene(scene, sceneId) {
  model.scene = scene;
  model.sceneId = sceneId;
  model.offices = new Map(scene.offices.map((office) => [office.id, office]));
  model.ends = new Map(scene.ends.map((place) => [place.id, place]));
  model.profiles = new Map(scene.profiles.map((place) => [place.id, place]));
}

export function takePicture(picture) {
  const shades = moved(model.tiles, picture.tiles);
  Object.assign(model, {
    tiles: picture.tiles, meetings: picture.meetings, flags: picture.flags, pulses: picture.pulses ?? {},
    incidents: picture.incidents ?? [], track: picture.track ?? null, held: picture.held ?? null, trouble: picture.trouble ?? "", refused: picture.refused ?? "",
  });
  tell({ whole: true, sites: new Set(Object.keys(model.tiles)), meetings: true, flags: true, health: true, shades });
}

function moved(before, after) {
  return Object.entries(after)
    .filter(([site, tile]) => before[site] && before[site].shade !== tile.shade)
    .map(([site, tile]) => [site, before[site].shade, tile.shade]);
}

function mergeRecords(records, changes) {
  for (const [key, record] of Object.entries(changes ?? {})) {
    if (record === null) delete records[key];
    else records[key] = record;
  }
}

function mergeTile(site, fields) {
  const tile = { ...model.tiles[site] };
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) delete tile[name];
    else tile[name] = value;
  }
  model.tiles[site] = tile;
}

export function takeChange(change) {
  const shades = [];
  const sites = new Set();
  for (const [site, fields] of Object.entries(change.tiles ?? {})) {
    const before = model.tiles[site]?.shade;
    if (fields === null) delete model.tiles[site];
    else mergeTile(site, fields);
    const after = model.tiles[site]?.shade;
    if (before && after && before !== after) shades.push([site, before, after]);
    sites.add(site);
  }
  mergeRecords(model.meetings, change.meetings);
  mergeRecords(model.flags, change.flags);
  mergeRecords(model.pulses, change.pulses);
  for (const name of ["incidents", "track", "held", "trouble", "refused"]) if (name in change) model[name] = change[name];
  tell({
    whole: false, sites, shades, meetings: Boolean(change.meetings), flags: Boolean(change.flags),
    health: Boolean(change.incidents || change.pulses || "track" in change || "held" in change || "trouble" in change || "refused" in change),
  });
}

/** Meetings in the order of their start, with their keys. */
export function meetingsInOrder() {
  return Object.entries(model.meetings)
    .map(([key, meeting]) => ({ key, ...meeting }))
    .sort((a, b) => a.starts_ms - b.starts_ms || a.key.localeCompare(b.key));
}

export const isOver = (meeting) => meeting.ends_ms <= now();

/** How many meetings are over: when it changes, lists of meetings do. */
export const overCount = () => Object.values(model.meetings).filter(isOver).length;

/** The meeting that comes next; when none does, the one that runs. */
export function nextMeeting() {
  const all = meetingsInOrder();
  return all.find((m) => m.starts_ms > now()) ?? all.find((m) => !isOver(m)) ?? null;
}

/** A next meeting that starts so soon is near. */
const SOON_MS = 30 * 60_000;

/** The states of offices that do not hold, or of which nobody knows. */
export const FLAGGED = new Set(["not_ready", "at_risk", "dark", "unknown"]);

export const isRunning = (m) => m.starts_ms <= now() && !isOver(m);
/** How much of a meeting that runs an office has lost that has failed it already, whatever comes; undefined of any other. */
export const failedIn = (site, m) => (m && isRunning(m) ? m.failed?.[site] : undefined);
const isWeak = (m) => [...FLAGGED].some((shade) => m.count[shade]);

/** The first running meeting with an office that does not hold it; none when all hold. */
export const troubledMeeting = () => meetingsInOrder().find((m) => isRunning(m) && (m.count.not_ready || m.count.dark));

/**
 * The meeting that stands first: the next one when it is near and not all well. Else a running one that fails; and while
 * the next is far off, any that runs, lest the next one's offices be taken for its own.
 */
export function firstMeeting() {
  const next = nextMeeting();
  const near = next && next.starts_ms - now() <= SOON_MS;
  if (near && (next.count.ready ?? 0) < next.linked) return next;
  const running = meetingsInOrder().find(isRunning);
  return troubledMeeting() ?? (!near && running && (isWeak(running) || isWeak(next)) ? running : next);
}

export const OLD_MS = 45_000;

/** Age (ms) of a tile's newest data; null when there never was any. */
export const ageOf = (tile) => (tile.newest_ms === undefined ? null : Math.max(0, now() - tile.newest_ms));

export const isOld = (tile) => tile.shade !== "planned" && (tile.newest_ms === undefined || ageOf(tile) > OLD_MS);
