"""A calendar that grows changes nothing of what was forecast before: which works were known does not hang on a meeting that came into it later."""

from __future__ import annotations

import numpy as np
import pytest

from config.works import Work, WorkKind
from tatpar.backtesting.blocks import Pairs
from tatpar.backtesting.works_in_time import works_in_time
from telemetry.windows import DAY_NS, HOUR_NS

SITES = ("agra", "ballia")
T0 = 20_780 * DAY_NS


def work(site: str, day: float, ahead_h: float) -> Work:
    """Four hours at one office, announced so long before."""
    from_ns = T0 + round(day * DAY_NS)
    return Work(
        who=f"site:{site}",
        sites=(site,),
        kind=WorkKind.WORKS,
        from_ns=from_ns,
        until_ns=from_ns + 4 * HOUR_NS,
        announced_ns=from_ns - round(ahead_h * HOUR_NS),
    )


def pairs(*meetings: tuple[str, float, float]) -> Pairs:
    """Office, day and length in hours of each."""
    site, day, hours = zip(*meetings, strict=True)
    starts_ns = np.array([T0 + round(each * DAY_NS) for each in day], dtype=np.int64)
    count = len(meetings)
    return Pairs(
        np.array([SITES.index(each) for each in site], dtype=np.int64),
        ("m",) * count,
        ("state",) * count,
        ("audio",) * count,
        np.zeros(count, dtype=np.int64),
        starts_ns,
        starts_ns + np.array([round(each * HOUR_NS) for each in hours], dtype=np.int64),
    )


SHORT = ("agra", 10.0, 1.0)


@pytest.mark.parametrize(
    ("meetings", "ahead_h", "known"),
    [
        ([SHORT], 26, True),
        ([SHORT], 24.5, False),
        ([SHORT, ("agra", 15.0, 8.0)], 26, True),
        ([SHORT, ("ballia", 10.0, 8.0)], 26, True),
        ([SHORT, ("agra", 10.0 - 7 / 24, 8.0)], 26, False),
        ([SHORT, ("agra", 10.0 - 7 / 24, 8.0)], 31.5, True),
    ],
)
def test_works_are_known_whose_meetings_could_all_have_known(
    meetings: list[tuple[str, float, float]], ahead_h: float, known: bool
) -> None:
    """A longer meeting counts where the works touch it; on another day or at another office it says nothing of them."""
    one = work("agra", 10.0, ahead_h)
    assert list(works_in_time([one], SITES, pairs(*meetings))) == ([one] if known else [])


@pytest.mark.parametrize(
    ("gap_h", "second_at", "ahead_h", "known"),
    [
        (0.0, "agra", 26, False),
        (0.0, "agra", 30, True),
        (0.25, "agra", 26, True),
        (0.0, "ballia", 26, True),
    ],
)
def test_works_that_go_on_where_others_end_are_known_only_if_all_of_the_stretch_could_have_known(
    gap_h: float, second_at: str, ahead_h: float, known: bool
) -> None:
    """They make one long stretch, and that is looked at by who asks of the first ones: they were announced a week before."""
    first = work("agra", 10.0, 7 * 24)
    second = work(second_at, 10.0 + (4 + gap_h) / 24, ahead_h)
    found = list(works_in_time([second, first], SITES, pairs(SHORT)))
    assert found == ([first, second] if known else [first])
