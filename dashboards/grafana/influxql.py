"""Questions in InfluxQL, for InfluxDB 1 and for the 1.x-compatible reading of InfluxDB 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.ask import FINE_MS, SLOT, SLOT_WINDOWS, Grain, How
from telemetry.windows import MS_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboards.grafana.ask import Ask

WINDOW_MS = WINDOW_NS // MS_NS
NOW_S = "${__to:date:seconds}"
"""The end of the range, as Grafana writes it in."""


SPAN_MS = "(${__to} - ${__from})"


def query(ask: Ask, prefix: str, column: str = "value") -> str:
    """The statement, with Grafana's macros and variables in it; its result is called `column`."""
    points = f'"{prefix}_{ask.family.value}" WHERE $timeFilter{_matched(ask)}'
    if ask.each:
        inner = f'SELECT last("{ask.field}") AS "last" FROM {points} GROUP BY {_named(ask.each)}'  # noqa: S608 - names of our own
        low, high = ask.between or (None, None)
        only = "" if low is None else f' WHERE "last" >= {low} AND "last" <= {high}'
        return (
            f'SELECT {_times(ask, f"""{ask.how.value}("last")""")} AS "{column}" FROM ({inner}){only} '  # noqa: S608
            f"GROUP BY {_named(ask.by)}"
        )
    groups = _named(ask.by)
    if not ask.over_range:
        step = SLOT if ask.grain is Grain.ROLLUPS else "$__interval"
        groups = f"time({step}), {groups}" if groups else f"time({step})"
    fill = "" if ask.over_range else " fill(null)"
    grouped = f" GROUP BY {groups}" if groups else ""
    return f'SELECT {_figure(ask)} AS "{column}" FROM {points}{grouped}{fill}'  # noqa: S608


def _matched(ask: Ask) -> str:
    """The conditions; one on the span alone is settled before anything is read."""
    matched = "".join(f' AND "{tag}" =~ /^(${{{variable}:raw}})$/' for tag, variable in ask.filters)
    if ask.ahead:
        matched += f' AND "ends_s" > {NOW_S}'
    if ask.grain is not Grain.ANY:
        matched += f" AND {SPAN_MS} {'<=' if ask.grain is Grain.WINDOWS else '>'} {FINE_MS}"
    return matched


def _named(tags: Iterable[str]) -> str:
    return ", ".join(f'"{tag}"' for tag in tags)


def _figure(ask: Ask) -> str:
    if ask.how is How.RATIO:
        return _times(ask, f'sum("{ask.field}") / sum("{ask.under}")')
    if ask.how is How.PRESENT and ask.grain is Grain.ROLLUPS:
        return _times(ask, f'sum("{ask.field}") / {SLOT_WINDOWS}.0')
    if ask.how is How.PRESENT:
        span = "$__range_ms" if ask.over_range else "$__interval_ms"
        return _times(ask, f'count("{ask.field}") / ({span} / {WINDOW_MS}.0)')
    return _times(ask, f'{ask.how.value}("{ask.field}")')


def _times(ask: Ask, figure: str) -> str:
    return figure if ask.times == 1 else f"{figure} * {ask.times}"
