// One stream of changes. It resumes by itself; what it cannot resume it asks for whole. When it is silent for
// longer than two beats, the page says so.

import { goToSignIn } from "./visitor.js";
import { model, syncClock, takeChange, takePicture, takeScene } from "./model.js";

const SILENT_MS = 11_000;
const AGAIN_MS = 3_000;

let lastHeard = 0;
let source = null;
let starting = false;

/** How long (ms) nothing has been heard; 0 while all is well. */
export function silence() {
  const quiet = performance.now() - lastHeard;
  return lastHeard && quiet > SILENT_MS ? quiet : 0;
}

function heard() {
  lastHeard = performance.now();
}

async function fetchWhole(onScene) {
  const answer = await fetch("/api/snapshot", { cache: "no-store" });
  if (answer.status === 401) goToSignIn();
  if (!answer.ok) throw new Error(`snapshot: ${answer.status}`);
  const whole = await answer.json();
  syncClock(whole.now_ms);
  if (whole.scene_id !== model.sceneId || !model.scene) {
    takeScene(whole.scene, whole.scene_id);
    await onScene(whole.scene);
  }
  takePicture(whole.picture);
  heard();
  return whole.id;
}

function listen(after, onScene) {
  source?.close();
  source = new EventSource(`/api/stream?after=${encodeURIComponent(after)}`);
  source.addEventListener("change", (event) => {
    const change = JSON.parse(event.data);
    heard();
    syncClock(change.now_ms);
    takeChange(change);
  });
  source.addEventListener("snapshot", (event) => {
    const whole = JSON.parse(event.data);
    heard();
    syncClock(whole.now_ms);
    if (whole.scene_id === model.sceneId) takePicture(whole.picture);
    else start(onScene);
  });
  source.addEventListener("beat", (event) => {
    heard();
    syncClock(JSON.parse(event.data).now_ms);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => start(onScene), AGAIN_MS);
  });
}

/** Fetch the whole, then listen; tries for ever. `onScene` is awaited before the first picture is shown. */
export async function start(onScene) {
  if (starting) return;
  starting = true;
  for (;;) {
    try {
      const after = await fetchWhole(onScene);
      listen(after, onScene);
      break;
    } catch (error) {
      console.warn(`not connected: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  starting = false;
}

/** Let go of the stream, as a machine that sleeps does; `online` or a page that is seen again takes it up. */
export function sleep() {
  source?.close();
}

/** After sleep the browser may hold a dead connection: begin anew when nothing was heard. */
export function watchSleep(onScene) {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && silence()) start(onScene);
  });
  window.addEventListener("online", () => start(onScene));
  setInterval(() => {
    if (silence() > 3 * SILENT_MS) start(onScene);
  }, SILENT_MS);
}
