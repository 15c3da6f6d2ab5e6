// Who looks at the page, and what they may do. Asked once; a session that ends leads to the sign-in.

import { h, setAttribute, setText } from "./dom.js";
import { say } from "./words.js";

const ROLES = ["see", "acknowledge", "rehearse", "administer"];
const SIGN_IN = "/sign-in";

let visitor = null;

/** `{name, role, way, csrf}`; null until it is known. */
export const me = () => visitor;

/** Whether the visitor may do what takes a role. */
export const may = (role) => visitor !== null && ROLES.indexOf(visitor.role) >= ROLES.indexOf(role);

/** Whether the visitor is to say who acts: on this machine nobody has signed in. */
export const mustSayName = () => visitor?.way === "local";

/** In the language of the address, which somebody chose; else the sign-in takes the browser's. */
export function goToSignIn() {
  const asked = new URLSearchParams(location.search).get("lang");
  location.assign(["hi", "en"].includes(asked) ? `${SIGN_IN}?lang=${asked}` : SIGN_IN);
}

/** Ask who it is; leads to the sign-in when it is nobody. */
export async function meet() {
  const answer = await fetch("/api/me", { cache: "no-store" });
  if (answer.status === 401) goToSignIn();
  if (!answer.ok) throw new Error(`me: ${answer.status}`);
  visitor = await answer.json();
  return visitor;
}

/** Do something: POST as JSON with the token. The answer's JSON; an Error with its line when it was refused. */
export async function act(address, body = {}) {
  const send = () => fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", "x-tatpar-csrf": visitor?.csrf ?? "" },
    body: JSON.stringify(body),
  });
  if (visitor === null) await meet();
  let answer = await send();
  if (answer.status === 403 && (await meet())) answer = await send(); // the wall was restarted: a new token
  if (answer.status === 401) goToSignIn();
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error ?? `${answer.status}`);
  return told;
}

/** The name of who is signed in, and the way out; hidden where nobody is asked. */
export function createVisitor() {
  const name = h("span", { class: "visitor-name" });
  const out = h("button", { type: "button", onclick: signOut });
  const element = h("div", { class: "visitor", hidden: true }, name, out);

  function render() {
    const known = visitor !== null && visitor.way !== "local";
    element.hidden = !known;
    if (!known) return;
    setText(name, say(visitor.way === "link" ? "signin.screen" : "signin.signed_in", { name: visitor.name }));
    out.hidden = visitor.way === "proxy";
    setText(out, say("signin.out"));
    setAttribute(out, "aria-label", say("signin.out"));
  }
  return { element, render };
}

async function signOut() {
  await fetch("/sign-out", { method: "POST" });
  location.assign(SIGN_IN); // the next to sign in may speak another language
}
