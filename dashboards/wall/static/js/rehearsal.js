// A rehearsal of a meeting: the button asks first, then its progress is shown, office by office, until it is over.

import { h, setAttribute, setText, setVariables, shape } from "./dom.js";
import { rate } from "./format.js";
import { isOver, isRunning, model, now } from "./model.js";
import { rehearsalWhy } from "./rehearsal_why.js";
import { act, may } from "./visitor.js";
import { knows, nameOf, say } from "./words.js";

const LOOK_MS = 2000;
const SHAPES = { waiting: "planned", running: "unknown", held: "ready", broke: "not_ready", refused: "at_risk", aborted: "at_risk", silent: "dark" };
const WORST_FIRST = ["broke", "silent", "refused", "aborted", "running", "waiting", "held"];
/** The state that is not written, because everything begins with it. */
const FIRST = "waiting";
const GOING = new Set(["waiting", "running"]);

export function createRehearsal() {
  const button = h("button", { type: "button", class: "primary", onclick: ask });
  const hint = h("p", { class: "hint" });
  const problem = h("p", { class: "problem", role: "alert" });
  const halt = h("button", { type: "button", hidden: true, onclick: stop });
  const progress = h("div", { class: "rehearsal-progress", role: "status", "aria-live": "polite" });
  const detail = h("div", { class: "rehearsal-detail", tabindex: "0", role: "region", hidden: true });
  // What goes on below the edge fades out: a line cut through would look like a fault.
  const edge = () => detail.classList.toggle("goes-on", detail.scrollHeight - detail.scrollTop - detail.clientHeight > 1);
  detail.addEventListener("scroll", edge);
  new ResizeObserver(edge).observe(detail);
  const element = h("section", { class: "rehearsal", "aria-labelledby": "rehearsal-title" },
    h("h3", { id: "rehearsal-title" }), h("div", { class: "rehearsal-start" }, button, hint), problem, progress, halt, detail);
  const dialog = h("dialog", { class: "help ask", "aria-labelledby": "ask-title" });
  let meeting = null;
  let invited = [];
  let going = "";
  let timer = null;
  let turn = 0;

  function ask() {
    const linked = invited.filter((one) => one.shade !== "planned").length;
    const go = h("button", { type: "button", class: "primary", onclick: () => { dialog.close(); begin(); } }, say("views.rehearse_go"));
    dialog.replaceChildren(
      h("h2", { id: "ask-title" }, say("views.rehearse_ask", { n: linked })),
      h("p", {}, say("views.rehearse_what")),
      meeting.starts_ms - now() < 15 * 60_000 ? h("p", { class: "problem" }, say("views.rehearse_near", { left: Math.max(0, meeting.starts_ms - now()) / 1000 })) : "",
      h("div", { class: "dialog-buttons" }, go, h("button", { type: "button", onclick: () => dialog.close() }, say("views.rehearse_not"))));
    if (!dialog.isConnected) document.body.append(dialog);
    dialog.showModal();
    go.focus();
  }

  async function begin() {
    button.disabled = true;
    setText(problem, "");
    try {
      const { id } = await act("/api/rehearsals", { uid: meeting.uid, recurrence: meeting.recurrence });
      follow(id);
    } catch (error) {
      setText(problem, error.message);
      button.disabled = false;
    }
  }

  async function stop() {
    halt.disabled = true;
    await act(`/api/rehearsals/${encodeURIComponent(going)}/stop`).catch((error) => setText(problem, error.message));
    halt.disabled = false;
  }

  function follow(id) {
    going = id;
    look();
  }

  /** What an overtaken look learns is dropped: it would bring a successor of its own. */
  async function look() {
    clearTimeout(timer);
    const mine = ++turn;
    const answer = await fetch(`/api/rehearsals/${encodeURIComponent(going)}`, { cache: "no-store" }).catch(() => null);
    const record = answer?.ok ? await answer.json() : null;
    if (mine !== turn) return;
    if (record) draw(record);
    else timer = setTimeout(look, 2 * LOOK_MS);
  }

  function draw(record) {
    const told = { ...record, state: record.state ?? FIRST };
    const lasts = GOING.has(told.state);
    const offices = (told.offices ?? []).map((one) => ({ ...one, state: one.state ?? FIRST }));
    const done = offices.filter(({ state }) => !GOING.has(state)).length;
    const bar = h("span", { class: "evidence-bar strong", "aria-hidden": "true" }, h("span", {}));
    setVariables(bar, { "--share": offices.length ? done / offices.length : 0 });
    const stages = told.starts_ns?.length ?? 0;
    const stage = Math.max(0, ...offices.filter(({ state }) => state === "running").map((one) => one.stage ?? 0));
    const words = [stateText(told), stages > 1 && stage ? say("views.rehearse_stage", { n: stage, m: stages }) : "", told.why ? rehearsalWhy(told.why) : "", offices.length ? say("views.rehearse_done", { n: done, m: offices.length }) : ""];
    progress.replaceChildren(h("p", {}, h("b", {}, words.filter(Boolean).join(" · "))), lasts ? bar : "");
    const begun = offices.filter(({ state }) => state !== FIRST).sort(worse);
    const waiting = offices.length - begun.length;
    const top = detail.scrollTop;
    detail.hidden = !offices.length;
    detail.replaceChildren(hubLine(told.hub) ?? "", h("ul", { class: "rehearsed" }, begun.map(officeLine)),
      waiting ? h("p", { class: "hint" }, say("views.rehearse_wait", { n: waiting })) : "");
    detail.scrollTop = top;
    edge();
    button.disabled = lasts;
    halt.hidden = !lasts || !may("rehearse");
    setText(halt, say("views.rehearse_stop"));
    if (lasts) timer = setTimeout(look, LOOK_MS);
  }

  return {
    element, detail,
    show(page) {
      if (meeting && (meeting.uid !== page.meeting.uid || meeting.recurrence !== page.meeting.recurrence)) {
        this.close();
        for (const part of [progress, detail]) part.replaceChildren();
        halt.hidden = true;
        detail.hidden = true;
        button.disabled = false;
        setText(problem, "");
      }
      ({ meeting, invited } = page);
      setText(element.firstChild, say("views.rehearsal"));
      setAttribute(detail, "aria-label", say("views.rehearsal"));
      setText(button, say("views.rehearse"));
      const runs = isRunning(meeting);
      setText(hint, say(runs ? "views.rehearse_runs" : "views.rehearse_hint"));
      const offered = may("rehearse") && !isOver(meeting) && invited.some((one) => one.shade !== "planned");
      button.hidden = !offered || runs; // every office would refuse
      if (button.hidden) dialog.close();
      hint.hidden = !offered;
      const last = page.rehearsal || going;
      element.hidden = !offered && !last;
      if (last && last !== going) follow(last);
    },
    relabel() { if (going) look(); },
    close() { clearTimeout(timer); turn += 1; going = ""; meeting = null; dialog.close(); },
  };
}

