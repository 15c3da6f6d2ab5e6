"""Questions in InfluxQL, for InfluxDB 1 and for the 1.x-compatible reading of InfluxDB 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.ask import How
from telemetry.windows import MS_NS, WINDOW_NS

if TYPE_CHECKING:
    from dashboards.grafana.ask import Ask

WINDOW_MS = WINDOW_NS // MS_NS
NOW_S = "${__to:date:seconds}"
"""The end of the range, as Grafana writes it in."""


def query(ask: Ask, prefix: str, column: str = "value") -> str:
    """The statement, with Grafana's macros and variables in it; its result is called `column`."""
    groups = [f'"{tag}"' for tag in ask.by]
    if not ask.over_range:
        groups.insert(0, "time($__interval)")
    fill = "" if ask.over_range else " fill(null)"
    matched = "".join(f' AND "{tag}" =~ /^(${{{variable}:raw}})$/' for tag, variable in ask.filters)
    if ask.ahead:
        matched += f' AND "ends_s" > {NOW_S}'
    grouped = f" GROUP BY {', '.join(groups)}" if groups else ""
    return (
        f'SELECT {_figure(ask)} AS "{column}" FROM "{prefix}_{ask.family.value}" '  # noqa: S608 - names of our own
        f"WHERE $timeFilter{matched}{grouped}{fill}"
    )


def _figure(ask: Ask) -> str:
    if ask.how is How.RATIO:
        figure = f'sum("{ask.field}") / sum("{ask.under}")'
    elif ask.how is How.PRESENT:
        figure = (
            f'count("{ask.field}") / (${"__range_ms" if ask.over_range else "__interval_ms"} / {WINDOW_MS}.0)'
        )
    else:
        figure = f'{ask.how.value}("{ask.field}")'
    return figure if ask.times == 1 else f"{figure} * {ask.times}"
