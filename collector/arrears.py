"""How much one probe may deliver at once: what a full spool holds, and from then on what it can make, by our own clock.

The bound of an hour (`crowding.py`) counts by the dates that a probe gives: a forger dates into every hour of three
months and fills the disk in minutes. This one counts by arrival. What a truthful probe has to send is what lay in its
spool when we met it, and what it has made since; only a spool that is nearly full, sent twice to a slow hub, is above. What is above is refused for now, as there:
acknowledged to the broker, neither stored nor accounted for, so that its owner keeps it and sends it again.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from collector.crowding import MOST_BYTES as MADE_IN_AN_HOUR
from collector.crowding import REMEMBERED
from collector.outcome import RefusalCode, Refused
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collector.message import Message
    from telemetry.messages import Envelope

FULL_SPOOL_BYTES: Final = 1_200_000_000
"""`[spool] megabytes` at an office: a month of reports is 560 to 660 MB (docs/endurance.md)."""


class Arrears:
    """What each probe may still deliver. One collector's; after a restart every account is full again."""

    def __init__(self, most_bytes: int = FULL_SPOOL_BYTES, bytes_an_hour: int = MADE_IN_AN_HOUR) -> None:
        self._most = most_bytes
        self._an_hour = bytes_an_hour
        self._accounts: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        """Of each probe how many bytes it may deliver, as of when."""

    def objection(self, envelope: Envelope, message: Message) -> Refused | None:
        """Charge a report that is about to be taken, or refuse it."""
        key, now_ns, size = (envelope.site, envelope.probe), message.received_ns, len(message.payload)
        left, as_of_ns = self._accounts.pop(key, (self._most, now_ns))
        earned = max(now_ns - as_of_ns, 0) * self._an_hour // HOUR_NS
        if earned:  # else the time goes on counting: small steps would be rounded away
            left, as_of_ns = min(left + earned, self._most), now_ns
        is_over = size > left
        self._accounts[key] = (left if is_over else left - size, min(as_of_ns, now_ns))
        if len(self._accounts) > REMEMBERED:
            self._accounts.popitem(last=False)
        if not is_over:
            return None
        detail = (
            f"{envelope.site}/{envelope.probe} has delivered more than a full spool and all that it can have made since"
            f" ({self._most // 1_000_000} MB, and {self._an_hour / 1e6:g} MB an hour): a forger, or a probe gone wild"
        )
        return Refused(RefusalCode.CROWDED, detail, message)
