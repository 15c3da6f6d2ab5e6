"""Which offices a meeting that is over is told of: those that were in it, not those that the list has now.

The list of offices changes from day to day; what came of a meeting does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def attendance(linked: Iterable[str], outcomes: Collection[str], forecasts: Collection[str]) -> list[str]:
    """Ids of the offices that were in an occurrence which is over.

    Args:
        linked: the invited offices that are linked now, in the order of the invitation.
        outcomes: those with an outcome of it on record. They are settled all at once: whoever has none then was not in it.
        forecasts: those of which a forecast of it was issued. While an outcome of one is missing, only the list of now can tell.
    """
    listed = list(linked)
    is_settled = bool(outcomes) and all(site in outcomes for site in listed if site in forecasts)
    there = [site for site in listed if site in outcomes or not is_settled]
    return [*there, *sorted(set(outcomes).difference(there))]
