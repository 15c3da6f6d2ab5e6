"""What is missing in the store, by site and time, as `tatpar gaps` tells it: found here, put into words elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from telemetry.store.completeness import Completeness, completeness, settled_until, total
from telemetry.store.protocol import Selection
from telemetry.windows import WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telemetry.store.protocol import Gaps, SeqHole, Silence, StoreReader

BLOCK: Final = 16
"""Sites read at once: bounds the memory, and shows progress."""


class Kind(StrEnum):
    """Why something is missing."""

    NEVER_SPOKE = "never_spoke"  # linked, and not one report ever
    SILENT = "silent"  # time without any report
    LOST = "lost"  # made, numbered, not arrived; may still come
    DROPPED = "dropped"  # written off by the probe, which says why


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing. Times are ns since the Unix epoch."""

    kind: Kind
    site: str
    windows: int
    """How much: windows of 15 s, or reports, of which there is one a window."""
    probe: str = ""
    from_ns: int | None = None
    """None where nobody knows: the time of a report that has not arrived."""
    until_ns: int | None = None
    """None while it lasts."""
    noticed_ns: int | None = None
    epoch: str = ""
    first_seq: int | None = None
    last_seq: int | None = None
    reason: str = ""
    """The probe's words."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Everything that is missing in a span, worst first, and how complete each site is."""

    since_ns: int
    until_ns: int
    gaps: tuple[Gap, ...]
    sites: dict[str, Completeness]
    """Only sites that have ever spoken."""

    @property
    def mute(self) -> tuple[str, ...]:
        """Sites that have never spoken: nobody knows how much of them is missing, so no share counts them."""
        return tuple(gap.site for gap in self.gaps if gap.kind is Kind.NEVER_SPOKE)

    def reports(self, kind: Kind) -> int:
        """How many reports are lost or dropped: of some the window is not one of those that are counted in `sites`."""
        return sum(gap.windows for gap in self.gaps if gap.kind is kind)

    @property
    def fleet(self) -> Completeness:
        """All sites together."""
        return total(self.sites.values())


def find(
    reader: StoreReader,
    sites: Sequence[str],
    since_ns: int,
    now_ns: int,
    progress: Callable[[int], None] = lambda _done: None,
) -> Missing:
    """What is missing of some sites since a time; `progress` is told how many sites more are done.

    Raises:
        StoreError: the store cannot be read.
    """
    until_ns = max(settled_until(now_ns), since_ns)
    found: list[Gap] = []
    complete: dict[str, Completeness] = {}
    for begin in range(0, len(sites), BLOCK):
        block = tuple(sites[begin : begin + BLOCK])
        gaps = reader.gaps(Selection(since_ns, max(now_ns, since_ns), block))
        complete |= completeness(gaps, since_ns, until_ns, max(now_ns, since_ns))
        found += _of(gaps, until_ns, window_start(now_ns))
        found += _mute(block, gaps, since_ns, until_ns)
        progress(len(block))
    found.sort(key=lambda gap: (-gap.windows, gap.site, gap.kind, gap.from_ns or gap.noticed_ns or 0))
    return Missing(since_ns, until_ns, tuple(found), complete)


def _of(gaps: Gaps, until_ns: int, present_ns: int) -> list[Gap]:
    silences = [
        _silence(silence, until_ns, present_ns) for silence in gaps.silences if silence.from_ns < until_ns
    ]
    return [*silences, *map(_hole, gaps.holes)]


def _silence(silence: Silence, until_ns: int, present_ns: int) -> Gap:
    lasts = silence.until_ns >= present_ns  # to the end of what was read: nothing came since
    end_ns = min(silence.until_ns, until_ns)
    return Gap(
        Kind.SILENT,
        silence.site,
        (end_ns - silence.from_ns) // WINDOW_NS,
        silence.probe,
        silence.from_ns,
        None if lasts else silence.until_ns,
    )


def _hole(hole: SeqHole) -> Gap:
    return Gap(
        Kind.DROPPED if hole.tombstone else Kind.LOST,
        hole.site,
        hole.last_seq - hole.first_seq + 1,
        hole.probe,
        hole.from_ns,
        hole.until_ns,
        hole.noticed_ns,
        hole.epoch,
        hole.first_seq,
        hole.last_seq,
        hole.tombstone,
    )


def _mute(sites: Sequence[str], gaps: Gaps, since_ns: int, until_ns: int) -> list[Gap]:
    """Sites that are linked and have never been heard: they miss the whole span."""
    spoke = {contact.site for contact in gaps.contacts}
    windows = (until_ns - since_ns) // WINDOW_NS
    return [Gap(Kind.NEVER_SPOKE, site, windows) for site in sites if site not in spoke]
