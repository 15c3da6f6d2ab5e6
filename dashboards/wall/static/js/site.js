// One office: its verdicts, lines and probe, and charts over time. The address carries the view: line, span, the point whose
// raw reports are open.

import { h, setText, shape } from "./dom.js";
import { decimal, measure, moment, mos, ms, percent } from "./format.js";
import { createCharts } from "./charts.js";
import { OLD_MS, model, now } from "./model.js";
import { failedSaid, oldText, sayChance, tileOf } from "./office.js";
import { RANGES, spanOf } from "./ranges.js";
import { hrefMeeting, hrefSite } from "./router.js";
import { callAndRehearsal } from "./site_call.js";
import { createEvents } from "./site_events.js";
import { createReports } from "./site_reports.js";
import { linkTo, share } from "./site_share.js";
import { sayAdvice, sayState, sayWhy } from "./reasons.js";
import { codecName, nameOf, say, sayShade } from "./words.js";

const WINDOW_MS = 15_000;
const REFRESH_MS = 15_000;
const LONG_REFRESH_MS = 120_000;
const OFTEN = ["15m", "1h", "6h"];

export function createSitePage() {
  const element = h("article", { class: "page site-page" });
  const head = h("div", { class: "site-head" });
  const choices = h("div", { class: "choices" });
  const charts = createCharts({ zoom, pick: (at, step) => pick(at, step, true), share: shareView });
  const events = createEvents();
  const reports = createReports({ closed: () => note(null) });
  const facts = h("aside", { class: "site-facts" });
  element.append(head, choices, charts.element, h("div", { class: "site-below" }, reports.element, events.element), facts);
  let address = null;
  let site = null;
  let drawn = null;
  let refreshedAt = 0;

  const path = () => address.query.get("path") || tileOf(address.id).path || site?.paths?.[0] || "";
  const noted = () => (address.query.has("at") ? Number(address.query.get("at")) : null);

  /** Whole windows: a view of one is one. */
  function zoom(fromMs, untilMs) {
    const from = Math.floor(fromMs / WINDOW_MS) * WINDOW_MS;
    const to = Math.max(from + WINDOW_MS, Math.ceil(untilMs / WINDOW_MS) * WINDOW_MS);
    charts.look({ from, to });
    location.hash = hrefSite(address.id, { from, to, path: path(), ...(noted() === null ? {} : { at: noted() }) });
  }

  /** The open point goes into the address, without a step in the browser's history. */
  function note(at) {
    if (at === null) address.query.delete("at");
    else address.query.set("at", at);
    history.replaceState(null, "", hrefSite(address.id, Object.fromEntries(address.query)));
    charts.select(at);
    charts.focusCursor(at === null);
  }

  function pick(at, stepMs, byHand) {
    if (byHand) note(at);
    reports.show(address.id, at, stepMs, byHand);
  }

  function shareView() {
    if (!drawn) return;
    share(linkTo(address.id, drawn.view, path(), noted()), charts.row, charts.announce);
  }

  async function load() {
    const asked = address;
    refreshedAt = now();
    const get = async (url) => {
      const answer = await fetch(url).catch(() => null);
      return answer?.ok ? answer.json() : null;
    };
    const of = `/api/site/${encodeURIComponent(asked.id)}`;
    site = await get(of) ?? site;
    if (asked !== address) return;
    describe();
    const view = spanOf(asked.query, now());
    const query = new URLSearchParams({ from: Math.floor(view.from), to: Math.ceil(view.to), path: path() });
    const margin = view.to - view.from <= RANGES["6h"] ? WINDOW_MS : 0; // a line reaches the edges of a close view
    const wider = new URLSearchParams({ from: Math.floor(view.from) - margin, to: Math.ceil(view.to) + margin, path: path() });
    const series = await get(`${of}/series?${wider}`);
    if (asked !== address) return;
    drawn = { view };
    await charts.show(series, view, noted());
    if (asked !== address) return; // the reader went on while the charts were made
    const place = { id: asked.id, path: path() };
    events.show(series, null, view, place);
    if (noted() !== null && series) pick(noted(), series.step_ms, false);
    const past = await get(`${of}/past?${query}`);
    if (asked !== address || !past) return;
    charts.setPast(past);
    events.show(series, past, view, place);
  }

  function describe() {
    const office = model.offices.get(address.id);
    const tile = tileOf(address.id);
    head.replaceChildren(...headOf(office, tile, site));
    if (!office.linked) {
      choices.replaceChildren();
      facts.replaceChildren();
      hideBelow();
      charts.tell(say("wall.planned_next"));
      return;
    }
    choices.replaceChildren(rangeChoice(address, path()), pathChoice(address, site, path()));
    facts.replaceChildren(...factsOf(office, tile, site, path()));
  }

  function hideBelow() {
    reports.hide();
    events.hide();
  }

  return {
    element,
    open(next) {
      if (!model.offices.has(next.id)) {
        address = null;
        head.replaceChildren(back(), h("h2", {}, say("wall.office_missing")), h("p", { class: "nothing" }, say("wall.office_missing_next", { id: next.id })));
        choices.replaceChildren();
        facts.replaceChildren();
        hideBelow();
        charts.tell("");
        return;
      }
      if (address?.id !== next.id) {
        site = null;
        drawn = null;
        hideBelow();
      }
      address = next;
      if (noted() === null) reports.hide();
      charts.look(spanOf(next.query, now()));
      describe();
      if (model.offices.get(next.id).linked) load();
    },
    render(change) {
      if (address && change.sites.has(address.id)) head.replaceChildren(...headOf(model.offices.get(address.id), tileOf(address.id), site));
    },
    tick() {
      if (!address || address.query.has("from") || !model.offices.get(address.id)?.linked) return;
      const every = OFTEN.includes(address.query.get("range") ?? "6h") ? REFRESH_MS : LONG_REFRESH_MS;
      if (now() - refreshedAt >= every) load();
    },
    relabel() {
      if (address && element.isConnected) { describe(); charts.redraw(); }
    },
    redraw: () => charts.redraw(),
    close() { address = null; },
  };
}

