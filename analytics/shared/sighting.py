"""What is seen of every line at one moment, as far as shared faults are concerned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.decisions import DOWN, ReasonCode
from telemetry.line_slots import NEVER
from telemetry.windows import SILENT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.lines import Lines
    from telemetry.decisions import Flag


_CODES: Final = (
    {ReasonCode.DARK, ReasonCode.NO_DATA},
    {ReasonCode.OUTAGE},
    {ReasonCode.LOSS_UP, ReasonCode.BURST_UP, ReasonCode.LOSS, ReasonCode.BURST},
    {ReasonCode.LOSS_DOWN, ReasonCode.BURST_DOWN, ReasonCode.LOSS, ReasonCode.BURST},
    {ReasonCode.JITTER_UP},
    {ReasonCode.JITTER_DOWN},
    {ReasonCode.RTT, ReasonCode.RTT_FLOOR},
)
WAYS: Final = len(_CODES)
"""A fault looks alike wherever it hits: nothing is heard, nothing comes through, loss on the way up, on the way down, jitter likewise, delay."""
DOWN_WAYS: Final = (0, 1)
"""Those in which nothing comes in: nothing is heard, or nothing comes through."""
_DOWN_BITS: Final = sum(1 << way for way in DOWN_WAYS)
_WAYS_OF: Final = {
    code: sum(1 << way for way, codes in enumerate(_CODES) if code in codes) for code in ReasonCode
}


@dataclass(frozen=True, slots=True)
class Sighting:
    """(S, P) each.

    `known`: anything can be said of the line; `troubled`: it is degraded beyond what is usual, or its office is not heard;
    `silent`: its office is not heard; `since_ns`: since when it has been troubled, 0 where it is not.
    `down`: nothing comes through now, or its office is without contact; None where nobody has looked.
    `silent_since_ns`: since when its office is not heard, whatever its lines had before; None where that is no other time.
    `hearing_since_ns`: since when anybody is heard: of what fell silent before nobody knows when that was.
    `ways`: how each line's trouble shows, a bit for each way (`WAYS`); None where nobody has looked.
    `ill_until_ns`: until when it was seen to suffer, 0 where it does not, or only as usual; None where nobody has looked.
    `explained_ns`: since when a line has been troubled by what is found already, 0 where that is not so; None before anything is.
    """

    known: NDArray[np.bool_]
    troubled: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    since_ns: NDArray[np.int64]
    down: NDArray[np.bool_] | None = None
    silent_since_ns: NDArray[np.int64] | None = None
    hearing_since_ns: int = 0
    ways: NDArray[np.uint8] | None = None
    ill_until_ns: NDArray[np.int64] | None = None
    explained_ns: NDArray[np.int64] | None = None

    def shows(self, way: int) -> NDArray[np.bool_]:
        """(S, P): lines whose trouble shows in one of the `WAYS`."""
        if self.ways is None:
            return np.zeros_like(self.known)
        return np.asarray(self.troubled & (self.ways >> way & 1).astype(bool))

    def without(self, lines: NDArray[np.bool_]) -> Sighting:
        """As if nothing were known of some lines, (S, P), but that they were well before: what explains them is already found."""
        known = self.known & ~lines
        before = np.zeros_like(self.since_ns) if self.explained_ns is None else self.explained_ns
        since_ns = np.where(known, self.since_ns, 0)
        down = None if self.down is None else self.down & known
        return replace(
            self,
            known=known,
            troubled=self.troubled & known,
            silent=self.silent & known,
            since_ns=since_ns,
            down=down,
            explained_ns=np.where(self.known & lines, self.since_ns, before),
        )

    @property
    def fell_silent_ns(self) -> NDArray[np.int64]:
        """Since when the silent are not heard."""
        return self.since_ns if self.silent_since_ns is None else self.silent_since_ns

    def of_silence(self) -> Sighting:
        """As if nothing were wrong but silence, as far as it is known when that began."""
        known = self.known & ~(self.silent & (self.fell_silent_ns <= self.hearing_since_ns))
        silent = self.silent & known
        return Sighting(known, silent, silent, np.where(silent, self.fell_silent_ns, 0))


@dataclass(frozen=True, slots=True)
class Heard:
    """Who is heard.

    `last_end_ns` (S, P): end of a line's newest window, or since when we have listened for it in vain;
    `expected` (S,): the office is linked, and was heard of before. `hearing_since_ns`: since when anybody is.
    """

    last_end_ns: NDArray[np.int64]
    expected: NDArray[np.bool_]
    hearing_since_ns: int = 0


def sight(lines: Lines, flags: Iterable[Flag], heard: Heard, now_ns: int) -> Sighting:
    """What the open flags and the silences say of every line.

    One silent office (`SILENT_NS`) alone says nothing yet; many that fall silent together do, long before each would count as dark.
    Flags of what is usual at this hour are left out: many offices have their evening congestion at the same hours.
    """
    shape = lines.shape
    newest = heard.last_end_ns.max(axis=1, initial=0)
    silent_site = heard.expected & (now_ns - newest > SILENT_NS)
    measured = heard.expected[:, None] & (heard.last_end_ns > 0)
    silent = np.broadcast_to(silent_site[:, None], shape).copy()
    marks = _Marks(silent, newest, now_ns)
    for flag in flags:
        row = lines.site_index.get(flag.site)
        if row is not None:
            marks.take(flag, row, lines.path_index.get(flag.path))
    known = measured & (silent | (now_ns - heard.last_end_ns <= SILENT_NS))
    troubled = (marks.since_ns < NEVER) & known
    return Sighting(
        known,
        troubled,
        silent & known,
        np.where(troubled, marks.since_ns, 0),
        marks.down & known,
        np.broadcast_to(newest[:, None], shape),
        heard.hearing_since_ns,
        _as_down_alone(np.where(troubled, marks.ways, 0).astype(np.uint8)),
        np.where(troubled, marks.until_ns, 0),
    )


class _Marks:
    """What silence and the flags say of every line, (S, P): since and until when it suffers, whether it is down, in which ways that shows."""

    def __init__(self, silent: NDArray[np.bool_], newest: NDArray[np.int64], now_ns: int) -> None:
        self._now_ns = now_ns
        self.since_ns = np.where(silent, newest[:, None], NEVER)
        self.until_ns = np.where(silent, now_ns, 0)
        self.down = silent.copy()
        self.ways = np.where(silent, _WAYS_OF[ReasonCode.DARK], 0).astype(np.uint8)

    def take(self, flag: Flag, row: int, column: int | None) -> None:
        """One more flag, of an office and one of its lines; `column` is None where that has no such line."""
        is_down = flag.reason.code in DOWN and flag.reason.until_ns is None
        if is_down and not flag.path:  # the whole office
            self.down[row] = True
        if column is None:
            return
        at = row, column
        self.down[at] |= is_down
        if not flag.as_usual:
            self.since_ns[at] = min(int(self.since_ns[at]), flag.since_ns)
            self.until_ns[at] = max(int(self.until_ns[at]), flag.reason.until_ns or flag.seen_ns)
            self.ways[at] |= _ways_of(flag, self._now_ns)


def _ways_of(flag: Flag, now_ns: int) -> int:
    """The bits of `WAYS` in which a flag's trouble shows; who went down just now may not be heard any more either, and reports are on their way still."""
    down_ns = now_ns - flag.since_ns if flag.reason.is_down_now else None
    silent = down_ns is not None and down_ns <= 2 * SILENT_NS
    return _WAYS_OF[flag.reason.code] | (_WAYS_OF[ReasonCode.DARK] if silent else 0)


def _as_down_alone(ways: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of what is down the loss is forgotten that it began with."""
    down = ways & np.uint8(_DOWN_BITS)
    return np.where(down > 0, down, ways)
