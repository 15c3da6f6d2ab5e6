// What stands in the list beside the map: an office, a fault that offices share with those that it hits, a heading.

import { causeText } from "./causes.js";
import { h, reshape, setAttribute, setText, shape } from "./dom.js";
import { date, midnight, percent } from "./format.js";
import { LINES } from "./lines.js";
import { isOld, model, nextMeeting, now } from "./model.js";
import { oldText, sayFailed, tileOf } from "./office.js";
import { downAmong, sayAdvice, sayShared, sayState, sayWhy } from "./reasons.js";
import { hrefSite } from "./router.js";
import { createSpark, drawSpark } from "./spark.js";
import { nameOf, say } from "./words.js";

/** Id of the row of those that have failed a running meeting already and are ready for the rest. */
export const FAILED = "failed";

/** The small heading over the offices of another meeting, which says of the running and of the next one that it is that. */
export function createHeading() {
  const which = h("b");
  const text = h("h3");
  return {
    element: h("li", { class: "group" }, which, text),
    show(key) {
      const meeting = model.meetings[key];
      setText(which, !meeting ? "" : meeting.starts_ms <= now() ? say("wall.is_running") : key === nextMeeting()?.key ? say("wall.is_next") : "");
      setText(text, meeting ? dayBefore(meeting.starts_ms) + say("wall.other_meeting", { at: meeting.starts_ms, meeting: nameOf(meeting) }) : say(key === LINES ? "wall.lines_degraded" : "wall.no_meeting_near"));
    },
  };
}

/** The day in front of a time, where it is another one than today: "Tomorrow ". */
export function dayBefore(startsMs) {
  const days = Math.round((midnight(startsMs) - midnight(now())) / 86_400_000);
  return days === 0 ? "" : `${days === 1 ? say("wall.tomorrow") : date(startsMs)} `;
}

/** What every row says in the same places: shape and state, a name, the chance, why, what to do. */
function createFace(tag, properties, ...more) {
  const glyph = shape("unknown");
  const [name, state, chance, reason, action] = ["name", "sr", "chance", "reason", "action"].map((part) => h("span", { class: part }));
  const element = h(tag, { class: "row", ...properties }, glyph, name, state, chance, reason, action, ...more);
  return {
    element,
    show(one, called, why, todo) {
      reshape(glyph, one.shade);
      setAttribute(element, "data-shade", one.shade);
      setText(name, called);
      const word = sayState(one.shade, [one.down, one.why]);
      setText(state, one.mixed ? say("wall.at_worst", { state: word }) : word);
      setAttribute(state, "class", one.mixed ? "worst" : "sr");
      setText(chance, one.probability === undefined ? "–" : percent(one.probability));
      setText(reason, why);
      setText(action, one.shade === "ready" ? "" : todo);
    },
  };
}

export function createRow(office) {
  const spark = createSpark();
  const face = createFace("a", { href: hrefSite(office.id) }, spark);
  const { classList } = face.element;
  return {
    element: h("li", {}, face.element),
    /** `allOld`: that all is old is said once, across the page. */
    show(one, allOld) {
      const tile = tileOf(office.id);
      const old = isOld(tile) && one.shade !== "dark";
      const down = downAmong([one.down, one.why]);
      classList.toggle("old", old);
      classList.toggle("line", Boolean(one.line) || one.failed !== undefined);
      classList.toggle("down", Boolean(down));
      const toldOld = allOld || down?.code === "no_data"; // said by the reason itself
      const well = one.shade === "ready" && !one.line && one.failed === undefined;
      face.show(one, nameOf(office), [sayFailed(one.failed), well ? say("wall.ready_again") : sayWhy(one), old && !toldOld ? oldText(tile) : ""].filter(Boolean).join(" · "), sayAdvice(one.action, [one.why]));
      drawSpark(spark, tile);
    },
  };
}

/**
 * A shared fault: as bad as the worst of its offices, and that the others are better, if so; how many, and who when it is opened.
 * Or, without a cause, those that have failed a meeting already and are ready for the rest.
 */
export function createFold(onToggle) {
  const face = createFace("summary");
  const names = h("p", { class: "names" });
  return {
    element: h("li", {}, h("details", { ontoggle: onToggle }, face.element, names)),
    show(one) {
      const many = say("views.n_offices", { n: one.sites.length });
      if (one.id === FAILED) face.show(one, say("wall.failed_yet_ready"), many, "");
      else {
        const since = one.why.since_ms;
        const told = since ? say("reason.since", { reason: many, since }) : many;
        face.show(one, causeText(one.why.cause), one.failures ? `${told} · ${say("views.failed_already", { n: one.failures })}` : told, sayShared(one));
      }
      const links = one.sites.flatMap((site, index) => [h("a", { href: hrefSite(site) }, nameOf(model.offices.get(site))), one.shares ? ` (${say("wall.failed_share", { broken: one.shares[index] })})` : "", " · "]).slice(0, -1);
      if (names.textContent !== links.map((link) => link.textContent ?? link).join("")) names.replaceChildren(...links);
    },
  };
}
