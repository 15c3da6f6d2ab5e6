// One shared fault: the evidence, its offices as they are now, who has taken it up, and what happened, in order.

import { createAcknowledge } from "./acknowledge.js";
import { causeText, lengthText, officesOf } from "./causes.js";
import { h, setText, setVariables, shape } from "./dom.js";
import { clock, date } from "./format.js";
import { trouble } from "./freshness.js";
import { model } from "./model.js";
import { shortAge, spoken, tileOf } from "./office.js";
import { caseMap } from "./case_map.js";
import { hrefSite } from "./router.js";
import { knows, nameOf, say, sayShade } from "./words.js";

const DAY_MS = 86_400_000;

export function createCase() {
  const body = h("div", { class: "case-body" });
  const acknowledge = createAcknowledge(() => load());
  const element = h("section", { class: "case", "aria-live": "off" }, body);
  let id = "";
  let told = null;

  async function load() {
    if (!id) return;
    const asked = id;
    const answer = await fetch(`/api/incidents/${encodeURIComponent(asked)}`).catch(() => null);
    const found = answer?.ok ? await answer.json() : { missing: true };
    if (!answer || asked !== id) return;
    told = found;
    draw();
  }

  function draw() {
    if (!id) { body.replaceChildren(); return; }
    if (!told) { body.replaceChildren(h("p", { class: "nothing" }, say("wall.loading"))); return; }
    if (told.missing) {
      body.replaceChildren(back(), h("h2", {}, say("views.case_missing")), h("p", { class: "nothing" }, say("views.case_missing_next")));
      return;
    }
    const { incident, story } = told;
    const typing = acknowledge.element.contains(document.activeElement) ? document.activeElement : null;
    acknowledge.show(incident);
    body.replaceChildren(
      back(),
      h("h2", {}, shape(incident.until_ms === undefined ? "not_ready" : "planned"), " ", causeText(incident)),
      h("p", { class: "facts" }, spanText(incident)),
      acknowledge.element,
      evidence(incident),
      offices(incident),
      storyOf(story, incident),
      caseMap(incident));
    typing?.focus();
  }

  return {
    element,
    shown: () => id,
    show(wanted) {
      if (wanted === id) return;
      id = wanted;
      told = null;
      draw();
      load();
    },
    reload: load,
    /** The offices' states change with their tiles. */
    repaint(sites) {
      for (const link of body.querySelectorAll("[data-office]")) if (sites.has(link.dataset.office)) paint(link);
    },
    /** They fall silent without a change of any tile. */
    tick() {
      for (const link of body.querySelectorAll("[data-office]")) paint(link);
    },
    relabel() { if (model.scene) draw(); },
  };
}

const back = () => h("a", { class: "back only-narrow", href: "#/incidents" }, `← ${say("views.all_incidents")}`);

function spanText(incident) {
  if (incident.until_ms === undefined) return say("views.lasts_since", { since: incident.since_ms, long: lengthText(incident) });
  const day = date(incident.since_ms) === date(incident.until_ms);
  return say(day ? "views.lasted_day" : "views.lasted", { since: incident.since_ms, until: incident.until_ms, long: lengthText(incident) });
}

/** Two bars: how many of those that have it in common suffer, and how many of all others. */
function evidence({ suffer, members, others, others_suffer: otherwise, kind }) {
  const line = (text, n, of, tint) => {
    const bar = h("span", { class: `evidence-bar ${tint}`, "aria-hidden": "true" }, h("span", {}));
    setVariables(bar, { "--share": of ? n / of : 0 });
    return h("li", {}, h("span", { class: "evidence-text" }, text), bar, h("b", {}, say("views.n_of_m", { n, m: of })));
  };
  const common = knows(`views.common_${kind}`) ? say(`views.common_${kind}`) : say("views.common");
  return h("section", { class: "evidence", "aria-labelledby": "evidence-title" },
    h("h3", { id: "evidence-title" }, say("views.evidence")),
    h("ul", {}, line(common, suffer, members, "strong"), others ? line(say("views.elsewhere"), otherwise, others, "weak") : null));
}

function offices(incident) {
  const found = officesOf(incident).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  return h("section", { class: "case-offices", "aria-labelledby": "case-offices" },
    h("h3", { id: "case-offices" }, say(incident.until_ms === undefined ? "views.its_offices" : "views.its_offices_then", { n: found.length })),
    h("ul", { class: "office-chips" }, found.map((office) => {
      const link = h("a", { href: hrefSite(office.id), "data-office": office.id, class: "office-chip" });
      paint(link);
      return h("li", {}, link);
    })));
}

/** A tile's shade is the verdict on its meeting, which minutes of silence do not change yet; a silent office is without contact, or unknown when all is old. */
function asItIsNow(tile) {
  if (!shortAge(tile) || tile.shade === "dark") return tile;
  return { newest_ms: tile.newest_ms, shade: trouble()?.old ? "unknown" : "dark" };
}

function paint(link) {
  const office = model.offices.get(link.dataset.office);
  const tile = asItIsNow(tileOf(office.id));
  const label = spoken(office, tile);
  if (link.getAttribute("aria-label") === label) return;
  link.setAttribute("aria-label", label);
  const age = shortAge(tile);
  link.replaceChildren(shape(tile.shade), ` ${nameOf(office)}`, age ? h("small", {}, ` ${age}: ${sayShade(tile.shade)}`) : "");
}

function storyOf(story, incident) {
  const list = story.map((one, index) => {
    const day = date(one.at_ms);
    const fresh = index === 0 ? Math.abs(one.at_ms - Date.now()) > DAY_MS || incident.until_ms !== undefined : day !== date(story[index - 1].at_ms);
    return [fresh ? h("li", { class: "story-day" }, day) : null, entry(one)];
  });
  return h("section", { class: "story", "aria-labelledby": "story-title" },
    h("h3", { id: "story-title" }, say("views.story")), h("ol", {}, list.flat()));
}

function entry(one) {
  const item = h("li", { class: `story-${one.what}` }, h("time", {}, clock(one.at_ms)), h("span", { class: "story-dot", "aria-hidden": "true" }),
    h("div", {}, h("b", {}, say(`views.story_${one.what}`, { by: one.by, n: one.n ?? 0 })),
      one.note ? h("q", {}, one.note) : null,
      one.told ? h("ul", { class: "story-told" }, one.told.map(toldLine)) : null));
  return item;
}

function toldLine({ name, role, channel, sent_ms: sent, failed }) {
  const line = h("li");
  const how = failed ? say("views.told_failed") : sent ? say("views.told_sent", { channel: channelText(channel), at: sent }) : say("views.told_waits", { channel: channelText(channel) });
  setText(line, `${name}${role ? ` (${say(`views.role_${role}`)})` : ""}: ${how}`);
  return line;
}

const channelText = (channel) => (knows(`views.channel_${channel}`) ? say(`views.channel_${channel}`) : channel);
