// Taking up a shared fault: a name and a note. Whoever is signed in needs no name.

import { h, setText } from "./dom.js";
import { act, may, mustSayName } from "./visitor.js";
import { say } from "./words.js";

const remembered = {
  get: () => { try { return localStorage.getItem("tatpar.name") ?? ""; } catch { return ""; } },
  set: (name) => { try { localStorage.setItem("tatpar.name", name); } catch { /* private windows forget */ } },
};

export function createAcknowledge(done) {
  const element = h("section", { class: "acknowledge" });
  const name = h("input", { id: "ack-name", name: "name", autocomplete: "name", maxlength: "64", required: true });
  const note = h("input", { id: "ack-note", name: "note", maxlength: "300", autocomplete: "off" });
  const problem = h("p", { class: "problem", role: "alert" });
  const nameLabel = h("label", { for: "ack-name" });
  const noteLabel = h("label", { for: "ack-note" });
  const button = h("button", { type: "submit", class: "primary" });
  const form = h("form", { onsubmit: submit }, h("div", { class: "field" }, nameLabel, name), h("div", { class: "field wide" }, noteLabel, note), button, problem);
  let incident = null;

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    setText(problem, "");
    const said = mustSayName() ? name.value.trim() : "";
    if (said) remembered.set(said);
    try {
      await act(`/api/incidents/${encodeURIComponent(incident.id)}/acknowledge`, { name: said, note: note.value.trim() });
      note.value = "";
      done();
    } catch (error) {
      setText(problem, error.message);
    } finally {
      button.disabled = false;
    }
  }

  /** Who has taken it up; or the form, for whoever may. */
  function show(wanted) {
    incident = wanted;
    if (wanted.by) {
      element.replaceChildren(h("p", { class: "taken" }, h("b", {}, say(wanted.until_ms === undefined ? "views.taken_at" : "views.took_at", { by: wanted.by, at: wanted.by_ms })), wanted.note ? h("q", {}, wanted.note) : null));
      return;
    }
    if (wanted.until_ms !== undefined) {
      element.replaceChildren(h("p", { class: "untaken" }, say("views.nobody_took")));
      return;
    }
    if (!may("acknowledge")) {
      element.replaceChildren(h("p", { class: "untaken" }, say("views.nobody_yet")));
      return;
    }
    const nameless = mustSayName();
    name.parentElement.hidden = !nameless;
    name.required = nameless;
    if (!name.value) name.value = remembered.get();
    setText(nameLabel, say("views.your_name"));
    setText(noteLabel, say("views.your_note"));
    setText(button, say("views.acknowledge"));
    if (form.parentElement !== element || element.children.length !== 2) element.replaceChildren(h("h3", {}, say("views.take_up")), form);
    else setText(element.firstChild, say("views.take_up"));
  }
  return { element, show };
}