const stateText = ({ state }) => (knows(`views.rehearsal_${state}`) ? say(`views.rehearsal_${state}`) : state);
const worse = (a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state) || nameOf(model.offices.get(a.site) ?? {}).localeCompare(nameOf(model.offices.get(b.site) ?? {}));

function officeLine({ site, state, rung_up: up, rung_down: down, why, note }) {
  const office = model.offices.get(site);
  const rung = (id) => (model.profiles.has(id) ? nameOf(model.profiles.get(id)) : id);
  const held = [up && `↑ ${rung(up)}`, down && `↓ ${rung(down)}`].filter(Boolean).join("  ");
  return h("li", {}, shape(SHAPES[state] ?? "unknown"), h("b", {}, office ? nameOf(office) : site),
    h("span", {}, knows(`views.rehearsed_${state}`) ? say(`views.rehearsed_${state}`) : state),
    held ? h("span", { class: "rungs" }, held) : null, why && !(state === "silent" && why === "no-answer") ? h("small", {}, rehearsalWhy(why)) : null,
    note ? h("small", {}, rehearsalWhy(note)) : null);
}

/** What headquarters' own line carried, and from which stage on loss was common to many offices. */
function hubLine(hub) {
  if (!hub) return null;
  const { took_up_bps: up, took_down_bps: down, common_from: common } = hub;
  const took = [up !== undefined && `↑ ${rate(up)}`, down !== undefined && `↓ ${rate(down)}`].filter(Boolean).join("  ");
  return h("p", { class: "hub" }, took ? say("views.hub_took", { took }) : "", common ? ` ${say("views.hub_common", { n: common })}` : "");
}
