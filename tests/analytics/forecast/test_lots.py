"""The lot of an ask is its own: it stays whatever is asked beside it, and lots are spread evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.asking import every_hour
from analytics.forecast.lots import lots, seeds_of
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from analytics.forecast.track import Asks

FROM_NS = 20_000 * DAY_NS
LINES = ("agra main.state 0", "agra main.national 0", "ballia main.state 0", "ballia main.national 0")


def asked(lines: tuple[str, ...], days: int = 28) -> tuple[Asks, np.ndarray]:
    """Every hour of so many days of these lines, and their lots."""
    asks = every_hour(np.arange(len(lines)), FROM_NS, FROM_NS + days * DAY_NS)
    return asks, lots(seeds_of(lines), asks)


def test_a_line_more_moves_none_of_the_others() -> None:
    """One in between, and fewer days: each line's lots are the same numbers."""
    asks, drawn = asked(LINES)
    others = (*LINES[:2], "agra backup.state 0", *LINES[2:])
    more, with_more = asked(others, 21)
    for name in LINES:
        own = drawn[asks.line == LINES.index(name)]
        again = with_more[more.line == others.index(name)]
        assert np.array_equal(own[: len(again)], again)
        assert len(again) == 21 * 24 * 4


def test_they_are_spread_evenly() -> None:
    """Over all, of each line, and from one hour to the next; so many below a tenth as a tenth is."""
    asks, drawn = asked(LINES)
    assert 0 <= drawn.min() < drawn.max() < 1
    assert len(np.unique(drawn)) == len(drawn)
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0] / len(drawn)
    assert np.abs(counts - 0.05).max() < 0.01
    for line in range(len(LINES)):
        own = drawn[asks.line == line]
        assert abs((own < 0.1).mean() - 0.1) < 0.02
        assert abs(np.corrcoef(own[:-4], own[4:])[0, 1]) < 0.06
    pairs = np.corrcoef([drawn[asks.line == line] for line in range(len(LINES))])
    assert np.abs(pairs - np.eye(len(LINES))).max() < 0.06
