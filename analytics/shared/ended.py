"""When a fault was over: not when it was seen to be, some 40 s later, but when its offices suffered last.

A line counts as ill until two windows in a row have held, and a window is heard of some seconds after its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.sighting import Sighting


def suffered_until(
    before_ns: NDArray[np.int64] | None, lines: NDArray[np.bool_], sighting: Sighting
) -> NDArray[np.int64] | None:
    """(S,): until when each office was seen to suffer on its `lines`, (S, P), now or `before_ns`, (S,); 0 where it never was, None where nobody looks."""
    if sighting.ill_until_ns is None:
        return before_ns
    now_ns = np.asarray(np.where(lines, sighting.ill_until_ns, 0).max(axis=1, initial=0))
    return now_ns if before_ns is None else np.maximum(now_ns, before_ns)


def over_ns(
    until_ns: NDArray[np.int64] | None, ever: NDArray[np.bool_], now: NDArray[np.bool_], seen_ns: int
) -> int:
    """When the last had come back of those who have; `seen_ns`, when that was seen, where nobody knows.

    Args:
        until_ns: (S,) until when each office suffered (`suffered_until`).
        ever: (S,) the offices that did.
        now: (S,) those that still do: of them the trouble that is left is their own.
        seen_ns: when most of them were seen to be well.
    """
    if until_ns is None:
        return seen_ns
    return int(until_ns[ever & ~now].max(initial=0)) or seen_ns
