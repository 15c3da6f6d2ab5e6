"""What lines are told over time: characters, hours, faults by hand."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from lab.line.impairment import CLEAR, Impairment
from lab.running.agenda import Agenda, strength
from lab.running.character import characters, great_circle_km
from lab.running.director import Director
from lab.running.effect import Effect
from lab.running.scope import Places
from lab.running.script import QUIET, Hours, Kind, Office, Script, ScriptedFault, fitting, load_script

if TYPE_CHECKING:
    from lab.running.director import Change


KOLKATA = "Asia/Kolkata"
MONDAY = dt.datetime(2026, 11, 23, tzinfo=ZoneInfo(KOLKATA))
MINUTE = 60_000_000_000


def at(hour: int, minute: int = 0, day: int = 0) -> int:
    return int((MONDAY + dt.timedelta(days=day, hours=hour, minutes=minute)).timestamp()) * 1_000_000_000


@pytest.fixture
def few(places: Places) -> Places:
    """Three offices of two providers."""
    chosen = [site for site in places.sites if site.id in ("meerut", "meerut-city", "jaunpur")]
    return Places(chosen, ("state", "national"), {site.id: site.provider for site in chosen})


def quiet(few: Places, **rules: Any) -> Director:
    return Director(msgspec.structs.replace(QUIET, **rules), few, KOLKATA, 1)


def hours(**more: Any) -> Hours:
    return Hours(
        **{"name": "x", "who": ("all",), "from_": "18:00", "until": "22:00", "loss_ratio": 0.1, **more}
    )


def told(change: Change) -> dict[tuple[str, str], tuple[Impairment, Impairment]]:
    return {(state.site, state.end): (state.up, state.down) for state in change.states}


@pytest.mark.parametrize(
    ("hour", "minute", "day", "expected"),
    [(17, 59, 0, 0.0), (18, 0, 0, 0.0), (18, 15, 0, 0.5), (18, 30, 0, 1.0), (20, 0, 0, 1.0), (21, 45, 0, 0.5), (22, 0, 0, 0.0), (20, 0, 1, 1.0)],
)  # fmt: skip
def test_ramps(few: Places, hour: int, minute: int, day: int, expected: float) -> None:
    """A rule grows over its ramp from its first minute, and fades before its last."""
    rule = hours(ramp_min=30)
    agenda = Agenda(msgspec.structs.replace(QUIET, hours=(rule,)), few, KOLKATA)
    week_minute = agenda.minute_of_week(np.array([at(hour, minute, day)]))
    assert strength(rule, week_minute)[0] == pytest.approx(expected)


def test_hours_past_midnight_begin_on_their_day(few: Places) -> None:
    """A rule from 22:00 to 02:00 on Sundays holds on Monday at 01:00, and not on Sunday at 01:00."""
    rule = hours(from_="22:00", until="02:00", days=("sun",))
    agenda = Agenda(msgspec.structs.replace(QUIET, hours=(rule,)), few, KOLKATA)
    minutes = agenda.minute_of_week(np.array([at(1, day=0), at(1, day=6), at(23, day=6), at(23, day=0)]))
    assert strength(rule, minutes).tolist() == [1.0, 0.0, 1.0, 0.0]


def test_daylight_saving_moves_the_hours(few: Places) -> None:
    """Where clocks are put back, a rule keeps its local hour."""
    rule = hours(from_="12:00", until="13:00")
    agenda = Agenda(msgspec.structs.replace(QUIET, hours=(rule,)), few, "Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    times = [
        int(dt.datetime(2026, 10, day, 12, 30, tzinfo=zone).timestamp()) * 1_000_000_000
        for day in (24, 25, 26)
    ]
    assert strength(rule, agenda.minute_of_week(np.array(times))).tolist() == [1.0, 1.0, 1.0]


def test_the_first_change_tells_every_line(few: Places) -> None:
    """At the start every line is told its state; without news, nothing is told again."""
    director = quiet(few)
    first = director.change(at(10))
    assert len(first.states) == 6
    assert first.cut == {}
    assert director.change(at(10, 1)).is_empty


def test_scripted_hours_come_and_go(few: Places) -> None:
    """A rule changes just its lines when it begins, and gives them back when it ends."""
    director = quiet(few, hours=(hours(who=("meerut",), direction="up"),))
    director.change(at(17, 59))
    assert told(director.change(at(18, 1))) == {
        ("meerut", end): (Impairment(loss_ratio=0.1), CLEAR) for end in ("state", "national")
    }
    assert set(told(director.change(at(22, 1))).values()) == {(CLEAR, CLEAR)}


def test_scripted_outage_cuts_the_office(few: Places) -> None:
    """A provider's outage hits all its offices, TCP included, and nobody else's."""
    fault = ScriptedFault(
        name="cut", who=("provider:provider-b",), at=dt.datetime(2026, 11, 23, 12), minutes=10, outage=True
    )
    director = quiet(few, faults=(fault,))
    served = {site.id for site in few.sites if site.provider == "provider-b"}
    director.change(at(11, 59))
    change = director.change(at(12, 5))
    assert {site for site, _ in told(change)} == served
    assert change.cut == dict.fromkeys(served, True)
    assert director.change(at(12, 10)).cut == dict.fromkeys(served, False)


def test_outage_of_an_end_leaves_offices_on_line(few: Places) -> None:
    """When a headquarters is cut off, its UDP is out for all and nobody's TCP is."""
    director = quiet(few)
    director.change(at(10))
    director.break_(few.scope("end:state"), Effect(outage=True), at(10))
    change = director.change(at(10))
    assert {end for _, end in told(change)} == {"state"}
    assert change.cut == {}


