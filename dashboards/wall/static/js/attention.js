// "Before the next meeting": its offices that will not hold, worst first; below them, under headings of their own, those
// of other meetings. While the next one is far off or all well, a running one that has trouble comes first. The order changes
// once a minute; in between an office that recovers keeps its row, a new one joins at the end of its group. Offices that one
// shared fault is to blame for are one row, so that they push nobody else out of sight.

import { createFold, createHeading, createRow, dayBefore, FAILED } from "./attention_rows.js";
import { h, setAttribute, setText } from "./dom.js";
import { trouble } from "./freshness.js";
import { degradedYetReady, LINES, linesNow } from "./lines.js";
import { failedIn, firstMeeting, FLAGGED, isRunning, meetingsInOrder, model, nextMeeting, now, troubledMeeting } from "./model.js";
import { tileOf, worseFirst } from "./office.js";
import { hrefMeeting } from "./router.js";
import { nameOf, say } from "./words.js";
import { flash } from "./map.js";

const ORDER_MS = 60_000;
/** So many of the worst are rows of the page; how many more there are is said. */
const MOST_ROWS = 150;

export function createAttention() {
  const title = h("h2", { id: "attention-title" });
  const subtitle = h("p", { class: "subtitle" });
  const elsewhere = h("p", { class: "elsewhere" });
  const measured = h("p", { class: "measured" });
  const list = h("ol", { class: "rows" });
  const more = h("a", { class: "more" });
  const nothing = h("div", { class: "nothing" });
  const frame = h("div", { class: "rows-frame" }, list);
  const element = h("section", { class: "attention", "aria-labelledby": "attention-title" }, h("div", { class: "title-row" }, title, measured), subtitle, elsewhere, nothing, frame, more);
  const items = new Map();
  let order = [];
  let orderedAt = 0;
  let orderedFor = "";

  /** Keep the order within the minute, unless another meeting is next now. */
  function reorder(groups, next) {
    const again = performance.now() - orderedAt >= ORDER_MS || orderedFor !== (next?.key ?? "") || !order.length;
    if (again) [orderedAt, orderedFor] = [performance.now(), next?.key ?? ""];
    const before = again ? [] : order;
    const keys = groups.map(({ key }) => key);
    const named = new Set(groups.filter(({ key }) => key !== LINES).flatMap(({ found }) => found.map(({ site }) => site)));
    const kept = before.filter(({ key }) => !keys.includes(key)).map(({ key }) => ({ key, found: [] }));
    order = [...groups, ...kept].map(({ key, found }) => {
      const rows = folded(found);
      const known = new Map(rows.map((row) => [row.id, row]));
      const hit = new Set(rows.flatMap(({ sites }) => sites ?? []));
      // Of a line that is still forecast to hold nobody keeps a row who does not hold a meeting by now, or has failed one.
      const gone = new Set([...hit, ...(key === LINES ? named : [])]);
      const placed = (before.find((group) => group.key === key)?.ids ?? []).filter((id) => known.has(id) || (model.offices.has(id) && !gone.has(id)));
      return { key, known, ids: [...new Set([...placed, ...known.keys()])] };
    }).filter(({ ids }) => ids.length);
  }

  function render() {
    const next = firstMeeting();
    reorder(groupsOf(next), next);
    const wanted = order.flatMap((group) => [
      ...(group.key === (next?.key ?? "") ? [] : [{ id: `head ${group.key}`, make: () => createHeading(), what: group.key }]),
      ...group.ids.map((id) => {
        const what = group.known.get(id) ?? recovered(id, group.key);
        return { id: `${group.key} ${id}`, make: () => (what.sites ? createFold(fit) : createRow(model.offices.get(id))), what };
      }),
    ]).slice(0, MOST_ROWS);
    const allOld = Boolean(trouble()?.old);
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, item] of items) if (!ids.has(id)) { item.element.remove(); items.delete(id); }
    wanted.forEach(({ id, make, what }, index) => {
      if (!items.has(id)) items.set(id, make());
      const item = items.get(id);
      if (list.children[index] !== item.element) list.insertBefore(item.element, list.children[index] ?? null);
      item.show(what, allOld);
    });
    describe(next);
    fit();
  }

  function describe(meeting) {
    const coming = meeting && meeting.starts_ms > now();
    setText(title, say(coming ? "wall.before_next" : meeting ? "wall.in_running" : "wall.lines_now"));
    setText(subtitle, meeting ? subtitleOf(meeting) : "");
    setText(elsewhere, coming && meetingsInOrder().some(isRunning) ? say("wall.others_of_running") : "");
    elsewhere.hidden = !elsewhere.textContent;
    setText(measured, order.length ? say("wall.col_probability") : "");
    const own = order.some(({ key }) => key === (meeting?.key ?? ""));
    const sentence = own || (!meeting && order.length) ? "" : emptySentence(meeting, order.length === 0);
    nothing.hidden = !sentence;
    nothing.classList.toggle("above", order.length > 0);
    setText(nothing, sentence);
  }

  /** Show as many rows as there is room for, and say how many more there are; the next meeting's are cut last. */
  function fit() {
    const key = firstMeeting()?.key ?? "";
    const all = [...list.children];
    for (const item of all) item.hidden = false;
    const scrolls = getComputedStyle(frame).overflowY !== "hidden";
    const fits = (item) => scrolls || item.offsetTop + item.offsetHeight <= frame.clientHeight + 1;
    const hidden = all.filter((item) => !fits(item));
    for (const item of hidden) item.hidden = true;
    all.forEach((item, index) => {
      if (item.classList.contains("group") && all[index + 1]?.hidden) item.hidden = true;
    });
    const cut = order.map(({ key, ids, known }) => ({
      key, n: ids.reduce((n, id) => n + ((items.get(`${key} ${id}`)?.element.hidden ?? true) ? known.get(id)?.sites?.length ?? 1 : 0), 0),
    }));
    const own = (cut.find((group) => group.key === key)?.n ?? 0) + untold(model.meetings[key]);
    const others = cut.reduce((sum, group) => sum + group.n + untold(model.meetings[group.key]), 0) - own;
    more.hidden = own + others === 0;
    setText(more, own ? say("wall.more_offices", { n: own }) : others ? say(key ? "wall.more_others" : "wall.more_offices", { n: others }) : "");
    setAttribute(more, "href", own && key ? hrefMeeting(model.meetings[key]) : null);
  }

  new ResizeObserver(fit).observe(frame);
  return {
    element, render, tick: render,
    relabel() {
      for (const item of items.values()) item.element.remove();
      items.clear();
      if (model.scene) render();
    },
    mark(site) {
      for (const { key } of order) flash(items.get(`${key} ${site}`)?.element);
    },
  };
}

