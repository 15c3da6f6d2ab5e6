"""An outage that is over is told by its own beginning and length, the same at every look, though the ring forgets one window after the other of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import ReasonCode
from telemetry.windows import DAY_NS, MINUTE_NS, SECOND_NS, WINDOW_NS
from telemetry.words import say_reason
from tests.watch.asked import asked_of
from tests.watch.conftest import MONDAY, Meeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.decisions import Reason, Verdict
    from tests.watch.conftest import Town


def words(reason: Reason, language: str = "en") -> str:
    return say_reason(language, reason).replace("\u00a0", " ")


def outage_of(verdict: Verdict) -> Reason | None:
    return next((one for one in verdict.reasons if one.code is ReasonCode.OUTAGE), None)


def by_the_watch(town: Town) -> Reason | None:
    return outage_of(town.verdict("agra"))


def by_who_asks(town: Town) -> Reason | None:
    return outage_of(asked_of(town, "agra"))


@pytest.fixture
def known(town: Town) -> Town:
    """Agra was well for a day, so that an outage makes it doubtful; the meeting is at 12:45."""
    town.meet(Meeting("review", MONDAY + 75 * MINUTE_NS))
    town.live.refresh()
    town.remember(MONDAY - DAY_NS, MONDAY - WINDOW_NS, ("agra", "ballia"))
    return town


def break_for(town: Town, minutes: float) -> None:
    """All is well for a minute, then nothing comes through for so long."""
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    town.break_line("agra", up=1.0, down=1.0)
    town.play(minutes * 60, step_s=5)


def looks(town: Town, *askers: Callable[[Town], Reason | None]) -> list[Reason]:
    """The line is well again: what is said of its outage each minute, by each who is asked, until nobody says it any more."""
    town.heal("agra")
    town.play(30, step_s=5)
    found: list[Reason] = []
    for _ in range(12):
        town.play(60, step_s=5)
        said = [each for each in (ask(town) for ask in askers) if each is not None]
        if not said:
            break
        found += said
    assert len(found) >= 4 * len(askers)
    return found


def times(told: list[Reason]) -> set[tuple[int | None, int | None, float | None, bool]]:
    return {(one.since_ns, one.until_ns, one.value, one.unseen) for one in told}


@pytest.mark.parametrize("minutes", [10, 45])
def test_a_past_outage_is_told_the_same_at_every_look(known: Town, minutes: int) -> None:
    """One that the ring holds, and one that it does not: by the verdict, by who asks beside the watch, and as the flag said."""
    town = known
    break_for(town, minutes)
    (began_ns, until_ns) = MONDAY + MINUTE_NS, MONDAY + (1 + minutes) * MINUTE_NS
    told = looks(town, by_the_watch, by_who_asks)
    assert times(told) == {(began_ns, until_ns, minutes * 60.0, False)}
    flags = {
        (one.flag.since_ns, one.flag.reason.until_ns, one.flag.reason.value)
        for one in town.state.flag_history(MONDAY, town.now_ns)
        if one.flag.reason.code is ReasonCode.OUTAGE and one.flag.path == "main.state"
    }
    assert flags == {(began_ns, until_ns, minutes * 60.0)}


def test_restarts_do_not_shorten_it(known: Town) -> None:
    """The watch is started anew in the middle, after ten minutes in which reports came in and nobody looked, and once more when the line is well."""
    town = known
    break_for(town, 40)
    for window in range(town.now_ns // WINDOW_NS, town.now_ns // WINDOW_NS + 40):
        town.report(window * WINDOW_NS, (window + 1) * WINDOW_NS + 5 * SECOND_NS)
    town.now_ns += 10 * MINUTE_NS
    town.clock.advance(10 * MINUTE_NS)
    town.restart()
    town.play(120, step_s=5)
    until_ns = town.now_ns
    town.heal("agra")
    town.play(45, step_s=5)  # the flag is down again
    town.restart()
    town.play(5)
    town.watch.refresh_past(town.now_ns)
    told = looks(town, by_the_watch)
    assert times(told) == {(MONDAY + MINUTE_NS, until_ns, (until_ns - MONDAY - MINUTE_NS) / SECOND_NS, False)}


@pytest.fixture
def unwatched(known: Town) -> Town:
    """Down for three quarters of an hour and still, and nobody watched."""
    town = known
    town.report(MONDAY, MONDAY + 20 * SECOND_NS)
    town.break_line("agra", up=1.0, down=1.0)
    for nth in range(1, 180):
        town.report(MONDAY + nth * WINDOW_NS, MONDAY + (nth + 1) * WINDOW_NS + 5 * SECOND_NS)
    town.now_ns += 45 * MINUTE_NS
    town.clock.advance(45 * MINUTE_NS)
    return town


def test_a_watch_that_began_within_it_does_not_say_when_it_began(unwatched: Town) -> None:
    """While it lasts "or before", once it is over until when; the same at every look, on the flag too."""
    town = unwatched
    town.restart()
    town.play(120, step_s=5)
    town.watch.refresh_past(town.now_ns)
    lasts, flag = by_the_watch(town), town.flags()["agra", "outage"]
    assert lasts is not None
    assert lasts.since_ns == flag.since_ns == flag.reason.since_ns
    assert words(lasts) == words(flag.reason) == "Line is down, since 11:45 or before"
    assert words(lasts, "hi") == "लाइन बंद, 11:45 या उससे पहले से"
    told = looks(town, by_the_watch, by_who_asks)
    assert {words(one) for one in told} == {"Line was down until 12:17, fine since"}
    assert {words(one, "hi") for one in told} == {"12:17 तक लाइन बंद रही, उसके बाद ठीक"}
    assert len(times(told)) == 1


def test_who_asks_where_nobody_watches_is_told_until_when(unwatched: Town) -> None:
    """Half an hour of windows is all that is looked at: no length that would be shorter with each look, in no place."""
    town = unwatched
    town.heal("agra")
    found = []
    for minute in range(1, 6):
        for nth in range(4):
            at_ns = town.now_ns + nth * WINDOW_NS
            town.report(at_ns, at_ns + WINDOW_NS + 5 * SECOND_NS)
        town.now_ns += MINUTE_NS
        if minute > 1:
            found.append(by_who_asks(town))
    told = [one for one in found if one is not None]
    assert len(told) == len(found)
    assert times(told) == {(None, MONDAY + 45 * MINUTE_NS, None, True)}
    assert {words(one) for one in told} == {"Line was down until 12:15, fine since"}
