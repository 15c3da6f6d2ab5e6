// What a screen reader is told: changes of state, gathered for two seconds, the first few by name.

import { h, setText } from "./dom.js";
import { model } from "./model.js";
import { nameOf, say, sayShade } from "./words.js";

const GATHER_MS = 2000;
const BY_NAME = 4;

export function createAnnouncer() {
  const element = h("div", { class: "sr", "aria-live": "polite", role: "status" });
  let waiting = new Map();
  let timer = null;

  function speak() {
    timer = null;
    const changes = [...waiting].filter(([, { from, to }]) => from !== to);
    waiting = new Map();
    const named = changes.slice(0, BY_NAME).map(([site, { from, to }]) => say("wall.changed", {
      office: nameOf(model.offices.get(site)), from: sayShade(from), to: sayShade(to),
    }));
    if (changes.length > BY_NAME) named.push(say("wall.changed_more", { n: changes.length - BY_NAME }));
    if (named.length) setText(element, named.join(". "));
  }

  return {
    element,
    hear(shades) {
      for (const [site, from, to] of shades) waiting.set(site, { from: waiting.get(site)?.from ?? from, to });
      if (waiting.size && timer === null) timer = setTimeout(speak, GATHER_MS);
    },
  };
}
