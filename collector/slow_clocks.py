"""Which live reports come from a clock that is slow, so that they are redated too (decision 183).

A slow clock's dates are possible ones: they look like reports that have waited. What waited came late once, and each
report of a queue that empties is late by less than the one before. A slow clock is late by the same, report after
report, in our time too. Only that is believed, and only of reports whose age the probe's monotonic clock vouches for.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from collector.redating import dated_by
from telemetry.messages import ClockState
from telemetry.windows import LATE_NS, MS_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collector.message import Message
    from telemetry.store.protocol import Received

log = logging.getLogger(__name__)
BEHIND_NS: Final = 60 * SECOND_NS
"""A live report may be late by so much beyond its age: as far as a clock may be ahead."""
STEADY_NS: Final = 5 * SECOND_NS
"""Reports that are late by the same within this are late for the same reason."""
LASTING_NS: Final = 10 * SECOND_NS
"""Late by the same for so long in our time: two reports. A queue hands over both at once."""
LASTING_SYNCHRONISED_NS: Final = 60 * SECOND_NS
"""The same of a probe that says its clock is kept right: a narrow line may delay a few reports alike."""
_KEEP_NS: Final = 2 * WINDOW_NS
_EXPLAINED_NS: Final = 3 * WINDOW_NS // 4
"""A window is the least step; half of it and some more, so that what lies between two does not go to and fro."""
_REMEMBERED: Final = 10_000
_MAX_BOOT: Final = 64


@dataclass(frozen=True, slots=True)
class _Lateness:
    """Of one boot: how late its reports have been since when, and the offset that was found (0: none)."""

    boot: str
    late_ns: int
    since_ns: int
    offset_ns: int = 0


class SlowClocks:
    """Remembers how late the reports of each probe are."""

    def __init__(self) -> None:
        self._probes: OrderedDict[tuple[str, str], _Lateness] = OrderedDict()

    def redated(self, report: Received, message: Message) -> Received | None:
        """The report at its time when its clock is known to be slow; None: its date stands."""
        if message.age_ms is None:
            return None  # nothing tells waiting from a wrong clock
        envelope = report.envelope
        made_ns = report.received_ns - message.age_ms * MS_NS
        late_ns = made_ns - (envelope.start_ns + WINDOW_NS + LATE_NS)
        key = envelope.site, envelope.probe
        known = self._probes.get(key)
        if known is not None and known.boot != envelope.boot[:_MAX_BOOT]:
            known = None
        if report.backlog:
            return _followed(report, known, late_ns)
        if late_ns <= BEHIND_NS:
            self._probes.pop(key, None)
            return None
        known = _learnt(known, report, late_ns)
        self._remember(key, known)
        return dated_by(report, known.offset_ns) if known.offset_ns else None

    def _remember(self, key: tuple[str, str], known: _Lateness) -> None:
        self._probes[key] = known
        self._probes.move_to_end(key)
        if len(self._probes) > _REMEMBERED:
            self._probes.popitem(last=False)


def _followed(report: Received, known: _Lateness | None, late_ns: int) -> Received | None:
    """A report that waited proves nothing, but belongs beside the live ones that the same clock has dated."""
    if known is None or not known.offset_ns or abs(late_ns - known.offset_ns) > _KEEP_NS:
        return None
    return dated_by(report, known.offset_ns)


def _learnt(known: _Lateness | None, report: Received, late_ns: int) -> _Lateness:
    """What is known with this report, which is late."""
    if known is None or abs(late_ns - known.late_ns) > STEADY_NS:
        held = known.offset_ns if known is not None else 0
        if late_ns < held - _KEEP_NS:
            held = 0  # the clock has been set; later than by its offset is late for another reason as well
        return _Lateness(report.envelope.boot[:_MAX_BOOT], late_ns, report.received_ns, held)
    lasting_ns = report.received_ns - known.since_ns
    if lasting_ns < _needed_ns(report) or abs(late_ns - known.offset_ns) <= _EXPLAINED_NS:
        return known
    offset_ns = round(late_ns / WINDOW_NS) * WINDOW_NS
    _tell(report, offset_ns)
    return replace(known, offset_ns=offset_ns)


def _needed_ns(report: Received) -> int:
    says_right = report.envelope.clock.state is ClockState.SYNCHRONISED
    return LASTING_SYNCHRONISED_NS if says_right else LASTING_NS


def _tell(report: Received, offset_ns: int) -> None:
    site, probe, behind_s = report.envelope.site, report.envelope.probe, offset_ns / SECOND_NS
    extra = {"event": "report.slow-clock", "site": site, "probe": probe, "behind_s": behind_s}
    log.warning(
        "the clock of %s/%s is %.0f s behind: its reports are redated", site, probe, behind_s, extra=extra
    )
