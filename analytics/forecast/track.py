"""What is known of many lines, slot by slot: the one ground that the model is fitted on, asked on and scored on.

Roll-ups of a deployment, drawn histories of the lab and imported traces all become a `Track`, so that the same
model and the same settings are judged on each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from telemetry.line_slots import LineSlots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


Rows: TypeAlias = "slice | NDArray[np.int64] | NDArray[np.bool_]"
"""Some of M asks: by span, by number or by mask."""


@dataclass(frozen=True, slots=True)
class Track(LineSlots):
    """N lines over T slots, with what rehearsals held.

    Attributes:
        rehearsed: (N, T) share of the profile that a rehearsal which ended in the slot held, 0..1; NaN where there was none.
        windows: (N, T) how many windows were measured: of a line that is measured seldom they are samples, which must prove
            what they say. None: every 15 s.
        due: (N, T) whether a slot of which nothing is there is silence; of a source that measures every ten minutes it is
            not. None: always.
        ahead: (T,) slots by which the clock on the office's wall is ahead of UTC, of `deployment.clock_ahead`. None: by
            the same all the time.
    """

    rehearsed: NDArray[np.float32]
    windows: NDArray[np.uint8] | None = None
    due: NDArray[np.bool_] | None = None
    ahead: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Asks:
    """M questions: will line `line[m]` hold over `[start_ns[m], end_ns[m])`, as of `now_ns[m]`? Each (M,)."""

    line: NDArray[np.int64]
    now_ns: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]

    def rows(self, which: Rows) -> Asks:
        """Some of them."""
        return Asks(*(getattr(self, name)[which] for name in self.__slots__))


def joined_asks(parts: Sequence[Asks]) -> Asks:
    """Asks one after the other."""
    return Asks(*(np.concatenate([getattr(part, name) for part in parts]) for name in Asks.__slots__))


@dataclass(frozen=True, slots=True)
class Chances:
    """The answers to M asks.

    Attributes:
        holds: (M,) probability that the line holds; NaN where there is no ground at all.
        terms: (M, K) what each term of the model adds to the log-odds of failing, against the fleet's usual line.
        names: the K terms, in order; reasons are drawn from them.
    """

    holds: NDArray[np.float64]
    terms: NDArray[np.float64]
    names: tuple[str, ...]