const back = () => h("a", { class: "back", href: "#/" }, `← ${say("wall.back")}`);

/** Name, state, why, what to do, wrong clocks, and whom to call. */
function headOf(office, tile, site) {
  const region = model.scene.regions.find((one) => one.id === office.region);
  const said = [sayState(tile.shade, [tile.down, tile.why]), sayChance(tile), failedSaid(office.id, tile)].filter(Boolean).join(" · ");
  const why = tile.shade === "ready" ? "" : sayWhy(tile);
  return [
    back(),
    h("h2", {}, shape(tile.shade), ` ${nameOf(office)}`),
    h("p", { class: "facts" }, [said, region && nameOf(region), office.provider].filter(Boolean).join(" · ")),
    why ? h("p", { class: "why" }, [why, sayAdvice(tile.action, [tile.why])].filter(Boolean).join(" → ")) : null,
    ...(site?.clocks ?? []).map((one) => h("p", { class: "why" }, say(`clocks.${one.how}`, { office: nameOf(office), ...one }))),
    why && site?.phone ? h("p", { class: "whom" }, `${say("wall.fact_contact")}: ${site.contact} `, h("a", { href: `tel:${site.phone.replaceAll(/[^+\d]/g, "")}` }, site.phone)) : null,
  ].filter(Boolean);
}

function rangeChoice(address, path) {
  const chosen = address.query.has("from") ? "" : address.query.get("range") ?? "6h";
  return h("nav", { class: "choice", "aria-label": say("wall.range") }, Object.keys(RANGES).map((range) =>
    h("a", { href: hrefSite(address.id, { range, path }), "aria-current": range === chosen ? "true" : null }, say(`wall.range_${range}`))));
}

function pathChoice(address, site, path) {
  const paths = site?.paths ?? [path].filter(Boolean);
  const { at, ...query } = Object.fromEntries(address.query);
  return h("nav", { class: "choice", "aria-label": say("wall.path") }, paths.map((one) =>
    h("a", { href: hrefSite(address.id, { ...query, path: one }), "aria-current": one === path ? "true" : null }, pathName(one))));
}

