// What a viewer may do, and doing it: who is signed in, and one POST with the token against forged requests.

import { say } from "./words.js";

let asked = null;

/** `{name, roles, csrf}` of whoever looks; without an answer somebody who may only look. */
export function me() {
  asked ??= fetch("/api/me", { cache: "no-store" })
    .then((answer) => (answer.ok ? answer.json() : null))
    .catch(() => null)
    .then((told) => told ?? { name: "", roles: [], csrf: "" });
  return asked;
}

/** Ask anew who looks, after a request was refused. */
export function forgetMe() {
  asked = null;
}

/** POST a JSON body; gives `{ok, told}` with the answer, or `{ok: false, error}` with one line. */
export async function act(address, body) {
  const { csrf } = await me();
  const answer = await fetch(address, {
    method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf }, body: JSON.stringify(body),
  }).catch(() => null);
  if (!answer) return { ok: false, error: say("views.no_answer") };
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return { ok: true, told };
  if (answer.status === 401 || answer.status === 403) forgetMe();
  return { ok: false, error: told.error ?? String(answer.status) };
}
