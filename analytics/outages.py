"""Outages of a line out of its windows: also those that are shorter than a window, or lie across the edge of two.

A window says how many packets in a row it lost at most (`longest_loss_run`, the longest loss period of RFC 3357). Where one such
run holds nearly all that was lost, and lasted for seconds, nothing came through meanwhile and all of it before and after: an outage,
not a loss. Scattered losses have short runs, and bursts (Gilbert and Elliott) have many of all lengths, so neither is taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.losses import trailing_sum
from telemetry.windows import MS_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from analytics.losses import Losses

LONGEST_RUN: Final = "longest_loss_run"
"""The column of the windows that it is read from."""
LEAST_SENT: Final = 10
"""Packets that must be lost to mean something."""
LEAST_S: Final = 3.0
"""A shorter run is a burst of loss."""
NEARLY_ALL: Final = 0.8
"""Of what a window lost, in one run; and of what the line lost lately, in outages."""
LATELY_WINDOWS: Final = 40
"""Ten minutes."""
LONG_S: Final = 7.5
"""Half a window: whatever else the line loses, that long a run is an outage."""
_WINDOW_S: Final = WINDOW_NS / SECOND_NS
_CENTISECONDS: Final = 100


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage of a line, in the windows `first` to `last` (indices)."""

    first: int
    last: int
    since_ns: int
    until_ns: int | None
    """None while it lasts."""
    lost_ns: int
    """For how long nothing came through, as far as it is over or seen."""
    unseen: bool = False
    """The window before it is not there: it may have begun earlier."""


@dataclass(frozen=True)
class Outages:
    """Of all lines, (S, P, W) each.

    `down`: windows that an outage filled or lay in. `run_s`: for how long in a row nothing came through at most. `open`: it had not
    come back when the window was closed, for nothing that came later told in which direction it was lost. `present`: it was measured.
    """

    start_ns: NDArray[np.int64]
    down: NDArray[np.bool_]
    run_s: NDArray[np.floating]
    open: NDArray[np.bool_]
    present: NDArray[np.bool_]

    def last(self, windows: int) -> Outages:
        """Of the newest so many windows."""
        newest = (..., slice(-windows, None))
        return Outages(
            self.start_ns[-windows:],
            self.down[newest],
            self.run_s[newest],
            self.open[newest],
            self.present[newest],
        )

    @cached_property
    def lasting(self) -> NDArray[np.bool_]:
        """(S, P): nothing came through at the end of the line's newest window."""
        out = np.zeros(self.down.shape[:2], dtype=bool)
        for at, found in self._by_line.items():
            out[at] = bool(found) and found[-1].until_ns is None
        return out

    def of_line(self, site: int, path: int) -> tuple[Outage, ...]:
        """Each outage of one line, oldest first; as few as there can have been."""
        return self._by_line.get((site, path), ())

    @cached_property
    def _by_line(self) -> Mapping[tuple[int, int], tuple[Outage, ...]]:
        """Of the lines (site, path) that any window is down of: flags, reasons and lists ask for the same few again and again."""
        any_down = np.argwhere(self.down.any(axis=-1)).tolist()
        return {(site, path): tuple(self._outages((site, path))) for site, path in any_down}

    def _outages(self, at: tuple[int, int]) -> Iterator[Outage]:
        present = np.flatnonzero(self.present[at])
        spans: list[tuple[int, int]] = []
        before = -2
        for rank in np.flatnonzero(self.down[at][present]).tolist():
            window = int(present[rank])
            if spans and before == rank - 1 and self._goes_on(at, spans[-1], window):
                spans[-1] = spans[-1][0], window
            else:
                spans.append((window, window))
            before = rank
        newest = int(present[-1]) if len(present) else -1
        for first, last in spans:
            if self.run_s[at][first : last + 1].sum() >= LEAST_S:  # the edge of one is none itself
                unseen = self._fills(at, first) and not (first and self.present[at][first - 1])
                yield replace(self._outage(at, first, last, newest), unseen=unseen)

    def _fills(self, at: tuple[int, int], window: int) -> bool:
        return bool(self.run_s[at][window] >= _WINDOW_S)

    def _goes_on(self, at: tuple[int, int], span: tuple[int, int], window: int) -> bool:
        """Whether an outage may reach into the window after its last: one that came in from before and came back within it does not."""
        first, last = span
        if self._fills(at, last):
            return True
        return first == last and bool(self.open[at][last] or self.run_s[at][window] < LEAST_S)

    def _outage(self, at: tuple[int, int], first: int, last: int, newest: int) -> Outage:
        runs_ns = np.rint(np.float64(1000.0) * self.run_s[at]).astype(np.int64) * MS_NS
        since_ns, end_ns = int(self.start_ns[first]), int(self.start_ns[last]) + WINDOW_NS
        lasts = last == newest and (self._fills(at, last) or (first == last and bool(self.open[at][last])))
        if lasts or first != last:  # it began where the run lies, at the end of its first window
            since_ns += WINDOW_NS - int(runs_ns[first])
        if first != last and not self._fills(at, last):
            end_ns += int(runs_ns[last]) - WINDOW_NS
        lost_ns = end_ns - since_ns if lasts or first != last else int(runs_ns[first])
        return Outage(first, last, since_ns, None if lasts else end_ns, lost_ns)


