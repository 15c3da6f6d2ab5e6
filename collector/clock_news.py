"""What is to be said of offices' clocks: which are wrong by how much, said once when it is found and once when it is over.

While it is heard wrong, that is kept anew each day: a clock that nobody hears any more is not told for ever.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from collector.boots import KEEP_NS
from telemetry.state.clocks import ClockSaid
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


class ClockNews:
    """By how much each probe's clock was said to be ahead, of those that are off; and what was said since it was asked for."""

    def __init__(self) -> None:
        self._ahead: dict[tuple[str, str], int] = {}
        self._said_ns: dict[tuple[str, str], int] = {}
        """When that was said last, by us."""
        self._said: list[ClockSaid] = []

    def take_over(self, ahead: Mapping[tuple[str, str], int]) -> None:
        """Go on with what others have said, or we before a restart."""
        self._ahead |= {key: ahead_ns for key, ahead_ns in ahead.items() if key not in self._ahead}

    def is_wrong(self, key: tuple[str, str]) -> bool:
        """As far as was heard."""
        return key in self._ahead

    def note(self, key: tuple[str, str], ahead_ns: int, at_ns: int) -> None:
        """A live report tells that its clock is ahead by so much; negative: behind; 0: it is right."""
        before_ns = self._ahead.get(key, 0)
        if ahead_ns == before_ns or (ahead_ns and before_ns and abs(ahead_ns - before_ns) <= KEEP_NS):
            if before_ns and at_ns - self._said_ns.get(key, 0) > DAY_NS:
                self._say(key, before_ns, at_ns)  # so that who reads knows that it is heard
            return
        self._say(key, ahead_ns, at_ns)
        _tell(key, ahead_ns / SECOND_NS)

    def taken(self) -> list[ClockSaid]:
        """What was said since the last time."""
        said, self._said = self._said, []
        return said

    def _say(self, key: tuple[str, str], ahead_ns: int, at_ns: int) -> None:
        if ahead_ns:
            self._ahead[key], self._said_ns[key] = ahead_ns, at_ns
        else:
            del self._ahead[key]
            self._said_ns.pop(key, None)
        self._said.append(ClockSaid(*key, ahead_ns, at_ns))


def _tell(key: tuple[str, str], ahead_s: float) -> None:
    site, probe = key
    who = {"site": site, "probe": probe}
    if ahead_s < 0:
        extra = {"event": "report.slow-clock", **who, "behind_s": -ahead_s}
        text = "the clock of %s/%s is %.0f s behind: its reports are redated"
        log.warning(text, site, probe, -ahead_s, extra=extra)
    elif ahead_s > 0:
        extra = {"event": "report.fast-clock", **who, "ahead_s": ahead_s}
        text = "the clock of %s/%s is %.0f s ahead: its reports are redated"
        log.warning(text, site, probe, ahead_s, extra=extra)
    else:
        extra = {"event": "report.clock-right", **who}
        log.info("the clock of %s/%s is right again", site, probe, extra=extra)