function pathName(path) {
  const [uplink, end] = path.split(".");
  const place = model.ends.get(end);
  return (place ? nameOf(place) : end) + (uplink === "main" ? "" : ` (${uplink})`);
}

function factsOf(office, tile, site, path) {
  if (!site) return [h("p", { class: "nothing" }, say("wall.loading"))];
  const line = site.lines.find((one) => one.path === path);
  return [
    h("h3", {}, say("wall.meetings_ahead")),
    site.upcoming.length ? h("ul", { class: "upcoming" }, site.upcoming.slice(0, 4).map(upcomingItem)) : h("p", { class: "nothing" }, say("wall.none_ahead")),
    ...callAndRehearsal(site, pathName),
    h("h3", {}, say("wall.line_and_probe")),
    h("dl", { class: "facts-list" }, lineFacts(office, tile, site, line).map(([name, value]) => h("div", {}, h("dt", {}, say(`wall.${name}`)), h("dd", {}, value)))),
  ];
}

function upcomingItem(one) {
  const link = h("a", { href: hrefMeeting(one) }, shape(one.shade), h("b", {}, one.probability === undefined ? sayShade(one.shade) : percent(one.probability)), " ");
  const text = h("span");
  setText(text, `${nameOf(one)}, ${moment(one.starts_ms)}`);
  link.append(text);
  return h("li", {}, link);
}

function lineFacts(office, tile, site, line) {
  const presence = tile.online === undefined ? say("wall.presence_none")
    : say(tile.online ? "wall.presence_since" : "wall.absence_since", { since: tile.presence_ms, span: (now() - tile.presence_ms) / 1000 });
  const contact = [site.contact, site.phone].filter(Boolean).join(", ");
  const facts = [
    ["fact_provider", office.provider || "–"],
    ["fact_contact", contact || "–"],
    ["fact_presence", presence],
    ["fact_age", tile.newest_ms === undefined ? oldText(tile) : say("wall.updated_ago", { age: (now() - tile.newest_ms) / 1000 })],
  ];
  if (!line) return facts;
  const current = (text) => (now() - line.newest_ms > OLD_MS ? "–" : text); // of a silent line nothing is known now
  return [...facts,
    ["fact_rate", say("wall.per_second", { rate: decimal(line.rate_pps ?? 0) })],
    ["fact_loss", current(line.loss === undefined ? "–" : say("wall.loss_of", { loss: line.loss }))],
    ["fact_rtt", current(line.rtt_ms === undefined ? "–" : ms(line.rtt_ms))],
    ["fact_quality", current(qualityText(line, site.assumed))],
    ["fact_stamps", (line.stamps ?? []).map((one) => say(`wall.stamp_${one}`)).join(" · ") || "–"],
    ["fact_direction", say(line.stateful ? "wall.direction_known" : "wall.direction_unknown")],
    ["fact_clock", clockText(line)],
    ["fact_probe", probeText(line)],
    ...(line.emulated ? [["fact_source", say("wall.emulated")]] : [])];
}

/** What others hear of the office and what it hears; "≤" where the line is worse than the model reaches. */
function qualityText(line, assumed) {
  const one = (arrow, value, atMost) => (value === undefined ? "" : `${arrow} ${atMost ? "≤ " : ""}${mos(value)}`);
  const both = [one("↑", line.mos_up, line.mos_up_at_most), one("↓", line.mos_down, line.mos_down_at_most)].filter(Boolean);
  return both.length ? say("wall.quality_now", { mos: both.join("  "), codec: codecName(assumed) }) : "–";
}

function clockText(line) {
  const state = say(`wall.clock_${line.clock || "unknown"}`);
  return line.clock_error_ms === undefined ? state : `${state}, ± ${measure(line.clock_error_ms, "ms")}`;
}

/** The probe's own trouble, so that a bad probe is not taken for a bad line. */
function probeText(line) {
  const trouble = [["late_sends", "wall.late_sends"], ["rx_drops", "wall.rx_drops"], ["straddled", "wall.clock_steps"]]
    .filter(([field]) => line[field]).map(([field, key]) => say(key, { n: line[field] }));
  return trouble.length ? trouble.join(", ") : say("wall.probe_fine");
}

