"""Giving reports of a wrong clock their time back, so that none is lost (decision 042).

A probe without a battery clock starts in 1970 until it has found the time. Its reports still carry what its
monotonic clock knows: how old they are. One offset per boot, a whole number of windows, is fixed by the first
such report and kept, so that consecutive windows stay consecutive.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from collector.outcome import Misdated, RefusalCode, Refused
from telemetry.messages import Clock, ClockState
from telemetry.windows import LATE_NS, MS_NS, WINDOW_NS

if TYPE_CHECKING:
    from telemetry.store.protocol import Received

REMEMBERED: Final = 10_000
"""Boots whose offset is remembered; the longest unused give way."""
_MAX_BOOT: Final = 64  # a true one has 36 signs; what is remembered of a forger is no longer
_KEEP_NS: Final = 2 * WINDOW_NS
_MAX_OFFSET_MS: Final = 1e12  # what the message type can say


@dataclass(frozen=True, slots=True)
class Redated:
    """A report under its new time; its `clock` says by how much the probe's own was off."""

    report: Received
    offset_ns: int


class Redater:
    """Remembers the offset of each boot with a wrong clock."""

    def __init__(self) -> None:
        self._offsets: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def redate(self, misdated: Misdated) -> Redated | Refused:
        """The report at its estimated time, or refused when nothing tells its age."""
        envelope = misdated.report.envelope
        age_ns = _age_ns(misdated)
        if age_ns is None:
            detail = f"start_ns {envelope.start_ns} cannot be, and no age-ms says when it was"
            return Refused(RefusalCode.CLOCK, detail, misdated.message, envelope)
        estimate_ns = misdated.report.received_ns - age_ns
        offset_ns = self._offset(misdated, estimate_ns - envelope.start_ns)
        if envelope.start_ns + offset_ns < 0:
            detail = f"an age of {age_ns // MS_NS} ms lies before all time"
            return Refused(RefusalCode.CLOCK, detail, misdated.message, envelope)
        return Redated(dated_by(misdated.report, offset_ns), offset_ns)

    def _offset(self, misdated: Misdated, wanted_ns: int) -> int:
        envelope = misdated.report.envelope
        key = (envelope.site, envelope.probe, envelope.boot[:_MAX_BOOT])
        known = self._offsets.pop(key, None)
        if known is None or abs(wanted_ns - known) > _KEEP_NS:
            known = round(wanted_ns / WINDOW_NS) * WINDOW_NS
        self._offsets[key] = known
        if len(self._offsets) > REMEMBERED:
            self._offsets.popitem(last=False)
        return known


def dated_by(report: Received, offset_ns: int) -> Received:
    """The report in the window that an offset of its clock leads to; its `clock` says how far that was off."""
    envelope = report.envelope
    start_ns = envelope.start_ns + offset_ns
    start_ns -= start_ns % WINDOW_NS
    clock = envelope.clock  # right after all, when the report is merely very old
    if abs(offset_ns) > _KEEP_NS:
        clock = _wrong_clock(clock, envelope.start_ns - start_ns)
    return replace(
        report, envelope=msgspec.structs.replace(envelope, start_ns=start_ns, clock=clock), payload=b""
    )


def _age_ns(misdated: Misdated) -> int | None:
    """Time since the window's start, from the time since the report was made: told, or none to speak of when live."""
    age_ms = misdated.message.age_ms
    if age_ms is None and not misdated.is_live:
        return None
    return (age_ms or 0) * MS_NS + LATE_NS + WINDOW_NS


def _wrong_clock(clock: Clock, ahead_ns: int) -> Clock:
    ahead_ms = ahead_ns / MS_NS
    return msgspec.structs.replace(
        clock,
        state=ClockState.UNSYNCHRONISED,
        offset_ms=ahead_ms if abs(ahead_ms) <= _MAX_OFFSET_MS else None,
    )
