"""What nobody saw does not count: no all-clear while the hub is blind, and the wait for it begins anew."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from telemetry.decisions import FactorKind, Reason, ReasonCode
from telemetry.state.heard import HEARD_UNTIL, HEARING_SINCE
from telemetry.state.held_back import held_back
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House

FIVE = ("agra", "etah", "hathras", "mainpuri", "mathura")


def healing(build: Build) -> House:
    """A shared fault is over at 09:00:19, and all looks well; the watch hears the offices until 09:01:45."""
    house = build(offices=FIVE, meeting="10:30").at("08:50").not_ready(*FIVE, severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE).hears().run("08:59", every_s=5)
    house.at("09:00:19").ready(*FIVE).hears("09:00:15")
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE, until="now")
    return listening(house, "09:01:45")


def listening(house: House, until: str) -> House:
    """The watch hears windows until then; the alerts look at each heartbeat."""
    until_ns = house._ns(until)
    while house.now_ns < until_ns:
        house.hears(house._clock(house.now_ns - 20 * SECOND_NS)).look()
        house.now_ns += 5 * SECOND_NS
    return house.hears(until)


def words_of_the_end(house: House) -> list[str]:
    return sorted(line for line in house.told if " resolved " in line)


def all_clear(at: str) -> list[str]:
    return sorted(
        (f"{at} noc-desk resolved shared 5-offices", *(f"{at} site:{one} resolved not_your_line {one}" for one in FIVE))
    )  # fmt: skip


def test_the_last_seconds_must_have_been_seen(build: Build) -> None:
    """Two minutes are over at 09:02:19, but of the last 34 s nothing is known: nobody hears that all is well, however long that lasts."""
    house = healing(build).run("09:10", every_s=1)
    assert words_of_the_end(house) == []
    assert {one.clear_ns for one in house.open} == {None}


def test_the_wait_begins_anew_when_the_offices_are_heard_again(build: Build) -> None:
    """Blind for eight minutes: the word comes two minutes after that."""
    house = healing(build).run("09:10", every_s=1)
    house = listening(house.hears("09:09:55"), "09:13")
    assert words_of_the_end(house) == all_clear("09:12:00")
    assert house.open == []


def test_windows_that_are_late_only_put_it_off(build: Build) -> None:
    """They come while it was not yet silence, and were seen: the wait went on meanwhile."""
    house = healing(build).run("09:02:25", every_s=1)
    assert words_of_the_end(house) == []
    assert words_of_the_end(house.hears("09:02:15").look()) == all_clear("09:02:25")


def test_an_office_that_is_bad_when_it_is_heard_again_was_never_called_well(build: Build) -> None:
    """It broke while nobody could see it: the same alert goes on, and is one trouble."""
    house = build().at("09:00").not_ready("agra", severe=True).hears().look()
    listening(house.ready("agra"), "09:01").run("09:06", every_s=1)
    house.hears().not_ready("agra", severe=True)
    told = listening(house, "09:20").told
    assert [line for line in told if "site:agra" in line] == ["09:00:00 site:agra raised not_ready agra"]


def test_a_trouble_is_not_called_the_offices_own_of_time_that_nobody_saw(build: Build) -> None:
    """The shared fault is over and one office not back yet, when the hub goes blind: nobody tells its in-charge to ring anybody until it has been seen for two minutes."""
    house = build(offices=FIVE, meeting="10:30").at("08:50").not_ready(*FIVE, severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE).hears().run("08:59", every_s=5)
    house.ready(*FIVE[1:]).incident(FactorKind.PROVIDER, "provider-b", *FIVE, until="now")
    house = listening(house, "08:59:45").run("09:10", every_s=1)
    assert [line for line in house.told_of("site:agra") if "not_ready" in line] == []
    house = listening(house.hears("09:09:55"), "09:13")
    assert house.told_of("site:agra")[1:] == ["09:12:00 site:agra raised not_ready agra"]


def test_a_later_meeting_is_not_called_in_danger_of_time_that_nobody_saw(build: Build) -> None:
    """The first meeting looks well and the next one does not, when the hub goes blind: the verdicts may take turns still, and the second is told when that has been seen."""
    house = build(meeting="").meets("review", "10:30").meets("next", "11:45").at("10:00")
    house.not_ready("agra", severe=True).hears().look()
    house.ready("agra").not_ready("agra", meeting="next").heard("agra")
    house = listening(house, "10:00:45").run("10:10", every_s=1)
    assert house.told_of("site:agra") == ["10:00:00 site:agra raised not_ready agra"]
    house = listening(house.hears("10:09:55"), "10:13")
    assert house.told_of("site:agra")[1:] == ["10:12:00 site:agra raised not_ready agra"]


def lagging(house: House, until: str, behind_s: int = 30) -> House:
    """The watch beats every five seconds, and is so far behind with what it has judged."""
    until_ns = house._ns(until)
    while house.now_ns < until_ns:
        house.hears(house._clock(house.now_ns - behind_s * SECOND_NS)).look()
        house.now_ns += 5 * SECOND_NS
    return house


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int | None]]:
    """What the log says of all-clears: the event, and how many wait."""
    found = [(getattr(one, "event", ""), getattr(one, "count", None)) for one in caplog.records]
    return [one for one in found if one[0].startswith("all-clears")]


@pytest.mark.parametrize("behind_s", [30, 60], ids=["late", "deaf"])
def test_all_clears_that_wait_for_a_watch_that_lags_are_said(
    build: Build, caplog: pytest.LogCaptureFixture, behind_s: int
) -> None:
    """One line when that has lasted and one when it is over, and in every heartbeat between how many and since when; a single late window is said nowhere."""
    caplog.set_level(logging.INFO)
    house = build().at("09:00").not_ready("agra", "etah", severe=True).hears().look()
    house.ready("agra", "etah")
    lagging(house, "09:10", behind_s)
    assert not [line for line in house.told if "resolved" in line]
    waits = held_back(house.state.beats(), house.now_ns)
    assert waits is not None
    assert (waits.count, house._clock(waits.since_ns)) == (2, "09:02:00" if behind_s == 30 else "09:00:00")
    assert said(caplog) == [("all-clears.held-back", 2)]
    record = next(one for one in caplog.records if getattr(one, "event", "") == "all-clears.held-back")
    assert record.behind_s >= behind_s  # type: ignore[attr-defined]
    listening(house, "09:13")
    assert {line.split()[1] for line in house.told if "resolved" in line} == {"site:agra", "site:etah"}
    assert said(caplog)[1:] == [("all-clears.go-on", None)]
    assert held_back(house.state.beats(), house.now_ns) is None


def test_what_nobody_waits_for_is_not_held_back(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody was told, a line is bad still, or one late window holds a word up for some seconds: nothing is said."""
    caplog.set_level(logging.INFO)
    house = build().at("09:00").not_ready("agra", severe=True).hears().look()
    lagging(house.at_risk("etah"), "09:10")
    assert held_back(house.state.beats(), house.now_ns) is None
    listening(house.ready("agra", "etah"), "09:11:50")
    lagging(house, "09:12:15")
    assert not [line for line in house.told if "resolved" in line]
    listening(house, "09:12:40")
    assert [line.split()[1] for line in house.told if "resolved" in line] == ["site:agra"]
    assert said(caplog) == []


