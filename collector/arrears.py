"""How much one probe may deliver at once: what a full spool holds, and from then on what it can make, by our own clock.

The bound of an hour (`crowding.py`) counts by the dates that a probe gives: a forger dates into every hour of three
months and fills the disk in minutes. This one counts by arrival, and counts what is refused with its number too, for a
row stands in for it (decision 180). What a truthful probe has to send is what lay in its spool when we met it, and what
it has made since; only a spool that is nearly full, sent twice to a slow hub, is above. What is above is refused for
now, as there: acknowledged to the broker, neither stored nor accounted for, so that its owner keeps it and sends it again.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from msgspec import ValidationError, convert

from collector.crowding import MOST_BYTES as MADE_IN_AN_HOUR
from collector.crowding import REMEMBERED
from collector.outcome import RefusalCode, Refused
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.message import Message
    from telemetry.messages import Envelope

FULL_SPOOL_BYTES: Final = 1_200_000_000
"""`[spool] megabytes` at an office: a month of reports is 560 to 660 MB (docs/endurance.md)."""
LEAST_BYTES: Final = 1_000
"""A report counts so much at least: an empty one of 240 bytes takes 520 to 670 on the disk, for its number is kept for ever."""
HANDED_OVER: Final = 500
"""Accounts that go with the heartbeat at most, the emptiest first (about 40 kB)."""

Account = tuple[str, str, int, int]
"""Site, probe, how many bytes it may deliver, as of when."""


class Arrears:
    """What each probe may still deliver. One collector's, whose heartbeat keeps over a restart what is far from full."""

    def __init__(self, most_bytes: int = FULL_SPOOL_BYTES, bytes_an_hour: int = MADE_IN_AN_HOUR) -> None:
        self._most = most_bytes
        self._an_hour = bytes_an_hour
        self._accounts: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        """Of each probe how many bytes it may deliver, as of when."""
        self._lock = Lock()
        """The heartbeat reads what the examining thread writes."""

    def objection(self, envelope: Envelope, message: Message) -> Refused | None:
        """Charge a report that is about to be taken, or to be refused with its number; or refuse it for now."""
        with self._lock:
            is_over = self._is_over(envelope, message.received_ns, max(len(message.payload), LEAST_BYTES))
        if not is_over:
            return None
        detail = (
            f"{envelope.site}/{envelope.probe} has delivered more than a full spool and all that it can have made since"
            f" ({self._most // 1_000_000} MB, and {self._an_hour / 1e6:g} MB an hour): a forger, or a probe gone wild"
        )
        return Refused(RefusalCode.CROWDED, detail, message)

    def _is_over(self, envelope: Envelope, now_ns: int, size: int) -> bool:
        key = (envelope.site, envelope.probe)
        left, as_of_ns = self._accounts.pop(key, (self._most, now_ns))
        earned = self._earned(as_of_ns, now_ns)
        if earned:  # else the time goes on counting: small steps would be rounded away
            left, as_of_ns = min(left + earned, self._most), now_ns
        is_over = size > left
        self._accounts[key] = (left if is_over else left - size, min(as_of_ns, now_ns))
        if len(self._accounts) > REMEMBERED:
            self._accounts.popitem(last=False)
        return is_over

    def _earned(self, as_of_ns: int, now_ns: int) -> int:
        return max(now_ns - as_of_ns, 0) * self._an_hour // HOUR_NS

    def handover(self, now_ns: int) -> list[Account]:
        """The accounts that lack more than an hour's worth by now, as plain values: others are as good as full."""
        with self._lock:
            accounts = list(self._accounts.items())
        spent = [
            (*key, left, as_of_ns)
            for key, (left, as_of_ns) in accounts
            if left + self._earned(as_of_ns, now_ns) < self._most - self._an_hour
        ]
        return sorted(spent, key=lambda one: one[2])[:HANDED_OVER]

    def take_over(self, told: Iterable[object]) -> None:
        """Go on where collectors were when their hearts last beat; of several that tell of a probe the emptiest account counts."""
        with self._lock:
            for site, probe, left, as_of_ns in (one for plain in told for one in _accounts_in(plain)):
                known = self._accounts.get((site, probe))
                if known is None or left < known[0]:
                    self._accounts[site, probe] = (min(left, self._most), as_of_ns)


def _accounts_in(plain: object) -> list[Account]:
    try:
        return convert(plain, list[Account])
    except ValidationError:
        return []
