"""What came true: whether an office held its meeting's profile.

Held when at most 5 % of the windows that count broke. A window that was measured counts, broken or not
(total loss is broken). One that was not measured counts as broken when the office had lost contact, unless
maintenance or a proven probe fault explains it; otherwise it does not count. Until 24 h after the end late
data may still come: before that, held or failed is said only when no missing window of the line can turn it,
nor one that is there and is judged together with those: failed while no line of the office `may_hold`, held
where one `holds_anyhow`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.climatology import BROKEN_SHARE
from telemetry.decisions import OutcomeState
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINAL_AFTER_NS: Final = DAY_NS
LEAST_COUNTED: Final = 0.5
"""With less than this share of the windows that count nothing can be said."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Of N offices: states, and how many windows there were, broke, and were never measured; (N,) each.

    `lost` of those that broke lost every packet; of `unheard` that were never measured the office had lost contact, and nothing excuses it.
    """

    state: tuple[OutcomeState, ...]
    windows: int
    broken: NDArray[np.int64]
    missing: NDArray[np.int64]
    lost: NDArray[np.int64]
    unheard: NDArray[np.int64]
    final: bool


def settle(  # noqa: PLR0913 - what is known of a window
    measured: NDArray[np.bool_],
    broke: NDArray[np.bool_],
    contact_lost: NDArray[np.bool_],
    excused: NDArray[np.bool_],
    *,
    final: bool,
    lost: NDArray[np.bool_] | None = None,
) -> Settled:
    """Settle the outcome of N offices over the W windows of an occurrence; every argument is (N, W).

    Args:
        measured: a window is in the store, whenever it came.
        broke: it was judged to break.
        contact_lost: the office's presence was lost in it.
        excused: maintenance or a proven probe fault explains that it is missing.
        final: no more data is waited for.
        lost: every packet of it was lost; None: nobody has looked.
    """
    windows = measured.shape[1]
    missing = ~measured
    blamed = missing & contact_lost & ~excused
    broken = (measured & broke).sum(axis=1) + (blamed.sum(axis=1) if final else 0)
    counted = measured.sum(axis=1) + blamed.sum(axis=1)
    open_windows = np.zeros_like(broken) if final else missing.sum(axis=1)
    states = []
    for office in range(len(measured)):
        if final and counted[office] < LEAST_COUNTED * windows:
            states.append(_too_little(missing[office] & excused[office], windows))
        else:
            total = int(counted[office]) if final else windows
            states.append(_held(int(broken[office]), int(open_windows[office]), total))
    return Settled(
        state=tuple(states),
        windows=windows,
        broken=broken,
        missing=missing.sum(axis=1),
        lost=np.zeros_like(broken) if lost is None else (measured & broke & lost).sum(axis=1),
        unheard=blamed.sum(axis=1),
        final=final,
    )


def may_hold(least: NDArray[np.int64], windows: int) -> NDArray[np.bool_]:
    """Which lines may hold a meeting of so many windows yet, when `least` of each (any shape) break whatever comes (`least_broken`)."""
    return np.asarray(least <= BROKEN_SHARE * windows)


def holds_anyhow(most: NDArray[np.int64], windows: int) -> NDArray[np.bool_]:
    """Which lines hold a meeting of so many windows for certain, when `most` of each (any shape) are missing or may break (`most_broken`).

    The line that will have served an office best in the end breaks no more.
    """
    return np.asarray(most <= BROKEN_SHARE * windows)


def _held(broken: int, still_open: int, windows: int) -> OutcomeState:
    if not windows:  # nothing was to be held: `came_true` knows no more of such a span
        return OutcomeState.UNSETTLED
    if broken > BROKEN_SHARE * windows:
        return OutcomeState.FAILED
    if broken + still_open <= BROKEN_SHARE * windows:
        return OutcomeState.HELD
    return OutcomeState.UNSETTLED


def _too_little(excused: NDArray[np.bool_], windows: int) -> OutcomeState:
    """Excused when that is why; otherwise it stays unsettled for good: nobody knows."""
    return OutcomeState.EXCUSED if 2 * int(excused.sum()) >= windows else OutcomeState.UNSETTLED
