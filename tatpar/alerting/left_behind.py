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
    told = [one for one in alerts if one.kind is Kind.NOT_YOUR_LINE and one.incident]
    found: dict[str, int | None] = {}
    for id_ in dict.fromkeys(one.incident for one in told):  # many offices are told of one fault
        fault = state.incident(id_)
        if fault is not None and fault.until_ns is not None:
            well_ns = _well_since(state, fault, fault.until_ns, now_ns)
            found |= {one.id: well_ns.get(one.site, fault.until_ns) for one in told if one.incident == id_}
    return found


def _well_since(state: StateDb, fault: Incident, over_ns: int, now_ns: int) -> dict[str, int | None]:
    """By office that was flagged since the fault began, as `tatpar flags` has it: the fault's end, or that of its last flag that outlasted it."""
    well_ns: dict[str, int | None] = {}
    for spell in state.flag_history(fault.since_ns, now_ns + 1):
        before_ns, until_ns = well_ns.get(spell.flag.site, over_ns), spell.cleared_ns
        well_ns[spell.flag.site] = None if before_ns is None or until_ns is None else max(before_ns, until_ns)
    return well_ns