def test_breaking_twice_changes_what_is_named(few: Places) -> None:
    """A second break on the same office and direction replaces its figures; another direction adds."""
    director = quiet(few)
    meerut = few.scope("meerut")
    director.break_(meerut, Effect(direction="up", loss_ratio=0.05, jitter_ms=3), at(10))
    director.break_(meerut, Effect(direction="up", loss_ratio=0.02), at(10, 1))
    director.break_(meerut, Effect(direction="down", delay_ms=9), at(10, 2))
    director.change(at(10, 3))
    assert director.state("meerut", "state") == (
        Impairment(loss_ratio=0.02, jitter_ms=3),
        Impairment(delay_ms=9),
    )
    assert [fault.since_ns for fault in director.faults] == [at(10), at(10, 2)]


def test_faults_expire(few: Places) -> None:
    """A fault for five minutes is gone after five minutes."""
    director = quiet(few)
    director.break_(few.scope("meerut"), Effect(outage=True), at(10), at(10, 5))
    assert director.next_end_ns() == at(10, 5)
    assert director.change(at(10, 4)).cut == {"meerut": True}
    assert director.change(at(10, 5)).cut == {"meerut": False}
    assert director.faults == ()


def test_heal_takes_away_exactly_its_scope(few: Places) -> None:
    """Healing an office leaves its region's fault; healing everything leaves nothing."""
    director = quiet(few)
    director.break_(few.scope("meerut"), Effect(delay_ms=1), at(10))
    director.break_(few.scope("region:west"), Effect(delay_ms=2), at(10))
    assert [str(fault.scope) for fault in director.heal(few.scope("meerut"))] == ["meerut"]
    assert [str(fault.scope) for fault in director.touching(few.scope("meerut"))] == ["region:west"]
    assert director.touching(few.scope("jaunpur")) == ()
    assert len(director.heal()) == 1
    assert director.faults == ()


def test_characters_are_the_same_whoever_asks(places: Places) -> None:
    """An office's line is the same in the whole fleet and alone, and another with another seed."""
    script = load_script(None, places)
    alone = Places([places.sites[5]], places.ends, {places.sites[5].id: places.sites[5].provider})
    whole = characters(script, places, 1)
    for key, one in characters(fitting(script, alone), alone, 1).items():
        assert whole[key] == one
    assert characters(script, places, 2) != whole


def test_delay_follows_distance(places: Places) -> None:
    """Of offices with the same kind of line, those farther from a headquarters have more delay on the mean."""
    script = load_script(None, places)
    lines = characters(script, places, 1)
    lucknow, delhi = lines["lucknow", "state"].up.delay_ms, lines["lucknow", "national"].up.delay_ms
    assert delhi - lucknow == pytest.approx(great_circle_km(26.85, 80.95, 28.61, 77.21) * 1.8 / 200, abs=0.2)


def test_distance_over_the_globe() -> None:
    """Lucknow to New Delhi is some 417 km as the crow flies."""
    assert great_circle_km(26.85, 80.95, 28.61, 77.21) == pytest.approx(417, abs=3)


def test_the_default_fleet_is_mostly_sound(places: Places) -> None:
    """At every hour of a week at most 5 % of the offices lose 1 % or jitter 10 ms, and over the week some do."""
    director = Director(load_script(None, places), places, KOLKATA, 1)
    weak = []
    for hour in range(7 * 24):
        director.change(at(0) + hour * 60 * MINUTE + MINUTE // 2)
        bad = {
            site.id
            for site in places.sites
            for end in places.ends
            for way in director.state(site.id, end)
            if way.loss_ratio > 0.01 or way.jitter_ms > 10 or way.outage
        }
        weak.append(len(bad) / len(places.sites))
    assert max(weak) <= 0.05
    assert any(weak)
    assert sum(a != b for a, b in pairwise(weak)) > 10


def test_kinds_by_provider_and_office(few: Places) -> None:
    """A kind given to a provider is its offices'; one given to an office afterwards wins."""
    kinds = (
        Kind(id="fibre", share=1, access_ms=1, jitter_ms=0),
        Kind(id="copper", share=0, access_ms=5, jitter_ms=0),
        Kind(id="radio", share=0, access_ms=20, jitter_ms=0),
    )
    first, *others = [site for site in few.sites if site.provider == "provider-b"]
    offices = (Office(who=("provider:provider-b",), kind="copper"), Office(who=(first.id,), kind="radio"))
    lines = characters(Script(kinds=kinds, offices=offices), few, 1)
    assert lines[first.id, "state"].kind == "radio"
    assert {lines[site.id, "state"].kind for site in others} == {"copper"}
    assert lines["meerut", "state"].kind == "fibre"
