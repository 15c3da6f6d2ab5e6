// The address of exactly this view: span, line and point fixed, so that whoever opens it sees the same.

import { h } from "./dom.js";
import { hrefSite } from "./router.js";
import { say } from "./words.js";

/** The whole address; `at` is the time of the point whose raw reports are open, or null. */
export function linkTo(id, { from, to }, path, at) {
  const query = { from: Math.floor(from), to: Math.ceil(to), path, ...(at === null ? {} : { at }) };
  return `${location.origin}${location.pathname}${hrefSite(id, query)}`;
}

/** Copies it, or shows it to be copied by hand. `place` takes the field, `tell` the word that it is done. */
export async function share(link, place, tell) {
  place.querySelector(".link-field")?.remove();
  try {
    await navigator.clipboard.writeText(link);
    tell(say("site.shared"));
    const note = h("span", { class: "link-field" }, `✓ ${say("site.shared")}`);
    place.append(note);
    setTimeout(() => note.remove(), 4000);
  } catch {
    const field = h("input", { class: "link-field", type: "text", readonly: true, value: link, "aria-label": say("site.share_by_hand") });
    place.append(field);
    field.focus();
    field.select();
  }
}
