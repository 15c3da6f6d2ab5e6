"""A fault that begins while the hub cannot hear is told as long as it was seen, and that it may have lasted longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alerts.service import Alerts
from telemetry.decisions import ReasonCode
from telemetry.windows import MINUTE_NS, SECOND_NS, WINDOW_NS
from telemetry.words import say_reason
from tests.alerts.scenarios.house import PerfectDelivery
from tests.watch.conftest import MONDAY, Meeting, Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PEOPLE = """id,name,role,about,language,email,phone,channels,quiet,per_hour
keeper,Keeper,in_charge,site:agra,en,agra@office.example,,,none,
"""
SETTINGS = '[files]\nmeetings = "meetings"\n[alerts]\nsmtp_host = "mail.example"\n'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[Town, Callable[[float], None]]]:
    """Offices, and a clock that moves watch and alerts on by so many seconds; the meeting is an hour and a half away."""
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    town = Town(tmp_path)
    (tmp_path / "tatpar.toml").write_text(SETTINGS, encoding="utf-8")
    town.meet(Meeting("review", MONDAY + 90 * MINUTE_NS))
    town.live.refresh()
    alerts = Alerts(town.live, town.state, town.clock, delivery=PerfectDelivery(town.state))

    def play(seconds: float) -> None:
        for _ in range(round(seconds / 5)):
            town.play(5, step_s=2.5)
            alerts.step(town.now_ns)

    yield town, play
    alerts.close()
    town.close()


def break_whole(town: Town) -> None:
    town.break_line("agra", up=1.0, down=1.0)


def stands_still(town: Town, minutes: float) -> None:
    """Nobody takes anything in: the whole hub is off, and is then started again."""
    town.now_ns += round(minutes * MINUTE_NS)
    town.clock.advance(round(minutes * MINUTE_NS))
    town.restart()


def all_clear(town: Town) -> str:
    """The mail to the office that all is well again."""
    (body,) = [row.body for row in town.state.outbox(100) if "well again" in row.subject]
    return body.replace("\u00a0", " ")


@pytest.mark.parametrize("minutes", [5, 50])
def test_what_began_while_the_hub_was_off_lasted_at_least_as_long_as_it_was_seen(
    hub: tuple[Town, Callable[[float], None]], minutes: float
) -> None:
    """The line is down in the first windows that are heard: nobody knows since when, and the mail says so."""
    town, play = hub
    play(120)
    stands_still(town, minutes)
    break_whole(town)
    play(120)
    town.heal("agra")
    play(300)
    assert "the trouble lasted at least 2 min." in all_clear(town)


def said_of_it(town: Town) -> set[str]:
    """What the flag and the verdict say of Agra's line."""
    reasons = [flag.reason for flag in town.state.open_flags() if flag.path == "main.state"]
    reasons += [one for one in town.verdict("agra").reasons if one.code is ReasonCode.OUTAGE]
    assert len(reasons) >= 2
    return {say_reason("en", one) for one in reasons}


@pytest.mark.parametrize("minutes", [2, 5, 25, 50])
def test_the_reason_says_of_it_what_the_all_clear_says(
    hub: tuple[Town, Callable[[float], None]], minutes: float
) -> None:
    """While it lasts "or before", whatever is remembered of the time before the hub was off."""
    town, play = hub
    play(120)
    stands_still(town, minutes)
    break_whole(town)
    play(120)
    assert all(said.endswith(" or before") for said in said_of_it(town))
    town.heal("agra")
    play(300)
    assert "the trouble lasted at least 2 min." in all_clear(town)


def test_what_was_down_long_before_the_watch_began_lasted_at_least_as_long_as_it_knows(
    hub: tuple[Town, Callable[[float], None]],
) -> None:
    """Reports came in all the time, and the watch is begun 45 minutes into the outage: it reads back half an hour."""
    town, play = hub
    break_whole(town)
    for nth in range(180):
        town.report(MONDAY + nth * WINDOW_NS, MONDAY + (nth + 1) * WINDOW_NS + 5 * SECOND_NS)
    stands_still(town, 45)
    play(120)
    assert said_of_it(town) == {"Line is down, since 11:45 or before"}
    town.heal("agra")
    play(
        420
    )  # for five minutes a line has only just come back: the trouble is over when the office is ready again
    assert "the trouble lasted at least 36 min." in all_clear(town)


def test_what_began_while_nobody_was_heard_lasted_at_least_so_long(
    hub: tuple[Town, Callable[[float], None]],
) -> None:
    """The watch was at work all the time, and no report came in: the broker was away."""
    town, play = hub
    play(120)
    town.offline.update(town.linked)
    play(300)
    break_whole(town)
    town.offline.clear()
    play(120)
    town.heal("agra")
    play(300)
    assert "the trouble lasted at least 2 min." in all_clear(town)


def test_what_was_seen_to_begin_is_told_from_then_on(hub: tuple[Town, Callable[[float], None]]) -> None:
    """It began before the hub was off, and was still there afterwards: it lasted all the time."""
    town, play = hub
    play(120)
    break_whole(town)
    play(120)
    stands_still(town, 5)
    play(120)
    town.heal("agra")
    play(300)
    assert "the trouble lasted 9 min." in all_clear(town)


def test_what_begins_before_everybodys_eyes_is_told_exactly(
    hub: tuple[Town, Callable[[float], None]],
) -> None:
    """Also soon after the hub has come back."""
    town, play = hub
    stands_still(town, 5)
    play(120)
    break_whole(town)
    play(120)
    town.heal("agra")
    play(300)
    assert "the trouble lasted 2 min." in all_clear(town)
