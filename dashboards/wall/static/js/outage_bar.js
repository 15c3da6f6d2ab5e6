// The bar across the top when what the page shows is not the present, or when nobody is being told of it.

import { trouble } from "./freshness.js";
import { h, setText } from "./dom.js";

export function createOutageBar() {
  const text = h("span");
  const element = h("div", { class: "outage", role: "alert", hidden: true }, text);
  return {
    element,
    tick() {
      const said = trouble();
      if (said) setText(text, said.text);
      if (element.hidden === Boolean(said)) element.hidden = !said;
      document.documentElement.classList.toggle("stopped", Boolean(said?.old));
    },
  };
}
