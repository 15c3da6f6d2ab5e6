"""Questions in PromQL, for VictoriaMetrics: a metric is `<measurement>_<field>`.

A step's value covers the windows that began in the interval that *ends* there, where InfluxQL names an interval by its beginning.
A window's point lies up to 15 ms behind its start, a roll-up's up to five minutes less 5 s: a look a little ahead of the step finds them
in the step that they belong to, and no step of 15 s is left empty while its neighbour has two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.ask import FINE_MS, SLOT, Grain, How
from dashboards.grafana.influxql import NOW_S, SPAN_MS, WINDOW_MS
from telemetry.store.server.points import Family

if TYPE_CHECKING:
    from dashboards.grafana.ask import Ask


def query(ask: Ask, prefix: str) -> str:
    """The expression, with Grafana's macros and variables in it."""
    figure = _of_newest(ask, prefix) if ask.each else _figure(ask, prefix)
    if ask.times != 1:
        figure = f"({figure}) * {ask.times}"
    if ask.ahead and not ask.each:
        figure = f"({figure}){_still_ahead(ask, prefix, ask.by)}"
    if ask.grain is not Grain.ANY:
        sign = "<=" if ask.grain is Grain.WINDOWS else ">"
        figure = f"({figure}) and on () (vector({SPAN_MS}) {sign} {FINE_MS})"
    return figure


def _figure(ask: Ask, prefix: str) -> str:
    by = f"by ({', '.join(ask.by)})"
    points = _points(ask, prefix, ask.field)
    summed = f"sum {by} (sum_over_time({points}))"
    counted = f"sum {by} (count_over_time({points}))"
    there = summed if ask.grain is Grain.ROLLUPS else counted  # a roll-up says how many windows it has
    span_ms = "$__range_ms" if ask.over_range else "$__interval_ms"
    return {
        How.SUM: summed,
        How.COUNT: counted,
        How.LAST: f"max {by} (last_over_time({points}))",
        How.MEAN: f"{summed} / {counted}",
        How.MAX: f"max {by} (max_over_time({points}))",
        How.MIN: f"min {by} (min_over_time({points}))",
        How.RATIO: f"{summed} / sum {by} (sum_over_time({_points(ask, prefix, ask.under)}))",
        How.PRESENT: f"{there} / ({span_ms} / {WINDOW_MS})",
    }[ask.how]


def _of_newest(ask: Ask, prefix: str) -> str:
    """`how` over the newest of each inner group."""
    newest = f"max by ({', '.join(ask.each)}) (last_over_time({_points(ask, prefix, ask.field)}))"
    if ask.between:
        newest = f"({newest} >= {ask.between[0]} <= {ask.between[1]})"
    if ask.ahead:
        newest += _still_ahead(ask, prefix, ask.each)
    return f"{ask.how.value} by ({', '.join(ask.by)}) ({newest})"


def _still_ahead(ask: Ask, prefix: str, groups: tuple[str, ...]) -> str:
    by = ", ".join(groups)
    ends = f"max by ({by}) (last_over_time({_points(ask, prefix, 'ends_s')}))"
    return f" and on ({by}) ({ends} > {NOW_S})"


def _points(ask: Ask, prefix: str, field: str) -> str:
    matched = ",".join(f'{tag}=~"${{{variable}:raw}}"' for tag, variable in ask.filters)
    points = f"{prefix}_{ask.family.value}_{field}{{{matched}}}"
    span = "$__range" if ask.over_range else "$__interval"
    if ask.grain is Grain.ROLLUPS:  # a slot has a point a version, of which the newest counts
        return f"last_over_time({points}[{SLOT}] offset -299s)[{span}:{SLOT}]"
    return f"{points}[{span}] offset -20ms" if isinstance(ask.family, Family) else f"{points}[{span}]"