/**
 * What will not hold, by the meeting that it is about: the first one, then others by their start, then none. An office stands
 * under each meeting that runs or comes next and that it will not hold; elsewhere once, as its tile tells of one meeting only.
 */
function groupsOf(next) {
  const told = [next, nextMeeting(), ...meetingsInOrder().filter(isRunning)].filter(Boolean);
  const { degraded: down } = linesNow();
  const groups = new Map(told.map((meeting) => [meeting.key, [...weakOf(meeting), ...failedYetReady(meeting, down)]]));
  const own = new Set([...groups.values()].flat().map(({ site }) => site));
  for (const [site, tile] of Object.entries(model.tiles)) {
    const key = model.meetings[tile.meeting] ? tile.meeting : "";
    if (!FLAGGED.has(tile.shade) || own.has(site) || told.some((meeting) => meeting.key === key)) continue;
    groups.set(key, [...(groups.get(key) ?? []), { site, ...tile }]);
  }
  const degraded = degradedYetReady().filter(({ site }) => !own.has(site));
  if (degraded.length) groups.set(LINES, degraded);
  const start = (key) => (key === next?.key ? -Infinity : model.meetings[key]?.starts_ms ?? Infinity);
  return [...groups].map(([key, found]) => ({ key, found })).sort((a, b) => start(a.key) - start(b.key) || a.key.localeCompare(b.key));
}

/**
 * Who has failed a running meeting already and is called ready for the rest of it; `why` its line is degraded now, if it is.
 * Of a meeting with more weak offices than are told by name, only who is ready in all that run.
 */
