"""A rehearsal as people at a terminal read it, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tatpar.columns import table
from tatpar.json_time import rfc3339
from telemetry.rehearsing import OfficeState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.rehearsing import OfficeProgress, RehearsalRecord

_NONE = "–"


def progress_line(record: RehearsalRecord) -> str:
    """How far it is, in one line."""
    counts = {state: sum(one.state is state for one in record.offices) for state in OfficeState}
    parts = [f"{count} {state.value}" for state, count in counts.items() if count]
    running = sorted({one.rung for one in record.offices if one.state is OfficeState.RUNNING and one.rung})
    stage = f"stage {len(record.starts_ns)}" if record.starts_ns else record.state.value
    on = f" on {', '.join(running)}" if running else ""
    return f"{stage}: {', '.join(parts) or 'waiting for the hub'}{on}"


def report_lines(record: RehearsalRecord) -> list[str]:
    """Each office, then each stage, then the hub."""
    heads = ("office", "stage", "state", "held up", "held down", "up Mbit/s", "down Mbit/s", "why")
    lines = table(heads, [_row(one) for one in sorted(record.offices, key=lambda one: one.stage)])
    hub = record.hub
    if hub is None or not hub.stages:
        return lines
    lines.append("")
    stages = [
        [
            str(one.number),
            str(one.offices),
            f"{_mbps(one.got_up_bps)} of {_mbps(one.wanted_up_bps)}",
            f"{_mbps(one.got_down_bps)} of {_mbps(one.wanted_down_bps)}",
            "yes" if one.is_common else "no",
        ]
        for one in hub.stages
    ]
    lines += table(("stage", "offices", "up Mbit/s", "down Mbit/s", "broke in common"), stages)
    took = f"the hub took {_mbps(hub.took_up_bps)} Mbit/s up and {_mbps(hub.took_down_bps)} down at once"
    common = f"; trouble in common from stage {hub.common_from} on" if hub.common_from else ""
    return [*lines, "", took + common]


def list_lines(records: Iterable[RehearsalRecord]) -> list[str]:
    """The last rehearsals, a line each."""
    rows = [
        [
            rfc3339(one.request.asked_ns),
            one.request.id,
            one.request.meeting,
            one.request.who,
            one.state.value,
            f"{sum(office.state is OfficeState.HELD for office in one.offices)} of {len(one.offices)}",
            one.why or _NONE,
        ]
        for one in records
    ]
    return list(table(("asked", "id", "meeting", "by", "state", "held", "why"), rows))


def plain(record: RehearsalRecord) -> dict[str, object]:
    """As JSON, times in RFC 3339."""
    found: dict[str, object] = msgspec.to_builtins(record)
    for name in ("begun_ns", "stop_ns", "ended_ns"):
        value = getattr(record, name)
        found.pop(name, None)
        found[name.removesuffix("_ns")] = None if value is None else rfc3339(value)
    found.pop("starts_ns", None)
    found["starts"] = [rfc3339(one) for one in record.starts_ns]
    return found


def _row(one: OfficeProgress) -> list[str]:
    return [
        one.site,
        str(one.stage) if one.stage else _NONE,
        one.state.value,
        one.rung_up or _NONE,
        one.rung_down or _NONE,
        _mbps(one.up_bps),
        _mbps(one.down_bps),
        one.why or _NONE,
    ]


def _mbps(bps: float | None) -> str:
    return _NONE if bps is None else f"{bps / 1e6:.2f}"
