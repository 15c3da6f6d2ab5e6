"""Who should speak and does not: the linked sites from which no report has come for a while.

Only the registry knows who should speak; a broker's list of clients does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Silent:
    """A site that does not speak; `since_ns` is None when it never has."""

    site: str
    since_ns: int | None


@dataclass(frozen=True, slots=True)
class Transitions:
    """Who fell silent, who speaks again."""

    fell_silent: tuple[Silent, ...]
    spoke: tuple[str, ...]


class SilenceWatch:
    """Remembers when each site was last heard, by the time of receipt."""

    def __init__(self, since_ns: int, heard_ns: dict[str, int] | None = None) -> None:
        self._since_ns = since_ns
        self._heard_ns = dict(heard_ns or {})
        self._silent: dict[str, Silent] = {}

    def heard(self, site: str, at_ns: int) -> None:
        """A live report of a site was received."""
        self._heard_ns[site] = max(at_ns, self._heard_ns.get(site, 0))

    def clock_set(self, by_ns: int) -> None:
        """Our clock was set: nobody has been silent for longer, or shorter, because of that."""
        self._since_ns += by_ns
        self._heard_ns = {site: at_ns + by_ns for site, at_ns in self._heard_ns.items()}

    def overdue(self, expected: Iterable[str], now_ns: int, after_ns: int) -> bool:
        """Whether a look would find anyone silent, as far as we have heard."""
        if now_ns - self._since_ns < after_ns:
            return False
        return any(now_ns - self._heard_ns.get(site, -after_ns) >= after_ns for site in expected)

    def forget(self) -> None:
        """Somebody else looks now: nobody is silent for us."""
        self._silent = {}

    def look(self, expected: Iterable[str], now_ns: int, after_ns: int) -> Transitions:
        """Compare who is expected to speak with who did; nobody is silent before we have listened for `after_ns`."""
        before = self._silent
        self._silent = {}
        if now_ns - self._since_ns >= after_ns:
            for site in expected:
                heard = self._heard_ns.get(site)
                if heard is None or now_ns - heard >= after_ns:
                    self._silent[site] = Silent(site, heard)
        fell = tuple(silent for site, silent in self._silent.items() if site not in before)
        return Transitions(fell, tuple(site for site in before if site not in self._silent))

    @property
    def silent(self) -> tuple[Silent, ...]:
        """Who was silent at the last look, in the order of the registry."""
        return tuple(self._silent.values())
