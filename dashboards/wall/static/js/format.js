// Numbers, durations and times as people read them. The twin of telemetry/words/format.py: a test holds both to
// the same texts. Latin digits in both languages, at most two significant digits, a true minus sign.

const NBSP = "\u00a0";
const TAG = { hi: "hi-IN-u-nu-latn", en: "en" };

let language = "hi";
let zone = "Asia/Kolkata";
let units = {};
let decimals, whole, plural, clockFormat, secondsFormat, dateParts, shortParts;

/** Take up a language, a time zone and the words of the units. */
export function setLocale(newLanguage, newZone, newUnits) {
  language = newLanguage;
  zone = newZone ?? zone;
  units = newUnits ?? units;
  decimals = new Intl.NumberFormat(TAG[language], { maximumFractionDigits: 6 });
  whole = new Intl.NumberFormat(TAG[language], { maximumFractionDigits: 0 });
  plural = new Intl.PluralRules(language);
  clockFormat = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  secondsFormat = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  dateParts = new Intl.DateTimeFormat(TAG[language], { timeZone: zone, weekday: "long", day: "numeric", month: "long" });
  shortParts = new Intl.DateTimeFormat(TAG[language], { timeZone: zone, day: "numeric", month: language === "hi" ? "long" : "short" });
}

export const isOne = (n) => plural.select(n) === "one";
export const decimal = (n) => decimals.format(n).replace("-", "−");
export const count = (n) => whole.format(Math.round(n)).replace("-", "−");

/** Rounded half away from zero to so many significant digits. */
export function significant(n, digits = 2) {
  if (n === 0 || !Number.isFinite(n)) return n;
  const power = digits - 1 - Math.floor(Math.log10(Math.abs(n)));
  const size = Math.floor(Math.abs(n) * 10 ** power + 0.5 + 1e-9);
  return Math.sign(n) * (power >= 0 ? size / 10 ** power : size * 10 ** -power);
}

function withUnit(n, unit) {
  const [one, many] = units[unit] ?? [unit, unit];
  return decimal(n) + NBSP + (isOne(n) ? one : many);
}

/** A ratio as every screen rounds it: two significant digits of the percentage; only the whole is 1. */
export function ratioShown(ratio) {
  const rounded = significant(100 * ratio);
  return ratio < 1 && rounded / 100 >= 1 ? 0.99 : rounded / 100;
}

const LEAST_PERCENT = 0.01;

/** A ratio in per cent; only nothing is 0 %, what is next to nothing "< 0.01 %". */
export function percent(ratio) {
  const shown = significant(100 * ratioShown(ratio));
  if (shown > 0 && shown < LEAST_PERCENT) return "<" + NBSP + decimal(LEAST_PERCENT) + NBSP + "%";
  return decimal(shown) + NBSP + "%";
}

export const ms = (value) => decimal(significant(value)) + NBSP + "ms";

/** A mean opinion score: one decimal, as far as an estimate goes. */
export const mos = (value) => decimal(significant(value));

export function rate(bps) {
  const mega = significant(bps / 1e3) >= 1000;
  return withUnit(significant(bps / (mega ? 1e6 : 1e3)), mega ? "mbit" : "kbit");
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return withUnit(s, "s");
  if (s < 3600) return withUnit(Math.floor(s / 60), "min");
  const [size, unit, restSize, restUnit] = s < 86400 ? [3600, "h", 60, "min"] : [86400, "d", 3600, "h"];
  const rest = Math.floor((s % size) / restSize);
  const text = withUnit(Math.floor(s / size), unit);
  return rest ? text + " " + withUnit(rest, restUnit) : text;
}

export const clock = (timeMs) => clockFormat.format(timeMs);
export const clockSeconds = (timeMs) => secondsFormat.format(timeMs);

/** The minute that a time lies in: equal for times that have one clock on one day. */
export const minute = (timeMs) => Math.floor(timeMs / 60_000);

export function date(timeMs) {
  const part = Object.fromEntries(dateParts.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  return language === "hi" ? `${part.day} ${part.month}, ${part.weekday}` : `${part.weekday} ${part.day} ${part.month}`;
}

export const moment = (timeMs) => language === "hi" ? `${date(timeMs)}, ${clock(timeMs)} बजे` : `${date(timeMs)}, ${clock(timeMs)}`;

/** A time not long ago: of today the clock alone, else with its day where room is scarce. */
export function dayClock(timeMs, nowMs) {
  if (midnight(timeMs) === midnight(nowMs)) return clock(timeMs);
  const part = Object.fromEntries(shortParts.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  return `${part.day} ${part.month} ${clock(timeMs)}`;
}

/** A value in the unit of a reason. */
export function measure(value, unit) {
  const kind = { ratio: percent, ms, bps: rate, s: duration }[unit] ?? decimal;
  return kind(value);
}

/** Hours, minutes and seconds until something, for the big countdown. */
export function countdown(milliseconds) {
  const s = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n) => String(n).padStart(2, "0");
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** Midnight (ms) at or before a time, in the deployment's zone. */
export function midnight(timeMs) {
  const [hours, minutes] = clock(timeMs).split(":").map(Number);
  const start = timeMs - (hours * 60 + minutes) * 60000;
  return start - (start % 60000);
}

/** Hour of the day with its fraction, in the deployment's zone. */
export function hourOfDay(timeMs) {
  const [hours, minutes] = clock(timeMs).split(":").map(Number);
  return hours + minutes / 60;
}
