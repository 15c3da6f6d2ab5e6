// What is usual, hour by hour, laid on the steps of a chart.

const HOUR_MS = 3600_000;

/** The band of a figure at each step: `[low, high]`, null where nothing is known. */
export function bandOf(past, figure, series) {
  const band = past?.usual[figure];
  const first = past?.t_ms[0];
  const pick = (values) => series.t_ms.map((t) => values?.[Math.floor((t + series.step_ms / 2 - first) / HOUR_MS)] ?? null);
  return [pick(band?.low), pick(band?.high)];
}
