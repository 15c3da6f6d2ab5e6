// "Before the next meeting": the offices that will not hold, worst first. The order changes once a minute; in between
// an office that recovers keeps its row and shows that it did, a new one joins at the end.

import { h, reshape, setAttribute, setText, shape } from "./dom.js";
import { clock, percent } from "./format.js";
import { isOld, meetingsInOrder, model, nextMeeting } from "./model.js";
import { oldText, severity, tileOf } from "./office.js";
import { hrefMeeting, hrefSite } from "./router.js";
import { createSpark, drawSpark } from "./spark.js";
import { nameOf, say, sayAction, sayReason, sayShade } from "./words.js";
import { flash } from "./map.js";

const ORDER_MS = 60_000;
const FLAGGED = new Set(["not_ready", "at_risk", "dark", "unknown"]);

export function createAttention() {
  const title = h("h2", { id: "attention-title" });
  const subtitle = h("p", { class: "subtitle" });
  const list = h("ol", { class: "rows" });
  const more = h("a", { class: "more" });
  const nothing = h("div", { class: "nothing" });
  const frame = h("div", { class: "rows-frame" }, list);
  const element = h("section", { class: "attention", "aria-labelledby": "attention-title" }, title, subtitle, nothing, frame, more);
  const rows = new Map();
  let order = [];
  let orderedAt = 0;

  function reorder() {
    const flagged = Object.entries(model.tiles).filter(([, tile]) => FLAGGED.has(tile.shade)).map(([site]) => site);
    if (performance.now() - orderedAt >= ORDER_MS || !order.length) {
      orderedAt = performance.now();
      order = flagged.sort((a, b) => severity(tileOf(a)) - severity(tileOf(b)) || a.localeCompare(b));
    } else {
      order = [...order, ...flagged.filter((site) => !order.includes(site))];
    }
  }

  function render() {
    reorder();
    for (const [site, row] of rows) if (!order.includes(site)) { row.element.remove(); rows.delete(site); }
    order.forEach((site, index) => {
      if (!rows.has(site)) rows.set(site, createRow(model.offices.get(site)));
      const row = rows.get(site);
      if (list.children[index] !== row.element) list.insertBefore(row.element, list.children[index] ?? null);
      row.show(tileOf(site));
    });
    describe();
    fit();
  }

  function describe() {
    const meeting = nextMeeting();
    setText(title, say(meeting ? "wall.before_next" : "wall.lines_now"));
    setText(subtitle, meeting ? subtitleOf(meeting) : "");
    const sentence = order.length ? "" : emptySentence(meeting);
    nothing.hidden = !sentence;
    setText(nothing, sentence);
    setAttribute(more, "href", meeting ? hrefMeeting(meeting) : null);
  }

  /** Show as many rows as there is room for, and say how many more there are. */
  function fit() {
    const room = frame.clientHeight;
    const scrolls = getComputedStyle(frame).overflowY !== "hidden";
    let hidden = 0;
    for (const item of list.children) item.hidden = false;
    if (!scrolls) {
      for (const item of [...list.children]) {
        const out = item.offsetTop + item.offsetHeight > room + 1;
        item.hidden = out;
        hidden += out ? 1 : 0;
      }
    }
    more.hidden = hidden === 0;
    setText(more, hidden ? say("wall.more_offices", { n: hidden }) : "");
  }

  new ResizeObserver(fit).observe(frame);
  return {
    element, render, tick: render,
    relabel() {
      for (const row of rows.values()) row.element.remove();
      rows.clear();
      if (model.scene) render();
    },
    mark: (site) => flash(rows.get(site)?.element),
  };
}

function subtitleOf(meeting) {
  const end = model.ends.get(meeting.end);
  return say("wall.meeting_at", { meeting: nameOf(meeting), at: meeting.starts_ms, end: end ? nameOf(end) : meeting.end });
}

function emptySentence(meeting) {
  const linked = Object.values(model.tiles).filter((tile) => tile.shade !== "planned").length;
  if (!model.scene.offices.length) return say("wall.no_offices");
  if (!linked) return say("wall.none_linked");
  if (meeting) return say("wall.all_ready", { n: linked });
  return meetingsInOrder().length ? say("wall.all_fine_no_more") : say("wall.no_meetings", { file: model.scene.calendar });
}

function createRow(office) {
  const glyph = shape("unknown");
  const name = h("span", { class: "name" }, nameOf(office));
  const state = h("span", { class: "sr" });
  const chance = h("span", { class: "chance" });
  const reason = h("span", { class: "reason" });
  const action = h("span", { class: "action" });
  const spark = createSpark();
  const link = h("a", { href: hrefSite(office.id), class: "row" }, glyph, name, state, chance, reason, action, spark);
  return {
    element: h("li", {}, link),
    show(tile) {
      reshape(glyph, tile.shade);
      setAttribute(link, "data-shade", tile.shade);
      link.classList.toggle("old", isOld(tile) && tile.shade !== "dark");
      setText(state, sayShade(tile.shade));
      setText(chance, tile.probability === undefined ? "–" : percent(tile.probability));
      setText(reason, reasonText(tile));
      setText(action, sayAction(tile.action));
      drawSpark(spark, tile);
    },
  };
}

/** Where the verdict is about another meeting than the one named above, the row says which. */
function meetingText(tile) {
  const meeting = model.meetings[tile.meeting];
  return meeting && tile.meeting !== nextMeeting()?.key ? `${clock(meeting.starts_ms)} ${nameOf(meeting)}` : "";
}

function reasonText(tile) {
  const text = tile.shade === "ready" ? say("wall.ready_again") : [sayReason(tile.why), meetingText(tile)].filter(Boolean).join(" · ");
  if (isOld(tile) && tile.shade !== "dark") return [text, oldText(tile)].filter(Boolean).join(" · ");
  return text;
}
