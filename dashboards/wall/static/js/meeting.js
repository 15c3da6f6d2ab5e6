// One meeting: every invited office, worst first, with probability, reasons, the one thing to do and what it holds at best;
// how the forecast moved; a rehearsal; and once it is over what came true, the surprises first.

import { OUTCOMES } from "./came.js";
import { h, setText, shape } from "./dom.js";
import { cameOf, cameTrue, saidOf } from "./truth.js";
import { percent } from "./format.js";
import { failedIn, isOver, model, now } from "./model.js";
import { moveChart, wholeMoved } from "./moves.js";
import { createRehearsal } from "./rehearsal.js";
import { lastRehearsal } from "./rehearsal_why.js";
import { hrefSite } from "./router.js";
import { downAmong, sayAdvice, sayDown, sayReason, sayState } from "./reasons.js";
import { nameOf, say, sayShade } from "./words.js";

const WINDOW_S = 15;
const SUMMARY = ["dark", "not_ready", "at_risk", "unknown", "ready", "planned"];

export function createMeetingPage() {
  const element = h("article", { class: "page meeting-page" });
  const rehearsal = createRehearsal();
  let address = null;
  let shown = null;
  let stamp = "";
  let drawnPhase = "";

  async function load() {
    const asked = address;
    const answer = await fetch(`/api/meeting/${encodeURIComponent(asked.uid)}/${encodeURIComponent(asked.recurrence)}`).catch(() => null);
    if (!answer) return;
    const told = await answer.json();
    if (asked !== address) return;
    shown = answer.ok ? told : { error: told.error };
    draw();
  }

  function draw() {
    if (!shown) return;
    drawnPhase = shown.meeting ? phase(shown.meeting) : "";
    const held = document.activeElement?.dataset?.site;
    if (!shown.error) rehearsal.show(shown);
    const { scrollTop } = rehearsal.detail;
    element.replaceChildren(...(shown.error ? problem() : content(shown, rehearsal.element)));
    rehearsal.detail.scrollTop = scrollTop;
    if (held) element.querySelector(`[data-site="${CSS.escape(held)}"]`)?.focus();
  }

  const stampNow = () => `${current()?.stamp ?? ""} ${current()?.rehearsal ?? ""} ${JSON.stringify(current()?.failed ?? "")}`;
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
      stamp = stampNow();
      load();
    },
    render(change) {
      const fresh = stampNow();
      if (!change.meetings || fresh === stamp) return;
      stamp = fresh;
      load();
    },
    /** The moment at which it begins or ends changes the page. */
    tick() {
      if (shown?.meeting && phase(shown.meeting) !== drawnPhase) load();
    },
    relabel() { draw(); rehearsal.relabel(); },
    close() { address = null; rehearsal.close(); },
  };
}

const phase = (meeting) => (isOver(meeting) ? "over" : meeting.starts_ms <= now() ? "runs" : "comes");

const back = () => h("a", { class: "back", href: "#/meetings" }, `← ${say("views.meetings")}`);

function problem() {
  return [back(), h("h2", {}, say("wall.meeting_missing")), h("p", { class: "nothing" }, say("wall.meeting_missing_next"))];
}

function content({ meeting, invited, score }, rehearsal) {
  const live = model.meetings[`${meeting.uid} ${meeting.recurrence}`];
  const failed = (one) => failedIn(one.site, live);
  const failures = invited.filter((one) => failed(one) !== undefined).length;
  const end = model.ends.get(meeting.end);
  const profile = model.profiles.get(meeting.profile);
  const facts = [
    say("wall.span", { from: meeting.starts_ms, until: meeting.ends_ms }),
    end ? nameOf(end) : meeting.end,
    profile ? nameOf(profile) : meeting.profile,
    phase(meeting) === "comes" ? "" : say(`views.${phase(meeting)}`),
    phase(meeting) === "runs" ? say("views.rest") : "",
    failures ? say("views.failed_already", { n: failures }) : "",
  ];
  const over = isOver(meeting);
  const rank = (one) => (one.shade !== "ready" ? 0 : failed(one) === undefined ? 2 : 1);
  const told = invited.filter((one) => one.shade !== "planned").map((one) => ({ ...one, failed: failed(one) }));
  const linked = over ? told : told.sort((a, b) => rank(a) - rank(b)); // who is ready for the rest and has failed it, before who has not
  const planned = invited.filter((one) => one.shade === "planned");
  return [
    h("div", { class: "meeting-head" },
      h("div", { class: "meeting-what" },
        back(),
        h("h2", {}, nameOf(meeting)),
        h("p", { class: "facts" }, facts.filter(Boolean).join(" · ")),
        over ? outcomes(linked) : h("ul", { class: "summary" }, SUMMARY.filter((shade) => meeting.count[shade]).map((shade) =>
          h("li", { class: `shade-${shade}` }, shape(shade), h("b", {}, String(meeting.count[shade])), ` ${sayShade(shade)}`))),
        rehearsal),
      over ? cameTrue(score) : null,
      wholeMoved(linked, over)),
    h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": say("wall.invited") }, table(linked, over)),
    planned.length ? plannedList(planned) : null,
  ].filter(Boolean);
}

