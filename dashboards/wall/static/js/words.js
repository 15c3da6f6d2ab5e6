// The catalogue in the browser: the keys and placeholders of telemetry/words.

import * as format from "./format.js";
import { now } from "./model.js";

const FORMATTERS = {
  count: format.count, percent: format.percent, chance: format.percent, ms: format.ms, rate: format.rate,
  duration: format.duration, clock: format.clock, date: format.date, moment: format.moment,
  dayclock: (timeMs) => format.dayClock(timeMs, now()),
};
const PLACEHOLDER = /\{([a-z_]+)(?::([a-z]+))?\}/g;

let texts = {};
let current = "hi";

export const language = () => current;

/** Fetch a language's words. `scene` gives the zone. */
export async function loadWords(wanted, timezone) {
  const answer = await fetch(`/api/words/${wanted}.json`);
  if (!answer.ok) throw new Error(`words: ${answer.status}`);
  const { words, units } = await answer.json();
  texts = words;
  current = wanted;
  format.setLocale(wanted, timezone, units);
  document.documentElement.lang = wanted;
}

export const knows = (key) => key in texts;

/** The words of a key with its placeholders filled; times in ms since the Unix epoch. */
export function say(key, values = {}) {
  const one = typeof values.n === "number" && format.isOne(values.n) ? texts[`${key}#one`] : undefined;
  const text = one ?? texts[key];
  if (text === undefined) {
    console.error(`no words for ${key}`);
    return key;
  }
  return text.replace(PLACEHOLDER, (_, name, kind) => {
    const value = values[name];
    if (kind) return FORMATTERS[kind](value);
    return typeof value === "number" ? format.decimal(value) : value;
  });
}

/** A name in the viewer's language: of an office, a region, an end, a meeting. */
export const nameOf = (thing) => (current === "en" ? thing.en || thing.hi : thing.hi || thing.en);

export const sayShade = (shade) => say(`state.${shade}`);
export const sayAction = (action) => (action && action !== "none" ? say(`action.${action}`) : "");

/** The codec that the estimate of a call's sound assumes, and whether another one's figures stand in for it. */
export const codecName = ({ codec, proxy }) => (proxy ? say("wall.codec_proxy", { codec }) : codec);
