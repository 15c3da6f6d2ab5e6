// Putting the page together: one header, one footer, and between them the page that the address names.

import { createAnnouncer } from "./announce.js";
import { createControls } from "./controls.js";
import { h, setText } from "./dom.js";
import { createFooter } from "./footer.js";
import { createHeader } from "./header.js";
import { createIncidentsPage } from "./incidents.js";
import { createHelp, listenToKeys } from "./keys.js";
import { createMeetingPage } from "./meeting.js";
import { createMeetingsPage } from "./meetings.js";
import { model, subscribe } from "./model.js";
import { createNav } from "./nav.js";
import { createOutageBar } from "./outage_bar.js";
import {
  applyTheme, chooseLanguage, chosenLanguage, fleetView, otherLanguage, setFleetView, setTheme, theme,
} from "./preferences.js";
import { parse } from "./router.js";
import { createSitePage } from "./site.js";
import { start, watchSleep } from "./stream.js";
import { createVisitor, meet } from "./visitor.js";
import { createWall } from "./wall.js";
import { language, loadWords, nameOf, say } from "./words.js";

applyTheme();

const help = createHelp();
const controls = createControls({ switchView, switchLanguage, switchTheme, openHelp: help.open });
const nav = createNav();
const header = createHeader(nav.element, controls.element);
const footer = createFooter();
const visitor = createVisitor();
const outage = createOutageBar();
const announcer = createAnnouncer();
const wall = createWall();
const pages = {
  wall, meeting: createMeetingPage(), meetings: createMeetingsPage(), incidents: createIncidentsPage(), site: createSitePage(),
};
const skip = h("a", { class: "skip", href: "#content", onclick: skipToContent });
const content = h("main", { id: "content", tabindex: "-1" });
let current = null;

function build() {
  footer.element.append(visitor.element);
  document.body.append(skip, outage.element, header.element, content, footer.element, announcer.element, help.element);
}

function route() {
  if (!model.scene) return;
  const address = parse(location.hash);
  const page = pages[address.page];
  const arriving = current !== page;
  const first = current === null;
  if (arriving) {
    current?.close?.();
    current = page;
    content.replaceChildren(page.element);
    document.documentElement.dataset.page = address.page;
  }
  nav.at(address.page);
  page.open(address);
  setText(document.querySelector("title"), title(address));
  if (arriving && !first && document.activeElement === document.body) content.focus({ preventScroll: true });
}

function title(address) {
  const { name } = model.scene;
  if (address.page === "site" && model.offices.has(address.id)) return `${nameOf(model.offices.get(address.id))} · ${name}`;
  if (address.page === "meetings" || address.page === "incidents") return `${say(`views.${address.page}`)} · ${name}`;
  if (address.page === "meeting") return `${say("wall.meeting")} · ${name}`;
  return `${say("wall.title")} · ${name}`;
}

function skipToContent(event) {
  event.preventDefault();
  (content.querySelector("a, button") ?? content).focus();
}

async function takeScene(scene) {
  await meet();
  await loadWords(chosenLanguage(scene.language), scene.timezone);
  await document.fonts.load("600 17px 'Noto Sans'").catch(() => []);
  await document.fonts.load("600 17px 'Noto Sans Devanagari'", "क").catch(() => []);
  if (!document.body.contains(content)) build();
  relabel();
}

function relabel() {
  setText(skip, say("wall.skip"));
  controls.render();
  nav.render();
  visitor.render();
  for (const part of [footer, ...Object.values(pages)]) part.relabel();
}

function switchView(view) {
  setFleetView(typeof view === "string" ? view : fleetView() === "map" ? "grid" : "map");
  controls.render();
  wall.showView();
}

async function switchLanguage() {
  const wanted = otherLanguage(language());
  chooseLanguage(wanted);
  await loadWords(wanted, model.scene.timezone);
  relabel();
  header.render();
  route();
}

function switchTheme() {
  setTheme(theme() === "dark" ? "light" : "dark");
  controls.render();
  pages.site.redraw();
  wall.redraw();
}

subscribe((change) => {
  if (change.whole) route();
  if (change.whole || change.sites.size || change.meetings) header.render();
  if (change.whole || change.sites.size || change.flags || change.health) footer.render();
  if (change.whole || change.health) nav.render();
  if (!change.whole) current?.render?.(change);
  announcer.hear(change.shades);
});

setInterval(() => {
  if (!content.isConnected) return; // no words yet
  outage.tick();
  header.tick();
  footer.tick();
  current?.tick?.();
}, 1000);

window.addEventListener("hashchange", route);
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => applyTheme());
listenToKeys({ switchView, switchLanguage, switchTheme, help });
watchSleep(takeScene);
start(takeScene);
