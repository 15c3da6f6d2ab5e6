// One office: its verdicts, its lines and probe, and charts of the line over time. The address carries the view.

import { h, setText, shape } from "./dom.js";
import { decimal, measure, moment, mos, ms, percent } from "./format.js";
import { createCharts } from "./charts.js";
import { model, now } from "./model.js";
import { oldText, tileOf } from "./office.js";
import { RANGES, spanOf } from "./ranges.js";
import { hrefMeeting, hrefSite } from "./router.js";
import { codecName, nameOf, say, sayAction, sayReason, sayShade } from "./words.js";

const REFRESH_MS = 15_000;
const LONG_REFRESH_MS = 120_000;

export function createSitePage() {
  const element = h("article", { class: "page site-page" });
  const head = h("div", { class: "site-head" });
  const choices = h("div", { class: "choices" });
  const charts = createCharts(zoom);
  const facts = h("aside", { class: "site-facts" });
  element.append(head, choices, charts.element, facts);
  let address = null;
  let site = null;
  let refreshedAt = 0;

  const path = () => address.query.get("path") || tileOf(address.id).path || site?.paths?.[0] || "";

  function zoom(fromMs, untilMs) {
    location.hash = hrefSite(address.id, { from: Math.floor(fromMs), to: Math.ceil(untilMs), path: path() });
  }

  async function load() {
    const asked = address;
    refreshedAt = now();
    const get = async (url) => {
      const answer = await fetch(url).catch(() => null);
      return answer?.ok ? answer.json() : null;
    };
    site = await get(`/api/site/${encodeURIComponent(asked.id)}`) ?? site;
    if (asked !== address) return;
    describe();
    const { from, to } = spanOf(asked.query, now());
    const query = new URLSearchParams({ from: Math.floor(from), to: Math.ceil(to), path: path() });
    const series = await get(`/api/site/${encodeURIComponent(asked.id)}/series?${query}`);
    if (asked === address) charts.show(series, { from, to, hrefMeeting });
  }

  function describe() {
    const office = model.offices.get(address.id);
    const tile = tileOf(address.id);
    head.replaceChildren(...headOf(office, tile));
    if (!office.linked) {
      choices.replaceChildren();
      facts.replaceChildren();
      charts.tell(say("wall.planned_next"));
      return;
    }
    choices.replaceChildren(rangeChoice(address, path()), pathChoice(address, site, path()));
    facts.replaceChildren(...factsOf(office, tile, site, path()));
  }

  return {
    element,
    open(next) {
      if (!model.offices.has(next.id)) {
        address = null;
        head.replaceChildren(back(), h("h2", {}, say("wall.office_missing")), h("p", { class: "nothing" }, say("wall.office_missing_next", { id: next.id })));
        choices.replaceChildren();
        facts.replaceChildren();
        charts.tell("");
        return;
      }
      if (address?.id !== next.id) site = null;
      address = next;
      describe();
      if (model.offices.get(next.id).linked) load();
    },
    render(change) {
      if (address && change.sites.has(address.id)) head.replaceChildren(...headOf(model.offices.get(address.id), tileOf(address.id)));
    },
    tick() {
      if (!address || address.query.has("from") || !model.offices.get(address.id)?.linked) return;
      const every = ["1h", "6h"].includes(address.query.get("range") ?? "6h") ? REFRESH_MS : LONG_REFRESH_MS;
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

function headOf(office, tile) {
  const region = model.scene.regions.find((one) => one.id === office.region);
  const said = [sayShade(tile.shade), tile.probability === undefined ? "" : percent(tile.probability)].filter(Boolean).join(" · ");
  const why = tile.shade === "ready" ? "" : sayReason(tile.why);
  return [
    back(),
    h("h2", {}, shape(tile.shade), ` ${nameOf(office)}`),
    h("p", { class: "facts" }, [said, region && nameOf(region), office.provider].filter(Boolean).join(" · ")),
    why ? h("p", { class: "why" }, [why, sayAction(tile.action)].filter(Boolean).join(" → ")) : null,
  ].filter(Boolean);
}

function rangeChoice(address, path) {
  const chosen = address.query.has("from") ? "" : address.query.get("range") ?? "6h";
  return h("nav", { class: "choice", "aria-label": say("wall.range") }, Object.keys(RANGES).map((range) =>
    h("a", { href: hrefSite(address.id, { range, path }), "aria-current": range === chosen ? "true" : null }, say(`wall.range_${range}`))));
}

function pathChoice(address, site, path) {
  const paths = site?.paths ?? [path].filter(Boolean);
  const query = Object.fromEntries(address.query);
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
  return [...facts,
    ["fact_rate", say("wall.per_second", { rate: decimal(line.rate_pps ?? 0) })],
    ["fact_loss", line.loss === undefined ? "–" : percent(line.loss)],
    ["fact_rtt", line.rtt_ms === undefined ? "–" : ms(line.rtt_ms)],
    ["fact_quality", qualityText(line, site.assumed)],
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

