"""What one site may have waiting, and the book of what was refused for now.

A message that is refused for now is acknowledged to the broker (reason 0x97, quota exceeded), not stored and not
accounted for. So `stored` never covers it, and the probe sends it again from its spool.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
EVERYONE_ELSE: Final = "*"
QUIET_S: Final = 60.0
"""A site of which nothing was refused for so long is within its quota again: a flood makes two lines, not two a second."""
_SITES: Final = 1000


@dataclass(frozen=True, slots=True)
class Quota:
    """What may wait of one site and rank once the inbox is more than half full."""

    messages: int
    bytes: int

    def is_passed(self, messages: int, size: int) -> bool:
        """Whether a site that has so much waiting may add nothing."""
        return messages >= self.messages or size >= self.bytes


class Deferrals:
    """Messages refused for now: in total, by site (a bounded table), and which sites are being refused at present."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.total = 0
        self.by_site: Counter[str] = Counter()
        """At most 1000 sites; those that do not fit are counted together as `*`."""
        self._floods: dict[str, _Flood] = {}

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites that are over their quota."""
        return tuple(self._floods)

    def note(self, site: str) -> None:
        """One message of a site was refused for now."""
        self.total += 1
        name = site if site in self.by_site or len(self.by_site) < _SITES else EVERYONE_ELSE
        self.by_site[name] += 1
        flood = self._floods.get(name)
        if flood is None:
            flood = self._floods[name] = _Flood()
            log.warning(
                "site %s sends more than its share while the inbox is crowded; refused for now,"
                " its probes send it again",
                name,
                extra={"event": "share.exceeded", "site": name},
            )
        flood.refused += 1
        flood.last_s = self._now()

    def look(self) -> None:
        """See which floods are over."""
        for site, flood in list(self._floods.items()):
            if self._now() - flood.last_s >= QUIET_S:
                del self._floods[site]
                log.warning(
                    "site %s is within its share again; %d messages were refused for now",
                    site,
                    flood.refused,
                    extra={"event": "share.kept", "site": site, "count": flood.refused},
                )


@dataclass(slots=True)
class _Flood:
    """A site that is over its quota: how many were refused since it began, and when the last one was."""

    refused: int = 0
    last_s: float = 0.0
