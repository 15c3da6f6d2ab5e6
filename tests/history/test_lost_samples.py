"""An imported past of single pings that were lost: the hours that lost them failed, and a back-test and a forecast know it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.windows import SECOND_NS, slot_start

if TYPE_CHECKING:
    from conftest import Desk
    from numpy.typing import NDArray

DAY_S = 86_400
WEEKS = 3
LOST = {"agra": 1.0, "etah": 0.7, "hathras": 0.15, "mathura": 0.02}
"""Share of the pings that each office loses; only the last one's hours hold."""
ROUND_TRIP = """
[[profile]]
id = "round-trip"
name_en = "Round trip"
name_hi = "आना-जाना"
rank = 1
source = "our own"
[profile.target]
[profile.alarm]
"""
SETTINGS = """
[files]
profiles = "profiles.toml"
[meetings]
default_profile = "round-trip"
"""


def says(desk: Desk, *words: str) -> Any:
    found = CliRunner().invoke(
        main, [*words, "--json", "--config", str(desk.config), "--data", str(desk.data)]
    )
    assert found.exit_code in {0, 3}, found.output
    return json.loads(found.stdout)


def imported(desk: Desk, at_s: NDArray[np.int64]) -> None:
    """A ping at each of these times, of which each office loses its share, as evenly as may be."""
    pings = {}
    for index, (site, share) in enumerate(LOST.items()):
        rtt = 40.0 + np.random.default_rng(index).gamma(2.0, 2.0, len(at_s))
        rtt[np.diff(np.floor(np.arange(len(at_s) + 1) * share + 1e-9)) > 0] = np.nan
        pings[site] = at_s, rtt
    desk.imports_pings(pings)


def every(seconds: int, days: float, until_days: float = 0.0) -> NDArray[np.int64]:
    """Times from so many days ago to so many days ago."""
    end_s = slot_start(time.time_ns()) // SECOND_NS
    return np.arange(end_s - int(days * DAY_S), end_s - int(until_days * DAY_S), seconds)


def known_and_failed(desk: Desk) -> tuple[float, float]:
    """Of the hours of three weeks, in those of an office: how many a back-test knows, and how many of these failed."""
    found = says(desk, "backtest", "--weeks", str(WEEKS), "--hourly")
    return found["pairs"] / (WEEKS * 168), found["failed"] / (WEEKS * 168)


def not_ready(desk: Desk) -> int:
    """How many offices are told not to hold in a meeting tomorrow."""
    at = datetime.fromtimestamp(time.time() + DAY_S, UTC).strftime("%Y-%m-%dT%H:00Z")
    return int(says(desk, "ready", "--at", at, "--for", "60")["times"][0]["not_ready"])


@pytest.mark.parametrize("limit", [None, "rtt_ms = 150.0", "rtt_above_floor_ms = 60.0"])
def test_hours_that_lost_their_pings_failed_and_two_in_a_hundred_are_no_failure(
    desk: Desk, limit: str | None
) -> None:
    """A ping a minute; by the profile of video, and where the round trip alone is judged: no reply is no good one."""
    if limit is not None:
        desk.writes("profiles.toml", ROUND_TRIP + limit + "\n")
        desk.writes("tatpar.toml", SETTINGS)
    imported(desk, every(60, 22))
    assert known_and_failed(desk) == pytest.approx((4.0, 3.0), abs=0.05)
    assert not_ready(desk) == 3


def test_a_ping_every_five_minutes_tells_the_same_of_hours_that_lost_most(desk: Desk) -> None:
    """Of twelve pings one or two may be lost by chance: so the third office's hours count for nothing, and a few of the fourth's."""
    imported(desk, every(300, 22))
    known, failed = known_and_failed(desk)
    assert failed == pytest.approx(2.0, abs=0.05)
    assert 2.7 < known < 3.0
    assert not_ready(desk) in {2, 3}, (
        "the first two, whatever the forecast makes of the third, and never the fourth"
    )


def test_a_past_every_minute_that_goes_on_every_15_s_is_one_record(desk: Desk) -> None:
    """Single pings every 15 s are judged as a grid is, by their neighbours; those a minute apart as samples."""
    imported(desk, np.concatenate([every(60, 22, 5), every(15, 5)]))
    assert known_and_failed(desk)[1] > 2.5, "of three weeks two were sampled"
    assert not_ready(desk) == 3
