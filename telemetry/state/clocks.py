"""Offices' clocks: when each boot of a machine began, and which clocks are wrong by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from telemetry.state.database import Database, decoded, encoded
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

TOLD_NS: Final = DAY_NS
"""That a clock was wrong is told for so long after it was set right."""
HEARD_NS: Final = 3 * DAY_NS
"""That it is wrong is told for so long after it was last said, which is each day while it is heard: over a weekend too."""
BOOTS_KEPT: Final = 8
"""Of one probe, the newest: what waits in its spool is of few."""


class KnownBoot(Struct, frozen=True):
    """One boot of an office's machine; times by the hub's clock."""

    site: str
    probe: str
    boot: str
    at_ns: int
    """As of when."""
    began_ns: int
    """When its monotonic clock was 0."""
    from_mono_ns: int = 0
    """By its monotonic clock, from when on that holds."""
    settings: tuple[tuple[int, int], ...] = ()
    """Its clock above its monotonic one, and by how many ns dates of that setting are moved."""


class ClockSaid(Struct, frozen=True):
    """What a live report told of its office's clock."""

    site: str
    probe: str
    ahead_ns: int
    """Negative: behind; 0: it is right."""
    at_ns: int


class WrongClock(Struct, frozen=True):
    """A clock that is wrong, or was."""

    site: str
    probe: str
    ahead_ns: int
    """Negative: behind."""
    since_ns: int
    """When the hub knew."""
    until_ns: int | None = None
    """When it was right again; None: it is wrong still, as far as was heard."""

    @property
    def how(self) -> str:
        """In one word of the catalogues."""
        way = "fast" if self.ahead_ns > 0 else "slow"
        return way if self.until_ns is None else f"was_{way}"

    @property
    def off_s(self) -> float:
        """By how much, whichever way."""
        return abs(self.ahead_ns) / SECOND_NS


class ClockTable(Database):
    """A row a boot, and one a probe whose clock was ever wrong."""

    def put_boots(self, boots: Iterable[KnownBoot]) -> None:
        """Keep what is known of boots. Nobody is woken: it is for collectors alone."""
        with self._change() as change:
            for one in boots:
                change.execute(
                    "INSERT INTO boot VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                    " SET at_ns = excluded.at_ns, body = excluded.body",
                    (one.site, one.probe, one.boot, one.at_ns, encoded(one)),
                    quietly=True,
                )
                change.execute(
                    "DELETE FROM boot WHERE site = ?1 AND probe = ?2 AND boot NOT IN"
                    " (SELECT boot FROM boot WHERE site = ?1 AND probe = ?2 ORDER BY at_ns DESC LIMIT ?3)",
                    (one.site, one.probe, BOOTS_KEPT),
                    quietly=True,
                )

    def boots(self, since_ns: int = 0) -> list[KnownBoot]:
        """Those that were kept since then, the oldest first."""
        return [decoded(text, KnownBoot) for text in self.boot_texts(since_ns)]

    def boot_texts(self, since_ns: int) -> list[str]:
        """The same as they are stored (`NewBoots`)."""
        rows = self._rows("SELECT body FROM boot WHERE at_ns >= ? ORDER BY at_ns", (since_ns,))
        return [text for (text,) in rows]

    def put_clocks(self, said: Iterable[ClockSaid]) -> None:
        """Note what was told of clocks; of several that tell of one the latest word counts."""
        with self._change() as change:
            for one in said:
                if one.ahead_ns:
                    change.execute(
                        "INSERT INTO wrong_clock VALUES (?1, ?2, ?3, ?4, ?4, NULL) ON CONFLICT DO UPDATE"
                        " SET ahead_ns = ?3, since_ns = iif(until_ns IS NULL AND ahead_ns = ?3, since_ns, ?4),"
                        " at_ns = ?4, until_ns = NULL WHERE at_ns <= ?4",
                        (one.site, one.probe, one.ahead_ns, one.at_ns),
                    )
                else:
                    change.execute(
                        "UPDATE wrong_clock SET until_ns = ?3, at_ns = ?3"
                        " WHERE site = ?1 AND probe = ?2 AND until_ns IS NULL AND at_ns <= ?3",
                        (one.site, one.probe, one.at_ns),
                    )

    def wrong_clocks(self, since_ns: int) -> list[WrongClock]:
        """The clocks that are wrong, and those that still were at that time, by office and probe."""
        return self._clock_rows("until_ns IS NULL OR until_ns >= ?", since_ns)

    def told_clocks(self, now_ns: int) -> list[WrongClock]:
        """What people are told of them now: those that are wrong, if still heard, and those that were until a day ago.

        A probe that was replaced while its clock was wrong is never heard right again.
        """
        return self._clock_rows("coalesce(until_ns + ?2, at_ns + ?3) >= ?1", now_ns, TOLD_NS, HEARD_NS)

    def _clock_rows(self, where: str, *parameters: int) -> list[WrongClock]:
        query = f"SELECT site, probe, ahead_ns, since_ns, until_ns FROM wrong_clock WHERE {where} ORDER BY site, probe"  # noqa: S608 - words of ours
        return [WrongClock(*row) for row in self._rows(query, parameters)]


class NewBoots:
    """Reads boots again and again, each only when it is new or was kept anew: a whole fleet's may be of these minutes."""

    def __init__(self, table: ClockTable) -> None:
        self._table = table
        self._seen: frozenset[str] = frozenset()

    def since(self, since_ns: int) -> list[KnownBoot]:
        """Those that were kept since then, less what the last time told."""
        texts = self._table.boot_texts(since_ns)
        new = [decoded(text, KnownBoot) for text in texts if text not in self._seen]
        self._seen = frozenset(texts)
        return new
