// What a viewer chose, remembered in the browser: language, light or dark, map or grid. The address may override the language.

const storage = {
  get(name) {
    try { return localStorage.getItem(`tatpar.${name}`); } catch { return null; }
  },
  set(name, value) {
    try { localStorage.setItem(`tatpar.${name}`, value); } catch { /* private windows forget */ }
  },
};

const LANGUAGES = ["hi", "en"];

/** The language of the address, else the remembered one, else the deployment's. */
export function chosenLanguage(fallback) {
  const asked = new URLSearchParams(location.search).get("lang");
  if (LANGUAGES.includes(asked)) {
    storage.set("language", asked);
    return asked;
  }
  const kept = storage.get("language");
  return LANGUAGES.includes(kept) ? kept : fallback;
}

export function chooseLanguage(language) {
  storage.set("language", language);
  const address = new URL(location.href);
  if (address.searchParams.has("lang")) {
    address.searchParams.set("lang", language);
    history.replaceState(null, "", address);
  }
}

export const otherLanguage = (language) => (language === "hi" ? "en" : "hi");

/** `dark` or `light`: asked for in the address, chosen, or the system's. */
export function theme() {
  const asked = new URLSearchParams(location.search).get("theme");
  const kept = asked ?? storage.get("theme");
  if (kept === "dark" || kept === "light") return kept;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export function setTheme(wanted) {
  storage.set("theme", wanted);
  applyTheme(wanted);
}

export function applyTheme(wanted = theme()) {
  document.documentElement.dataset.theme = wanted;
}

export const fleetView = () => (storage.get("view") === "grid" ? "grid" : "map");
export const setFleetView = (view) => storage.set("view", view);