/** Of a meeting that is over: how many held it, how many did not. */
function outcomes(linked) {
  const count = {};
  for (const one of linked) count[one.outcome || "unsettled"] = (count[one.outcome || "unsettled"] ?? 0) + 1;
  return h("ul", { class: "summary" }, Object.keys(OUTCOMES).filter((name) => count[name]).map((name) =>
    h("li", { class: `shade-${OUTCOMES[name]}` }, shape(OUTCOMES[name]), h("b", {}, String(count[name])), ` ${say(`outcome.${name}`)}`)));
}

function table(invited, over) {
  const explained = invited.some((one) => one.why?.length);
  const heads = over ? ["office", "outcome", "said", "came", "forecasts", ...(explained ? ["reasons"] : [])] : ["office", "state", "probability", "reasons", "action", "best", "forecasts"];
  return h("table", { class: `verdicts${over ? " is-over" : ""}` },
    h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col", class: `col-${name}` }, headOf(name, over))))),
    h("tbody", {}, invited.map((one) => (over ? rowOver(one, explained) : row(one)))));
}

const headOf = (name, over) => (name === "said" || name === "came" ? say(`views.col_${name}`) : over && name === "forecasts" ? say("views.moved") : say(`wall.col_${name}`));

/** The office with the way to its page; of one that the list no longer has, as of a meeting that is over, that. */
const officeCell = (one) => h("th", { scope: "row", class: "col-office" }, model.offices.has(one.site)
  ? h("a", { href: hrefSite(one.site, one.path ? { path: one.path } : {}), "data-site": one.site }, nameOf(model.offices.get(one.site)))
  : say("office.removed", { site: one.site }));

function reasonsCell(one) {
  const reasons = (one.why ?? []).filter((why) => one.shade !== "ready" || why.code !== "no_history");
  const down = downAmong(reasons);
  const lines = [one.failed === undefined ? null : h("li", { class: "failed" }, say("table.failed_row", { broken: one.failed })), ...reasons.map((why) => h("li", {}, why === down ? sayDown(why, one.probability) : sayReason(why))), one.rehearsed ? h("li", { class: "hint" }, lastRehearsal(one.rehearsed)) : null].filter(Boolean);
  return h("td", { class: `col-reasons${lines.length ? "" : " none"}` }, lines.length ? h("ul", {}, lines) : "–");
}

function row(one) {
  const action = one.shade === "ready" ? "" : sayAdvice(one.action, one.why);
  return h("tr", { "data-shade": one.shade },
    officeCell(one),
    h("td", { class: "col-state" }, h("span", { class: `verdict shade-${one.shade}` }, shape(one.shade), " ", sayState(one.shade, one.why))),
    h("td", { class: "col-probability" }, one.probability === undefined ? "–" : percent(one.probability)),
    reasonsCell(one),
    h("td", { class: `col-action${action ? "" : " none"}` }, action || "–"),
    h("td", { class: "col-best" }, bestOf(one)),
    h("td", { class: "col-forecasts" }, moveChart(one, false)));
}

/** How it went: outages by how long they were, and how many windows broke beside them. */
function shortOf(one) {
  const whole = one.windows * WINDOW_S;
  const outages = ["lost", "unheard"].filter((key) => one[key]);
  const told = outages.map((key) => say(`outcome.${key}_for`, { lasted: one[key] * WINDOW_S, whole }));
  const broken = outages.length ? one.broken_beside : one.broken;
  if (broken || !outages.length) told.push(say("wall.broken_of", { broken, windows: one.windows }));
  return told.join(" · ");
}

function rowOver(one, explained) {
  const shade = OUTCOMES[one.outcome || "unsettled"];
  return h("tr", { "data-shade": one.shade, "data-came": one.came || null },
    officeCell(one),
    h("td", { class: "col-outcome" }, h("span", { class: `verdict shade-${shade}` }, shape(shade), " ", say(`outcome.${one.outcome || "unsettled"}`)),
      one.windows ? h("small", {}, ` ${shortOf(one)}`) : null),
    h("td", { class: "col-said" }, saidOf(one)),
    h("td", { class: "col-came" }, cameOf(one)),
    h("td", { class: "col-forecasts" }, moveChart(one, true)),
    explained ? reasonsCell(one) : null);
}

function bestOf(one) {
  if (!one.best) return one.shade === "unknown" ? "–" : say("wall.no_profile");
  const profile = model.profiles.get(one.best);
  return profile ? nameOf(profile) : one.best;
}

function plannedList(planned) {
  const names = planned.map((one) => nameOf(model.offices.get(one.site))).join(", ");
  const text = h("p", { class: "planned-list" });
  setText(text, say("wall.invited_planned", { n: planned.length, offices: names }));
  return text;
}
