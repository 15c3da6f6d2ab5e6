// Making elements. Text is always set as text, never parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element with attributes (`onclick` and its like are listeners) and children. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** CSS variables, set through the object model because the content policy allows no style attributes. */
export function setVariables(element, variables) {
  for (const [name, value] of Object.entries(variables)) element.style.setProperty(name, value);
}

/** Set text only where it differs, so that nothing repaints or is announced without need. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set or remove an attribute only where it differs. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** The shape of a state, 1 em high. */
export function shape(shade, extra = "") {
  return s("svg", { class: `shape shade-${shade} ${extra}`, "aria-hidden": "true", focusable: "false" },
    s("use", { href: `#shape-${shade}` }));
}

/** Give a shape made by `shape` another state. */
export function reshape(svg, shade, extra = "") {
  setAttribute(svg, "class", `shape shade-${shade} ${extra}`);
  setAttribute(svg.firstChild, "href", `#shape-${shade}`);
}
