"""What nobody saw does not count: no all-clear while the hub is blind, and the wait for it begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import FactorKind
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