def test_alerts_that_are_silent_say_nothing_of_what_waits(house: House) -> None:
    """What they said of it last may be over: that they are silent is said in its place."""
    house.at("09:00").not_ready("agra", severe=True).hears().look()
    lagging(house.ready("agra"), "09:05")
    assert held_back(house.state.beats(), house.now_ns) is not None
    assert held_back(house.state.beats(), house.now_ns + 60 * SECOND_NS) is None


@pytest.mark.parametrize(
    ("code", "since_s", "heard_s", "unseen"),
    [
        (ReasonCode.LOSS_UP, -20, 0, True),
        (ReasonCode.LOSS_UP, -80, 0, True),
        (ReasonCode.LOSS_UP, -300, 0, False),
        (ReasonCode.LOSS_UP, -20, -600, False),
        (ReasonCode.USUAL_HOUR, None, 0, False),
    ],
    ids=["first window", "waited for a minute", "seen before", "heard for long", "foretold"],
)
def test_what_is_there_when_the_hub_hears_again_may_have_begun_before(
    house: House, code: ReasonCode, since_s: int | None, heard_s: int, unseen: bool
) -> None:
    """A fault of the first windows that are heard; not one that was seen to begin before, and nothing that is only foretold. It stays so when the hub is away again."""
    house.at("09:00")
    beat = {HEARD_UNTIL: house.now_ns, HEARING_SINCE: house.now_ns + heard_s * SECOND_NS}
    house.state.beat("watch", house.now_ns, beat)
    since_ns = None if since_s is None else house.now_ns + since_s * SECOND_NS
    reason = Reason(code=code, value=0.4, unit="ratio", since_ns=since_ns)
    house.not_ready("agra", reasons=(reason,)).run("09:01")
    assert [one.unseen for one in house.open] == [unseen]
    house.state.beat("watch", house.now_ns, {HEARD_UNTIL: house.now_ns, HEARING_SINCE: house.now_ns})
    assert [one.unseen for one in house.run("09:02").open] == [unseen]
