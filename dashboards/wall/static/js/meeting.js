// One meeting: every invited office, worst first, with probability, reasons, the one thing to do and what it holds at best.

import { h, setText, shape } from "./dom.js";
import { percent } from "./format.js";
import { model, now } from "./model.js";
import { hrefSite } from "./router.js";
import { knows, nameOf, say, sayAction, sayReason, sayShade } from "./words.js";

const SUMMARY = ["dark", "not_ready", "at_risk", "unknown", "ready", "planned"];

export function createMeetingPage() {
  const element = h("article", { class: "page meeting-page" });
  let address = null;
  let shown = null;
  let stamp = "";

  async function load() {
    const asked = address;
    const answer = await fetch(`/api/meeting/${encodeURIComponent(asked.uid)}/${encodeURIComponent(asked.recurrence)}`).catch(() => null);
    if (asked !== address) return;
    if (!answer) return;
    shown = answer.ok ? await answer.json() : { error: (await answer.json()).error };
    draw();
  }

  function draw() {
    if (!shown) return;
    const held = document.activeElement?.dataset?.site;
    element.replaceChildren(...(shown.error ? problem() : content(shown)));
    if (held) element.querySelector(`[data-site="${CSS.escape(held)}"]`)?.focus();
  }

  const current = () => model.meetings[`${address?.uid} ${address?.recurrence}`];
  return {
    element,
    open(next) {
      const same = address && address.uid === next.uid && address.recurrence === next.recurrence;
      address = next;
      if (!same) {
        shown = null;
        element.replaceChildren(h("p", { class: "nothing" }, say("wall.loading")));
      }
      stamp = current()?.stamp ?? "";
      load();
    },
    render(change) {
      const fresh = current()?.stamp ?? "";
      if (!change.meetings || fresh === stamp) return;
      stamp = fresh;
      load();
    },
    relabel: draw,
    close() { address = null; },
  };
}

const back = () => h("a", { class: "back", href: "#/" }, `← ${say("wall.back")}`);

function problem() {
  return [back(), h("h2", {}, say("wall.meeting_missing")), h("p", { class: "nothing" }, say("wall.meeting_missing_next"))];
}

function content({ meeting, invited }) {
  const end = model.ends.get(meeting.end);
  const profile = model.profiles.get(meeting.profile);
  const facts = [
    say("wall.span", { from: meeting.starts_ms, until: meeting.ends_ms }),
    end ? nameOf(end) : meeting.end,
    profile ? nameOf(profile) : meeting.profile,
  ];
  const over = meeting.ends_ms <= now();
  const linked = invited.filter((one) => one.shade !== "planned");
  const planned = invited.filter((one) => one.shade === "planned");
  return [
    back(),
    h("h2", {}, nameOf(meeting)),
    h("p", { class: "facts" }, facts.join(" · ")),
    h("ul", { class: "summary" }, SUMMARY.filter((shade) => meeting.count[shade]).map((shade) =>
      h("li", { class: `shade-${shade}` }, shape(shade), h("b", {}, String(meeting.count[shade])), ` ${sayShade(shade)}`))),
    h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": say("wall.invited") }, table(linked, over)),
    planned.length ? plannedList(planned) : null,
  ].filter(Boolean);
}

function table(invited, over) {
  const heads = ["office", "state", "probability", "reasons", "action", "best", over ? "outcome" : "forecasts"];
  return h("table", { class: "verdicts" },
    h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col", class: `col-${name}` }, say(`wall.col_${name}`))))),
    h("tbody", {}, invited.map((one) => row(one, over))));
}

function row(one, over) {
  const office = model.offices.get(one.site);
  const reasons = (one.why ?? []).filter((why) => one.shade !== "ready" || why.code !== "no_history");
  const action = one.shade === "ready" ? "" : sayAction(one.action);
  return h("tr", { "data-shade": one.shade },
    h("th", { scope: "row", class: "col-office" }, h("a", { href: hrefSite(one.site, one.path ? { path: one.path } : {}), "data-site": one.site }, nameOf(office))),
    h("td", { class: "col-state" }, h("span", { class: `verdict shade-${one.shade}` }, shape(one.shade), " ", sayShade(one.shade))),
    h("td", { class: "col-probability" }, one.probability === undefined ? "–" : percent(one.probability)),
    h("td", { class: `col-reasons${reasons.length ? "" : " none"}` }, reasons.length ? h("ul", {}, reasons.map((why) => h("li", {}, sayReason(why)))) : "–"),
    h("td", { class: `col-action${action ? "" : " none"}` }, action || "–"),
    h("td", { class: "col-best" }, bestOf(one)),
    h("td", { class: over ? "col-outcome" : "col-forecasts" }, over ? outcomeOf(one) : forecastsOf(one)));
}

function bestOf(one) {
  if (!one.best) return one.shade === "unknown" ? "–" : say("wall.no_profile");
  const profile = model.profiles.get(one.best);
  return profile ? nameOf(profile) : one.best;
}

function outcomeOf(one) {
  if (!one.outcome) return say("outcome.unsettled");
  const text = say(`outcome.${one.outcome}`);
  return one.windows ? `${text} · ${say("wall.broken_of", { broken: one.broken, windows: one.windows })}` : text;
}

/** How the forecast moved, earliest first. */
function forecastsOf(one) {
  const list = one.forecasts ?? [];
  if (!list.length) return "–";
  return h("ol", { class: "moves" }, list.map((forecast) => h("li", {},
    shape(forecast.shade), forecast.probability === undefined ? sayShade(forecast.shade) : percent(forecast.probability),
    h("small", {}, knows(`horizon.${forecast.horizon}`) ? say(`horizon.${forecast.horizon}`) : forecast.horizon))));
}

function plannedList(planned) {
  const names = planned.map((one) => nameOf(model.offices.get(one.site))).join(", ");
  const text = h("p", { class: "planned-list" });
  setText(text, say("wall.invited_planned", { n: planned.length, offices: names }));
  return text;
}