def outages(start_ns: NDArray[np.int64], counts: Losses, run: NDArray[np.floating] | None) -> Outages:
    """Find them.

    Args:
        start_ns: (W,) of the windows.
        counts: their losses, (S, P, W).
        run: packets that each lost in a row at most; None where nobody has counted: only windows that lost everything are told then.
    """
    present, lost = counts.sent > 0, counts.lost
    whole = (lost == counts.sent) & (counts.sent >= LEAST_SENT)
    if run is None or not (run >= LEAST_SENT // 2).any():
        return Outages(start_ns, whole, whole * np.float32(_WINDOW_S), whole, present)
    in_a_row = np.minimum(np.nan_to_num(run), lost)
    per_packet_s = _WINDOW_S / np.maximum(counts.sent, 1)
    run_s = np.where(whole, _WINDOW_S, in_a_row * per_packet_s)
    one_run = (in_a_row >= NEARLY_ALL * lost) & (in_a_row > 0)
    across_s, across = (_with_neighbour(np.where(one_run, each, 0)) for each in (run_s, in_a_row))
    alone = one_run & (across_s >= LEAST_S) & (across >= LEAST_SENT)
    alone &= (run_s >= LONG_S) | _is_nearly_all(np.where(alone, run_s, 0.0), lost * per_packet_s)
    down = whole | alone
    down |= one_run & _beside(down)
    unknown = counts.unattributed >= NEARLY_ALL * in_a_row
    return Outages(start_ns, down, np.where(down, run_s, 0.0), down & unknown, present)


def _is_nearly_all(down_s: NDArray[np.floating], lost_s: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether the line lost hardly anything but in outages, over the windows up to each."""
    down, lost = (np.rint(each * _CENTISECONDS).astype(np.int64) for each in (down_s, lost_s))
    return np.asarray(trailing_sum(down, LATELY_WINDOWS) >= NEARLY_ALL * trailing_sum(lost, LATELY_WINDOWS))


def _with_neighbour(run: NDArray[np.floating]) -> NDArray[np.floating]:
    """Each run with the longer one of the windows before and after: one that lies across the edge is in both."""
    beside = np.zeros_like(run)
    beside[..., :-1] = run[..., 1:]
    beside[..., 1:] = np.maximum(beside[..., 1:], run[..., :-1])
    return np.asarray(run + beside)


def _beside(down: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Windows before and after one that is down: an outage may reach a little into them."""
    out = np.zeros_like(down)
    out[..., :-1] |= down[..., 1:]
    out[..., 1:] |= down[..., :-1]
    return out
