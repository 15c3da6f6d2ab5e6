"""Who is heard: which offices are dark, and whether it is we who are deaf.

An office is dark when no window came for `dark_after_ns` and its presence is lost; or when its presence says
online and still nothing comes while others are heard. When nobody is heard the fault is ours (a collector
or broker that is down), and an office counts as silent only from the time when we hear again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from telemetry.windows import SILENT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from telemetry.control import Presence


@dataclass(slots=True)
class Contact:
    """Keeps since when we listen, and since when we hear anyone."""

    listening_since_ns: int
    _taken_on_ns: dict[str, int] = field(default_factory=dict)
    _hearing_since_ns: int | None = field(default=None)
    _taken_in_ns: int | None = field(default=None)

    def took(self, now_ns: int) -> None:
        """Something was taken in, from whomever and however old."""
        self._taken_in_ns = now_ns

    def takes_in(self, now_ns: int) -> bool:
        """Whether the headquarters' collector and broker are seen at work, whoever is silent."""
        return self._taken_in_ns is not None and now_ns - self._taken_in_ns <= SILENT_NS

    def listen_anew(self, now_ns: int) -> None:
        """We could hear nobody until now, and have not noticed by the silence."""
        self.listening_since_ns = now_ns
        self._hearing_since_ns = None

    def take_on(self, sites: Iterable[str], now_ns: int) -> None:
        """Offices from which nothing was expected until now: they were put on the list, or linked, while we listened."""
        self._taken_on_ns.update(dict.fromkeys(sites, now_ns))

    def listening_to_ns(self, sites: Sequence[str]) -> NDArray[np.int64]:
        """(S,): since when we listen to each office."""
        taken_on = np.array([self._taken_on_ns.get(site, 0) for site in sites], dtype=np.int64)
        return np.maximum(taken_on, self.listening_since_ns)

    def hearing_since_ns(self, last_end_ns: NDArray[np.int64], now_ns: int) -> int:
        """Since when we listen and anybody is heard; `last_end_ns` as in `dark`."""
        return max(self._hearing(last_end_ns, now_ns) or 0, self.listening_since_ns)

    def dark(
        self,
        sites: Sequence[str],
        last_end_ns: NDArray[np.int64],
        offline: NDArray[np.bool_],
        now_ns: int,
        dark_after_ns: int,
    ) -> NDArray[np.bool_]:
        """(S,): offices without contact.

        Args:
            sites: their names.
            last_end_ns: (S,) end of the newest window of each office, 0 when there is none.
            offline: (S,) the office's presence is lost.
            now_ns: the present.
            dark_after_ns: how long an office may be silent.
        """
        hearing = self._hearing(last_end_ns, now_ns)
        own = np.maximum(last_end_ns, self.listening_to_ns(sites))
        unheard = now_ns - own > dark_after_ns
        if hearing is None:
            return np.asarray(unheard & offline)
        beside_others = now_ns - np.maximum(own, hearing) > dark_after_ns
        return np.asarray((unheard & offline) | beside_others)

    def _hearing(self, last_end_ns: NDArray[np.int64], now_ns: int) -> int | None:
        newest = int(last_end_ns.max(initial=0))
        if newest == 0 or now_ns - newest > SILENT_NS:
            self._hearing_since_ns = None
        elif self._hearing_since_ns is None:
            self._hearing_since_ns = now_ns
        return self._hearing_since_ns


def left(presence: Mapping[tuple[str, str], Presence]) -> set[str]:
    """Sites whose probes have all gone by their own word: they were ended in order, and are silent for no fault."""
    stay = {site for (site, _), each in presence.items() if each.online or not each.left}
    return {site for site, _ in presence} - stay


def offline(sites: Sequence[str], presence: Mapping[tuple[str, str], Presence]) -> NDArray[np.bool_]:
    """(S,): sites that have said so, and of which no probe is online."""
    online: dict[str, bool] = {}
    for (site, _), each in presence.items():
        online[site] = online.get(site, False) or each.online
    return np.array([not online.get(site, True) for site in sites], dtype=bool)
