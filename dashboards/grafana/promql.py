"""Questions in PromQL, for VictoriaMetrics: a metric is `<measurement>_<field>`.

A window's point lies at the window's start; a step's value covers the interval that *ends* there, where InfluxQL names
an interval by its beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.ask import How
from dashboards.grafana.influxql import NOW_S, WINDOW_MS

if TYPE_CHECKING:
    from dashboards.grafana.ask import Ask


def query(ask: Ask, prefix: str) -> str:
    """The expression, with Grafana's macros and variables in it."""
    by = f"by ({', '.join(ask.by)})"
    points = _points(ask, prefix, ask.field)
    summed = f"sum {by} (sum_over_time({points}))"
    counted = f"sum {by} (count_over_time({points}))"
    span_ms = "$__range_ms" if ask.over_range else "$__interval_ms"
    figure = {
        How.SUM: summed,
        How.COUNT: counted,
        How.LAST: f"max {by} (last_over_time({points}))",
        How.MEAN: f"{summed} / {counted}",
        How.MAX: f"max {by} (max_over_time({points}))",
        How.MIN: f"min {by} (min_over_time({points}))",
        How.RATIO: f"{summed} / sum {by} (sum_over_time({_points(ask, prefix, ask.under)}))",
        How.PRESENT: f"{counted} / ({span_ms} / {WINDOW_MS})",
    }[ask.how]
    if ask.times != 1:
        figure = f"({figure}) * {ask.times}"
    if ask.ahead:
        ends = f"max {by} (last_over_time({_points(ask, prefix, 'ends_s')}))"
        figure = f"({figure}) and on ({', '.join(ask.by)}) ({ends} > {NOW_S})"
    return figure


def _points(ask: Ask, prefix: str, field: str) -> str:
    matched = ",".join(f'{tag}=~"${{{variable}:raw}}"' for tag, variable in ask.filters)
    span = "$__range" if ask.over_range else "$__interval"
    return f"{prefix}_{ask.family.value}_{field}{{{matched}}}[{span}]"
