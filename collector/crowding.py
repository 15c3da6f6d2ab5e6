"""How many reports of one probe may be dated into one hour: what keeps an hour small enough to be folded whole.

A true hour of a probe has 240 reports, a few more when it restarts often or splits a large one. A forger may number
thousands into one hour, and an hour's block is joined and packed as a whole, so its memory would grow with them.
What is above the bound is refused for now: acknowledged to the broker, neither stored nor accounted for (a tombstone
is a row too), so that its owner keeps it and the gap stays visible. What the store holds already is asked for once
when an hour is first met, so that a restart opens no new account.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from collector.outcome import RefusalCode, Refused
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.message import Message
    from telemetry.messages import Envelope

    StoredBefore = Callable[[str, str, int], int]
    """(site, probe, hour) to how many reports are in the store."""

MOST_REPORTS: Final = 480
"""Two a window."""
MOST_BYTES: Final = 6_000_000
"""25 kB a window: lines over eight paths at the base rate. Folding takes some twenty times as much memory as the payload has bytes."""
REMEMBERED: Final = 20_000
"""Hours that are remembered; the longest unused give way and are asked for again."""

_Hour = tuple[str, str, int]


class Crowding:
    """Counts what each probe dates into each hour. One collector's; several that share a fleet each have their own."""

    def __init__(self, most_reports: int = MOST_REPORTS, most_bytes: int = MOST_BYTES) -> None:
        self._most = (most_reports, most_bytes)
        self._hours: OrderedDict[_Hour, tuple[int, int]] = OrderedDict()

    def objection(
        self, envelope: Envelope, message: Message, stored_before: StoredBefore | None
    ) -> Refused | None:
        """Count a report that is about to be taken, or refuse it."""
        hour_ns = envelope.start_ns - envelope.start_ns % HOUR_NS
        key = (envelope.site, envelope.probe, hour_ns)
        held = self._hours.pop(key, None)
        if held is None:
            held = (0 if stored_before is None else stored_before(*key), 0)
        reports, size = held[0] + 1, held[1] + len(message.payload)
        is_full = reports > self._most[0] or size > self._most[1]
        self._hours[key] = held if is_full else (reports, size)
        if len(self._hours) > REMEMBERED:
            self._hours.popitem(last=False)
        if not is_full:
            return None
        detail = (
            f"{envelope.site}/{envelope.probe} has {held[0]} reports of {held[1]} bytes in one hour already; a probe"
            " makes 240: two probes under one name, one that restarts all the time, or a forger"
        )
        return Refused(RefusalCode.CROWDED, detail, message)