function failedYetReady(meeting, down) {
  const weak = new Set(weakOf(meeting).map(({ site }) => site));
  const isReady = (site) => !weak.has(site) && (!untold(meeting) || tileOf(site).shade === "ready");
  return Object.keys(meeting.failed ?? {}).filter((site) => failedIn(site, meeting) !== undefined && model.offices.has(site) && isReady(site)).map((site) => {
    const tile = tileOf(site);
    return { site, shade: "ready", probability: tile.meeting === meeting.key ? tile.probability : undefined, why: down.get(site)?.why, failed: failedIn(site, meeting) };
  });
}

/**
 * Rows, worst first: an office each, or all that one shared fault is to blame for (`sites`), as bad as the worst of them;
 * `mixed` where not all of them are as bad. All that have failed already and are ready for the rest are one row as well.
 */
function folded(found) {
  const rows = new Map();
  for (const one of found.sort(worseFirst)) {
    const { kind, name, region } = one.why?.cause ?? {};
    const id = one.shade === "ready" && one.failed !== undefined ? FAILED : kind ? `${kind} ${name} ${region}` : one.site;
    rows.set(id, [...(rows.get(id) ?? []), one]);
  }
  return [...rows].map(([id, [worst, ...others]]) => {
    if (!others.length) return { ...worst, id: worst.site };
    const sites = [worst, ...others].map(({ site }) => site);
    if (id === FAILED) return { ...worst, id, sites, shares: [worst, ...others].map(({ failed }) => failed) };
    const failures = [worst, ...others].filter(({ failed }) => failed !== undefined).length;
    const mixed = others.some(({ shade, probability }) => shade !== worst.shade || probability !== worst.probability);
    return { ...worst, id, mixed, sites, failures };
  });
}

/** How many weak offices a meeting has beyond those that the server tells of by name. */
function untold(meeting) {
  if (!meeting?.weak) return 0;
  const all = [...FLAGGED].reduce((sum, shade) => sum + (meeting.count[shade] ?? 0), 0);
  return Math.max(0, all - meeting.weak.length);
}

/** What is known of a meeting's weak offices; for the moment in which it becomes the next, what their tiles say. */
function weakOf(meeting) {
  const weak = meeting.weak ?? Object.entries(model.tiles).filter(([, tile]) => tile.meeting === meeting.key && FLAGGED.has(tile.shade)).map(([site, tile]) => ({ site, ...tile }));
  return weak.map((one) => ({ ...one, failed: failedIn(one.site, meeting) }));
}

function recovered(site, key) {
  const tile = tileOf(site);
  return { site, shade: "ready", probability: tile.meeting === key && tile.shade === "ready" ? tile.probability : undefined };
}

function subtitleOf(meeting) {
  const end = model.ends.get(meeting.end);
  return dayBefore(meeting.starts_ms) + say("wall.meeting_at", { meeting: nameOf(meeting), at: meeting.starts_ms, end: end ? nameOf(end) : meeting.end });
}

/** What is said in place of rows; "nothing to do" only while nothing at all is wrong (`idle`: no row). */
function emptySentence(meeting, idle) {
  if (meeting && trouble()?.old) return say("wall.not_known_now");
  const linked = Object.values(model.tiles).filter((tile) => tile.shade !== "planned").length;
  if (!model.scene.offices.length) return say("wall.no_offices");
  if (!linked) return say("wall.none_linked");
  if (meeting && [...FLAGGED].some((shade) => meeting.count[shade])) return say("wall.ready_of", { ready: meeting.count.ready ?? 0, linked: meeting.linked });
  if (meeting && !meeting.linked) return say("wall.none_invited_linked");
  const calm = !trouble()?.old && model.incidents.every((one) => one.until_ms !== undefined);
  if (meeting) return [say("wall.all_invited_ready", { n: meeting.linked }), idle && calm && !troubledMeeting() ? say("wall.nothing_to_do") : ""].filter(Boolean).join(" ");
  return meetingsInOrder().length ? say(calm ? "wall.all_fine_no_more" : "wall.no_more_meetings") : say("wall.no_meetings", { file: model.scene.calendar });
}
