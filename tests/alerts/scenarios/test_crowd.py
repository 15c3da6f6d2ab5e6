"""Offices that fail at once: nobody is sent to a router for a fault that proves to be shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Action, FactorKind

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House

ELEVEN = tuple(f"office-{number:02}" for number in range(11))
NAMED = ELEVEN[:8]
LATE = ELEVEN[8:]


def failed(build: Build) -> House:
    """Eleven offices fail within eight seconds; 11 s after the last one an incident names eight of them."""
    house = build(offices=ELEVEN).at("10:38:15")
    house.not_ready(*ELEVEN[:4], severe=True, action=Action.AUDIO_ONLY).look()
    house.at("10:38:23").not_ready(*ELEVEN[4:], severe=True, action=Action.AUDIO_ONLY).look()
    return house.run("10:38:34", every_s=1).incident(FactorKind.PROVIDER, "provider-b", *NAMED).look()


def test_those_whom_the_incident_does_not_name_yet_wait_on(build: Build) -> None:
    """Three are left, fewer than a crowd: they are named 29 s later, and hear that alone."""
    house = failed(build).run("10:39:03", every_s=1)
    house.incident(FactorKind.PROVIDER, "provider-b", *ELEVEN).run("10:45")
    own = sorted(line for one in ELEVEN for line in house.told_of(f"site:{one}"))
    assert own == [
        *(f"10:38:34 site:{one} raised not_your_line {one}" for one in NAMED),
        *(f"10:39:03 site:{one} raised not_your_line {one}" for one in LATE),
    ]


def test_a_trouble_of_its_own_is_told_when_the_hold_is_over(build: Build) -> None:
    """The incident never names them: they hear after as long again."""
    house = failed(build).run("10:41", every_s=1)
    own = sorted(line for one in LATE for line in house.told_of(f"site:{one}"))
    assert own == [f"10:39:04 site:{one} raised not_ready {one}" for one in LATE]


def test_without_an_incident_the_hold_lasts_its_time_though_the_crowd_goes(build: Build) -> None:
    """Eight come back before anybody knew of a shared fault; the other three are told 30 s after they began."""
    house = build(offices=ELEVEN).at("10:38:00").not_ready(*ELEVEN, severe=True).look()
    house.at("10:38:15").ready(*NAMED).run("10:40", every_s=1)
    assert house.told == [f"10:38:30 site:{one} raised not_ready {one}" for one in LATE]


def test_three_are_no_crowd(build: Build) -> None:
    """They are told at once, as an office that fails alone."""
    house = build(offices=ELEVEN).at("10:38:00").not_ready(*LATE, severe=True).look()
    assert sorted(house.told) == [f"10:38:00 site:{one} raised not_ready {one}" for one in LATE]


FIVE = ELEVEN[:5]


def one_after_the_other(build: Build) -> House:
    """Five offices of one provider fail within a second; the alerts look at each report that comes."""
    house = build(offices=ELEVEN).at("10:38:00")
    for second, some in enumerate((FIVE[:2], FIVE[2:3], FIVE[3:])):
        house.at(f"10:38:0{second}").not_ready(*some, severe=True, action=Action.CALL_PROVIDER).look()
    return house


def test_the_first_of_a_crowd_count_though_they_were_told(build: Build) -> None:
    """Three hear at once, for nobody can know yet; the others wait, and hear that it is not their line."""
    house = one_after_the_other(build).run("10:38:16", every_s=1)
    house.incident(FactorKind.PROVIDER, "provider-b", *FIVE).run("10:45")
    own = sorted(line for one in FIVE for line in house.told_of(f"site:{one}"))
    assert own == [
        *(f"10:38:0{0 if one in FIVE[:2] else 1} site:{one} raised not_ready {one}" for one in FIVE[:3]),
        *(f"10:38:16 site:{one} raised not_your_line {one}" for one in FIVE),
    ]


def test_who_is_told_first_makes_nobody_wait_for_ever(build: Build) -> None:
    """No shared fault shows itself: the others hear of their own when their hold is over; one that fails after the hold hears at once."""
    house = one_after_the_other(build).run("10:38:40", every_s=1)
    house.not_ready(ELEVEN[5], severe=True).run("10:39", every_s=1)
    assert house.told[3:] == [
        *(f"10:38:32 site:{one} raised not_ready {one}" for one in FIVE[3:]),
        f"10:38:40 site:{ELEVEN[5]} raised not_ready {ELEVEN[5]}",
    ]
