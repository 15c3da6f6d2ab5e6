"""A past of another tool that measures every few minutes, imported and asked of as a new user does: its hours have a record."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.windows import SECOND_NS, slot_start

if TYPE_CHECKING:
    from conftest import Desk

ZONE = ZoneInfo("Asia/Kolkata")
WEEK_S, HOUR_S = 7 * 86_400, 3600
WEEKS = 5
OFFICES = ("agra", "etah", "hathras", "mathura")
TROUBLED = ("agra", "etah", "hathras")


@dataclass(frozen=True)
class Scene:
    """Five weeks of pings; three offices of four are slow in one hour of each week, which comes again at `bad_s`."""

    desk: Desk
    bad_s: int

    def at(self, seconds: int) -> str:
        return datetime.fromtimestamp(seconds, UTC).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")

    def says(self, *words: str) -> str:
        where = ["--config", str(self.desk.config), "--data", str(self.desk.data)]
        found = CliRunner().invoke(main, [*words, *where])
        assert found.exit_code in {0, 3}, found.output
        return found.stdout

    def which_is_better(self, *more: str) -> str:
        both = ("--at", self.at(self.bad_s), "--or", self.at(self.bad_s + 3 * HOUR_S), "--for", "60")
        return self.says("ready", *both, *more)


def scene(desk: Desk, every_s: int) -> Scene:
    end_s = slot_start(time.time_ns()) // SECOND_NS
    bad_s = (end_s + 5 * HOUR_S) // HOUR_S * HOUR_S + 1800  # a whole hour on the office's wall
    pings = {}
    for index, site in enumerate(OFFICES):
        t = np.arange(end_s - WEEKS * WEEK_S + 310 * index, end_s, every_s)
        bad = ((t - bad_s) % WEEK_S < HOUR_S) & (site in TROUBLED)
        pings[site] = t, 40.0 + np.random.default_rng(index).gamma(2.0, 2.0, len(t)) + 400.0 * bad
    desk.imports_pings(pings)
    return Scene(desk, bad_s)


@pytest.mark.parametrize("minutes", [1, 5, 10])
def test_the_hours_of_a_past_sampled_every_few_minutes_have_a_record(desk: Desk, minutes: int) -> None:
    """The other time is better, and the reason is what the hour did: so many of so many weeks, in both languages."""
    made = scene(desk, minutes * 60)
    found: dict[str, Any] = json.loads(made.which_is_better("--json"))
    assert found["better"] == datetime.fromtimestamp(made.bad_s + 3 * HOUR_S, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    assert found["times"][0]["not_ready"] == len(TROUBLED)
    assert found["times"][1]["not_ready"] == 0
    assert [each["site"] for each in found["differs"]] == list(TROUBLED)
    english, hindi = made.which_is_better("--lang", "en"), made.which_is_better("--lang", "hi")
    assert english.count("Bottleneck at this hour (failed in 5 of 5 weeks)") == len(TROUBLED)
    assert hindi.count("इस समय भीड़ (5 में से 5 हफ़्तों में नहीं चली)") == len(TROUBLED)


def test_a_back_test_of_samples_every_ten_minutes_takes_the_time_between_them_for_no_silence(
    desk: Desk,
) -> None:
    """What failed is what did, and "as at this hour" is a reference that can be beaten or not."""
    made = scene(desk, 600)
    found = json.loads(made.says("backtest", "--weeks", str(WEEKS), "--hourly", "--json"))
    day_before = found["horizons"][0]["score"]
    assert day_before["forecasts"] > 2000
    # Of four scored weeks; each troubled hour is one whole hour of the clock on the wall.
    assert day_before["failed"] == (WEEKS - 1) * len(TROUBLED)
    assert -1.0 < day_before["over_climatology"]["value"] < 1.0


def test_samples_every_quarter_of_an_hour_are_too_few(desk: Desk) -> None:
    """Four samples do not tell of an hour: no record is made up of them, and nobody is not ready by it."""
    made = scene(desk, 900)
    found = json.loads(made.which_is_better("--json"))
    assert [each["not_ready"] for each in found["times"]] == [0, 0]
    assert "weeks" not in made.which_is_better("--lang", "en")


@pytest.mark.parametrize(
    ("minutes", "english", "hindi"),
    [
        (5, "none of these pairs failed", "सब जोड़े चले"),
        (15, "no outcome is known.", "किसी का नतीजा पता नहीं।"),
    ],
)
def test_a_back_test_without_a_score_says_why(desk: Desk, minutes: int, english: str, hindi: str) -> None:
    """More weeks would not help a past in which nothing fails, nor one of four samples an hour."""
    at_s = np.arange(
        slot_start(time.time_ns()) // SECOND_NS - WEEK_S, time.time_ns() // SECOND_NS, minutes * 60
    )
    desk.imports_pings({site: (at_s, np.full(len(at_s), 40.0)) for site in OFFICES})
    where = ["--config", str(desk.config), "--data", str(desk.data)]
    for language, said in (("en", english), ("hi", hindi)):
        found = CliRunner().invoke(main, ["backtest", "--weeks", "1", "--hourly", "--lang", language, *where])
        assert found.exit_code == 1
        assert said in found.stdout
