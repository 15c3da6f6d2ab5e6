"""Alerts that a shared fault has left behind: it is over, and they stand for as long as a verdict is not well again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.alerting import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.alerting import Alert
    from telemetry.decisions import Incident
    from telemetry.state.db import StateDb


def left_behind(state: StateDb, alerts: Sequence[Alert], now_ns: int) -> dict[str, int | None]:
    """By id of the alerts whose shared fault is over, since when (ns) the office's lines look well; None: one is degraded still.

    Raises:
        StateError: the state database cannot be read.
    """
    told = [one for one in alerts if one.kind is Kind.NOT_YOUR_LINE]
    found: dict[str, int | None] = {}
    for alert in told:
        fault = state.incident(alert.incident) if alert.incident else None
        if fault is not None and fault.until_ns is not None:
            found[alert.id] = _well_since(state, alert.site, fault, fault.until_ns, now_ns)
    return found


def _well_since(state: StateDb, site: str, fault: Incident, over_ns: int, now_ns: int) -> int | None:
    """As `tatpar flags` has it: the end of the fault, or of the last flag of the office that outlasted it."""
    spells = [
        one.cleared_ns for one in state.flag_history(fault.since_ns, now_ns + 1) if one.flag.site == site
    ]
    if None in spells:
        return None
    return max((over_ns, *(at_ns for at_ns in spells if at_ns is not None)))
