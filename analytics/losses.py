"""Losses as counts: whole numbers out of window values, attributed where they can be, pooled along time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Values = Mapping[str, NDArray[np.floating]]
    """Arrays of one shape by the names of `WINDOW_VALUE_COLUMNS`; NaN where a figure is absent."""

_COUNTS: Final = ("sent", "lost", "up_lost", "down_lost", "unattributed")


@dataclass(frozen=True, slots=True)
class Losses:
    """Counts of one shape."""

    sent: NDArray[np.int64]
    lost: NDArray[np.int64]
    up_lost: NDArray[np.int64]
    down_lost: NDArray[np.int64]
    unattributed: NDArray[np.int64]

    @property
    def down_sent(self) -> NDArray[np.int64]:
        """How many packets set out on the way back; of the shape of the counts, as all that follows."""
        return np.asarray(np.maximum(self.sent - self.up_lost, 0))

    @property
    def either_lost(self) -> NDArray[np.int64]:
        """The most packets that one direction can have lost."""
        return np.asarray(np.minimum(self.unattributed + np.maximum(self.up_lost, self.down_lost), self.sent))

    def directions(self) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
        """(lost, sent) up, down, and of the direction unknown."""
        return (
            (self.up_lost, self.sent),
            (self.down_lost, self.down_sent),
            (self.either_lost, self.sent),
        )

    def of_line(self, site: int, path: int, first: int) -> Losses:
        """Of one line (of counts (S, P, W)) from the window `first` on, (W - first,)."""
        return self.part((site, path, slice(first, None)))

    def part(self, at: tuple[int | slice, ...]) -> Losses:
        """Some of the counts, as views."""
        return Losses(**{name: getattr(self, name)[at] for name in _COUNTS})

    def trailing(self, windows: int) -> Losses:
        """Each window pooled with those before it along the last axis, `windows` in all."""
        return Losses(**{name: trailing_sum(getattr(self, name), windows) for name in _COUNTS})


def _whole(values: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.where(np.isfinite(values), values, 0).astype(np.int64)


def losses(values: Values) -> Losses:
    """Counts of window values; an absent window has sent nothing; where a direction is absent nothing is known to have been lost in it."""
    sent = np.maximum(_whole(values["sent"]), 0)
    lost = np.clip(_whole(values["lost"]), 0, sent)
    up = np.clip(_whole(values["up_lost"]), 0, lost)
    down = np.clip(_whole(values["down_lost"]), 0, lost - up)
    return Losses(sent=sent, lost=lost, up_lost=up, down_lost=down, unattributed=lost - up - down)


def trailing_sum(counts: NDArray[np.int64], windows: int) -> NDArray[np.int64]:
    """Sum over each element and the `windows - 1` before it along the last axis."""
    if windows <= 1:
        return counts
    total = np.cumsum(counts, axis=-1)
    out = total.copy()
    out[..., windows:] -= total[..., :-windows]
    return out
