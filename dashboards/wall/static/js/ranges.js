// Spans that the charts offer.

const HOUR_MS = 3600_000;

export const RANGES = {
  "15m": HOUR_MS / 4, "1h": HOUR_MS, "6h": 6 * HOUR_MS, "1d": 24 * HOUR_MS, "7d": 168 * HOUR_MS, "4w": 672 * HOUR_MS, "8w": 1344 * HOUR_MS,
};

/** The span of an address: fixed by `from` and `to`, else the newest `range` (six hours when none is named). */
export function spanOf(query, nowMs) {
  const from = Number(query.get("from"));
  const to = Number(query.get("to"));
  if (query.has("from") && query.has("to") && to - from >= 15_000) return { from, to };
  const length = RANGES[query.get("range")] ?? RANGES["6h"];
  return { from: nowMs - length, to: nowMs };
}
