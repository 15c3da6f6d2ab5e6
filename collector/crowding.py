"""How many reports of one probe may be dated into one hour: what keeps an hour small enough to be folded whole.

A true hour of a probe has 240 reports, a few more when it restarts often or splits a large one. A forger may number
thousands into one hour, and an hour's block is joined and packed as a whole, so its memory would grow with them.
What is above the bound is refused for now: acknowledged to the broker, neither stored nor accounted for (a tombstone
is a row too), so that its owner keeps it and the gap stays visible. What the store holds already is asked for once
when an hour is first met, so that a restart opens no new account.

The rows that stand in for refused reports lie in the hour of their arrival, whatever they are of: a week of a wrong
clock comes within one hour. They have a bound of their own, which that week does not reach, and take no room from
what the same probe measures meanwhile (decision 180).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from collector.outcome import RefusalCode, Refused
from telemetry.store.protocol import InHour
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.message import Message
    from telemetry.messages import Envelope

    StoredBefore = Callable[[str, str, int], InHour]
    """(site, probe, hour) to how many reports are in the store."""

MOST_REPORTS: Final = 480
"""Two a window."""
MOST_BYTES: Final = 6_000_000
"""25 kB a window: lines over eight paths at the base rate. Folding takes some twenty times as much memory as the payload has bytes."""
MOST_STAND_INS: Final = 100_000
"""An office's backlog comes at 20 a second, 72,000 an hour. Folding so many takes 60 MB."""
REMEMBERED: Final = 20_000
"""Hours that are remembered; the longest unused give way and are asked for again."""

_Hour = tuple[str, str, int]


class Crowding:
    """Counts what each probe dates into each hour. One collector's; several that share a fleet each have their own."""

    def __init__(
        self,
        most_reports: int = MOST_REPORTS,
        most_bytes: int = MOST_BYTES,
        most_stand_ins: int = MOST_STAND_INS,
    ) -> None:
        self._most = (most_reports, most_bytes)
        self._most_stand_ins = most_stand_ins
        self._hours: OrderedDict[_Hour, tuple[int, int]] = OrderedDict()
        """Reports, and their bytes."""
        self._stand_ins: OrderedDict[_Hour, int] = OrderedDict()

    def objection(
        self, envelope: Envelope, message: Message, stored_before: StoredBefore | None
    ) -> Refused | None:
        """Count a report that is about to be taken, or refuse it."""
        key = _hour_of(envelope)
        held = self._hours.pop(key, None) or (_before(stored_before, key).reports, 0)
        reports, size = held[0] + 1, held[1] + len(message.payload)
        is_full = reports > self._most[0] or size > self._most[1]
        self._hours[key] = held if is_full else (reports, size)
        _forget_longest_unused(self._hours)
        if not is_full:
            return None
        detail = (
            f"{envelope.site}/{envelope.probe} has {held[0]} reports of {held[1]} bytes in one hour already; a probe"
            " makes 240: two probes under one name, one that restarts all the time, or a forger"
        )
        return Refused(RefusalCode.CROWDED, detail, message)

    def objection_to_stand_in(
        self, refused: Refused, envelope: Envelope, stored_before: StoredBefore | None
    ) -> Refused | None:
        """The same of what stands in for a refused report, under its own bound; `envelope` is the stand-in's."""
        key = _hour_of(envelope)
        held = self._stand_ins.pop(key, None)
        if held is None:
            held = _before(stored_before, key).written_off
        is_full = held >= self._most_stand_ins
        self._stand_ins[key] = held if is_full else held + 1
        _forget_longest_unused(self._stand_ins)
        if not is_full:
            return None
        detail = (
            f"{held} reports of {envelope.site}/{envelope.probe} were refused within one hour, this one as"
            f" {refused.code}; their numbers are taken note of again in the next: a forger, or a probe gone wild"
        )
        return Refused(RefusalCode.CROWDED, detail, refused.message)


def _hour_of(envelope: Envelope) -> _Hour:
    return envelope.site, envelope.probe, envelope.start_ns - envelope.start_ns % HOUR_NS


def _before(stored_before: StoredBefore | None, key: _Hour) -> InHour:
    return InHour(0, 0) if stored_before is None else stored_before(*key)


def _forget_longest_unused(hours: OrderedDict[_Hour, Any]) -> None:
    if len(hours) > REMEMBERED:
        hours.popitem(last=False)
