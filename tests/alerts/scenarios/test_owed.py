"""Who was told of an office's silence with no meeting in mind hears once that it is over, whatever becomes of meetings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from alerts.service import Alerts
from telemetry.alerting import Owed
from telemetry.decisions import FactorKind
from tests.alerts.scenarios.house import DAY

if TYPE_CHECKING:
    from conftest import Build

    from config.config import Config
    from tests.alerts.scenarios.house import House


@pytest.fixture
def dark(build: Build) -> House:
    """Told as down at 09:41, the region at 11:41; since 11:45 the meeting of 13:00 to 14:00 stands in its place, and somebody has taken it up."""
    house = build(meeting="").at("09:41").silent("agra", since="09:10").run("11:45", every_s=60)
    house.meets("review", "13:00").dark("agra").run("11:46").takes_up("asha")
    assert sorted(house.told) == [
        "09:41:00 site:agra raised down agra",
        "11:41:00 ravi escalated down agra",
        "11:45:00 site:agra raised dark agra",
    ]
    return house


def words_since(house: House, told: int = 3) -> list[str]:
    """What was told after the first so many, by time and person."""
    return sorted(house.told[told:])


def test_back_just_before_the_meeting_ends(dark: House) -> None:
    """Well for less than the clear time when the meeting is over: the word is said all the same, of the silence."""
    dark.run("13:59", every_s=60).ready("agra").run("14:10")
    assert words_since(dark) == [
        "14:01:00 ravi resolved down agra",
        "14:01:00 site:agra resolved down agra",
    ]
    assert dark.facts[-1][0].meeting == ""
    assert dark.open == []


def test_dark_beyond_the_end_of_the_meeting(dark: House) -> None:
    """It is down once more, and the all-clear of that goes to the region too."""
    dark.run("14:05", every_s=60).heard("agra").run("14:20")
    assert words_since(dark) == [
        "14:00:00 site:agra raised down agra",
        "14:07:00 ravi resolved down agra",
        "14:07:00 site:agra resolved down agra",
    ]
    assert dark.open == []


def test_the_meeting_is_cancelled(dark: House) -> None:
    """The same: what was told before it had nothing to do with it."""
    dark.run("12:00", every_s=60).meets("review", "13:00", more="STATUS:CANCELLED\n")
    dark.run("12:30", every_s=60).heard("agra").run("12:40")
    assert words_since(dark) == [
        "12:00:00 site:agra raised down agra",
        "12:32:00 ravi resolved down agra",
        "12:32:00 site:agra resolved down agra",
    ]
    assert dark.open == []


def test_another_meeting_takes_the_place_of_the_first(dark: House) -> None:
    """Dark in two meetings one after the other: the region hears at the end of the second, once."""
    dark.meets("noon", "14:30").run("14:00", every_s=60).dark("agra", meeting="noon").run("14:40", every_s=60)
    told = len(dark.told)
    dark.ready("agra", meeting="noon").run("15:40", every_s=60)
    assert [line for line in words_since(dark, told) if "ravi" in line] == [
        "14:42:00 ravi resolved dark agra"
    ]
    assert dark.open == []


def test_silent_anew_when_the_meeting_ends(dark: House) -> None:
    """Silent for ten minutes at the end, too short to be down: no all-clear before contact is really back."""
    dark.run("13:50", every_s=60).silent("agra", since="13:50").run("14:10", every_s=60)
    assert words_since(dark) == []
    dark.heard("agra").run("14:20")
    assert words_since(dark) == [
        "14:12:00 ravi resolved down agra",
        "14:12:00 site:agra resolved down agra",
    ]
    assert dark.open == []


def test_announced_works_explain_the_silence_at_the_end(dark: House) -> None:
    """Nothing is said of the silence while they last, least of all that it is over."""
    dark.run("13:50", every_s=60).works(
        "site:agra,works,2026-11-24 09:00,2026-11-24 16:00,2026-11-20,fibre moved"
    )
    dark.run("14:30", every_s=60)
    assert words_since(dark) == []
    dark.heard("agra").run("14:40")
    assert words_since(dark) == [
        "14:32:00 ravi resolved down agra",
        "14:32:00 site:agra resolved down agra",
    ]
    assert dark.open == []


def test_a_shared_fault_explains_the_silence_at_the_end(dark: House) -> None:
    """Nobody is told of the silence then; the word waits for contact, not for the meeting."""
    dark.run("13:55", every_s=60).incident(FactorKind.PROVIDER, "provider-b", "agra", "etah")
    dark.run("14:30", every_s=60)
    assert not [line for line in dark.told if "resolved" in line]
    dark.heard("agra").incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now").run("14:40")
    assert "14:32:00 ravi resolved down agra" in dark.told
    assert "14:32:00 site:agra resolved down agra" in dark.told
    assert dark.open == []


def test_who_was_told_of_the_meeting_alone_hears_nothing_after_it(build: Build) -> None:
    """Nobody takes it up, so the NOC hears of the meeting in danger: with the meeting it is over for the NOC, not for the others."""
    house = build(meeting="").at("09:41").silent("agra", since="09:10").run("11:45", every_s=60)
    house.meets("review", "13:00").dark("agra").run("13:59", every_s=60)
    assert "12:20:00 noc-desk escalated dark agra" in house.told
    house.ready("agra").run("14:10")
    assert sorted(line for line in house.told if "resolved" in line) == [
        "14:01:00 ravi resolved down agra",
        "14:01:00 site:agra resolved down agra",
    ]
    assert house.open == []


def test_an_office_that_is_no_longer_linked(dark: House) -> None:
    """Nobody can say that it is well: it ends without a word."""
    sites = dark.folder / "sites.csv"
    sites.write_text(sites.read_text("utf-8").replace("braj,27,78,linked", "braj,27,78,planned"), "utf-8")
    dark.run("14:10", every_s=60)
    assert words_since(dark) == []
    assert dark.open == []


def test_weeks_of_silence_owe_no_more_than_days(build: Build) -> None:
    """A meeting every day comes and goes over an office that is dark: what is owed does not grow, and everybody hears once when it is back."""
    house = build(meeting="").at("09:41").silent("agra", since="09:10").run("10:41", every_s=300)
    house.meets("review", "13:00", more="RRULE:FREQ=DAILY\n")
    owed = []
    for days in range(14):
        date = datetime.fromisoformat(DAY) + timedelta(days=days)
        house.run(f"{date:%Y-%m-%d} 12:00", every_s=900).dark("agra")
        house.run(f"{date:%Y-%m-%d} 15:00", every_s=300)
        (alert,) = house.open
        owed.append(len(alert.owed))
    assert owed[-1] == owed[2], owed
    told = len(house.told)
    house.heard("agra").run(f"{date:%Y-%m-%d} 15:30", every_s=60)
    assert sorted(line.split(maxsplit=2)[2] for line in words_since(house, told)) == [
        "noc-desk resolved down agra",
        "ravi resolved down agra",
        "site:agra resolved down agra",
    ]
    assert house.open == []


def test_an_all_clear_is_owed_by_what_reached_a_person(build: Build) -> None:
    """Of a later alert nothing could be sent: whoever got the first message of the silence hears all the same that it is over."""
    house = build(meeting="").at("09:41").silent("agra", since="09:10").run("11:45", every_s=60)
    house.meets("review", "13:00", more="RRULE:FREQ=DAILY\n")
    house.alerts = Alerts(house.live, house.state, delivery=NoDelivery(), words=house._words)
    for days in range(3):
        date = datetime.fromisoformat(DAY) + timedelta(days=days)
        house.run(f"{date:%Y-%m-%d} 12:00", every_s=900).dark("agra")
        house.run(f"{date:%Y-%m-%d} 15:00", every_s=300)
    told = len(house.told)
    house.restart().heard("agra").run(f"{date:%Y-%m-%d} 15:30", every_s=60)
    assert sorted(line.split(maxsplit=2)[2] for line in words_since(house, told)) == [
        "ravi resolved down agra",
        "site:agra resolved down agra",
    ]


class NoDelivery:
    """The mail server is away."""

    def step(self, _config: Config, _now_ns: int) -> int:
        return 0


def test_what_was_put_down_before_is_read() -> None:
    """Words that an earlier release wrote down end with their meeting, as they did then."""
    assert msgspec.json.decode(b'{"person": "ravi", "alert": "K7M2PQ"}', type=Owed) == Owed("ravi", "K7M2PQ")
    assert not Owed("ravi", "K7M2PQ").lasts
