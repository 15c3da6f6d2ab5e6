"""Questions in Flux, for InfluxDB 2.

Run by hand on InfluxDB 1.8.0, which speaks it (`python -m tests.grafana.by_hand_flux`); never on an InfluxDB 2. InfluxQL is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.ask import FINE_MS, SLOT, SLOT_WINDOWS, Grain, How
from dashboards.grafana.influxql import WINDOW_MS

if TYPE_CHECKING:
    from dashboards.grafana.ask import Ask


def query(ask: Ask, prefix: str, bucket: str, column: str = "value") -> str:
    """The script, with Grafana's variables in it; its result is called `column`."""
    lines = [_points(ask, prefix, bucket)]
    if ask.each:
        lines += _of_newest(ask, column)
    elif ask.how is How.RATIO:
        lines += [_by(ask, "sum", "_field")]
        keep = ", ".join(f'"{name}"' for name in (*_row(ask), *ask.by))
        lines += [
            f'  |> group()\n  |> pivot(rowKey: [{keep}], columnKey: ["_field"], valueColumn: "_value")',
            f"  |> map(fn: (r) => ({{r with {column}: float(v: r.{ask.field}) / float(v: r.{ask.under}) * {ask.times}.0}}))",
        ]
    elif ask.how is How.PRESENT and ask.grain is Grain.ROLLUPS:
        lines += [
            _by(ask, "sum"),
            f"  |> map(fn: (r) => ({{r with {column}: float(v: r._value) / {SLOT_WINDOWS}.0}}))",
        ]
    elif ask.how is How.PRESENT:
        lines += [
            _by(ask, "count"),
            f"  |> map(fn: (r) => ({{r with {column}: float(v: r._value) / (float(v: int(v: v.windowPeriod)) / 1000000.0 / {WINDOW_MS}.0)}}))",
        ]
    else:
        lines += [
            _by(ask, ask.how.value),
            f"  |> map(fn: (r) => ({{r with {column}: float(v: r._value) * {ask.times}.0}}))",
        ]
    if not ask.over_range:
        lines.append(f"  |> group(columns: [{', '.join(chr(34) + tag + chr(34) for tag in ask.by)}])")
    kept = ", ".join(f'"{name}"' for name in (*_row(ask), column, *ask.by))
    return "\n".join([*lines, f"  |> keep(columns: [{kept}])"])


def _of_newest(ask: Ask, column: str) -> list[str]:
    """`how` over the newest of each inner group."""
    only = ask.between or ()
    bound = [f"  |> filter(fn: (r) => r._value >= {only[0]} and r._value <= {only[1]})"] if only else []
    inner, outer = (", ".join(f'"{name}"' for name in names) for names in (ask.each, ask.by))
    return [
        f"  |> group(columns: [{inner}])\n  |> last()",
        *bound,
        f"  |> group(columns: [{outer}])\n  |> {ask.how.value}()",
        f"  |> map(fn: (r) => ({{r with {column}: float(v: r._value) * {ask.times}.0}}))",
    ]


def _row(ask: Ask) -> tuple[str, ...]:
    return () if ask.over_range else ("_time",)


def _points(ask: Ask, prefix: str, bucket: str) -> str:
    matched = "".join(f" and r.{tag} =~ /^(${{{variable}:raw}})$/" for tag, variable in ask.filters)
    fields = " or ".join(f'r._field == "{name}"' for name in (ask.field, ask.under) if name)
    begun = (
        f'from(bucket: "{bucket}")\n  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)\n'
        f'  |> filter(fn: (r) => r._measurement == "{prefix}_{ask.family.value}"{matched})\n'
    )
    if ask.grain is not Grain.ANY:
        sign = "<=" if ask.grain is Grain.WINDOWS else ">"
        span = "int(v: v.timeRangeStop) - int(v: v.timeRangeStart)"
        begun += f"  |> filter(fn: (r) => {span} {sign} {FINE_MS}000000)\n"
    if not ask.ahead:
        return f"{begun}  |> filter(fn: (r) => {fields})"
    return (
        f'{begun}  |> filter(fn: (r) => {fields} or r._field == "ends_s")\n'
        f'  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")\n'
        f"  |> filter(fn: (r) => exists r.{ask.field} and r.ends_s > int(v: v.timeRangeStop) / 1000000000)\n"
        f'  |> rename(columns: {{{ask.field}: "_value"}})'
    )


def _by(ask: Ask, how: str, *more: str) -> str:
    groups = ", ".join(f'"{name}"' for name in (*ask.by, *more))
    if ask.over_range:
        return f"  |> group(columns: [{groups}])\n  |> {how}()"
    every = SLOT if ask.grain is Grain.ROLLUPS else "v.windowPeriod"
    return (
        f"  |> group(columns: [{groups}])\n"
        f'  |> aggregateWindow(every: {every}, fn: {how}, createEmpty: false, timeSrc: "_start")'
    )
