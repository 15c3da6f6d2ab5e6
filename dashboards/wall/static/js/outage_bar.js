// The bar across the top when the stream to this page has stopped.

import { h, setText } from "./dom.js";
import { silence } from "./stream.js";
import { knows, say } from "./words.js";

export function createOutageBar() {
  const text = h("span");
  const element = h("div", { class: "outage", role: "alert", hidden: true }, text);
  return {
    element,
    tick() {
      const quiet = silence();
      const shown = quiet > 0 && knows("wall.stopped");
      if (shown) setText(text, say("wall.stopped", { age: Math.round(quiet / 10_000) * 10 }));
      if (element.hidden === shown) element.hidden = !shown;
      document.documentElement.classList.toggle("stopped", shown);
    },
  };
}
