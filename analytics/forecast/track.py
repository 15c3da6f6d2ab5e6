"""What is known of many lines, slot by slot: the one ground that the model is fitted on, asked on and scored on.

Roll-ups of a deployment, drawn histories of the lab and imported traces all become a `Track`, so that the same
model and the same settings are judged on each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Track:
    """N lines over T slots of `slot_ns` on the UTC grid, oldest first; slot i begins at `(first_slot + i) * slot_ns`.

    Attributes:
        first_slot: number of the first slot since the epoch.
        slot_ns: length of a slot.
        broke: (N, T) share of the slot's measured windows that broke the profile, 0..1; NaN where none was measured.
        measured: (N, T) share of the slot's windows that were measured, 0..1.
        dark: (N, T) the office had lost contact for most of the slot.
        strain: (N, T) the worst figure over its limit, 1 at the limit, 0 at best; NaN where nothing was measured.
            What tells of trouble before it breaks.
        arrived_ns: (N, T) when the slot was known whole; a forecast issued before that must not see it.
        planned: (N, T) works or a holiday were announced for the slot beforehand.
        rehearsed: (N, T) share of the profile that a rehearsal which ended in the slot held, 0..1; NaN where there was none.
        groups: (N,) each, what lines have in common: `provider`, `region`, `end`; -1 where unknown.
    """

    first_slot: int
    slot_ns: int
    broke: NDArray[np.float32]
    measured: NDArray[np.float32]
    dark: NDArray[np.bool_]
    strain: NDArray[np.float32]
    arrived_ns: NDArray[np.int64]
    planned: NDArray[np.bool_]
    rehearsed: NDArray[np.float32]
    groups: Mapping[str, NDArray[np.int32]]

    @property
    def start_ns(self) -> int:
        """Start of the first slot."""
        return self.first_slot * self.slot_ns


@dataclass(frozen=True, slots=True)
class Asks:
    """M questions: will line `line[m]` hold over `[start_ns[m], end_ns[m])`, as of `now_ns[m]`? Each (M,)."""

    line: NDArray[np.int64]
    now_ns: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]


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
