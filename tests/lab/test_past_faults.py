"""The known faults of the past: each kind by its own law, as announced, as foretold."""

from __future__ import annotations

import csv
from random import Random
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from lab.past.congestion import Congestion, memory_weights
from lab.past.days import LocalDays
from lab.past.faults import faults_between, holiday
from lab.past.laws import FLAT, POWER_HOURS, WORK_HOURS, Length, Onsets
from lab.past.lines import line_states
from lab.past.plan import plan_history
from lab.past.works import works_csv
from lab.running.script import Past, load_script
from telemetry.windows import DAY_NS, HOUR_NS, WINDOW_NS

if TYPE_CHECKING:
    from config.config import Config
    from lab.past.faults import PastFault
    from lab.past.plan import PastPlan
    from lab.running.scope import Places

NOW = 1_795_420_800_000_000_000  # Monday 23 November 2026, 08:00 UTC
WEEK = 7 * DAY_NS
ZONE = "Asia/Kolkata"


def drawn(places: Places, weeks: int = 12, seed: int = 1, **rates: float) -> list[PastFault]:
    return list(faults_between(Past(**rates), places, seed, NOW - weeks * WEEK, NOW, ZONE))


def named(faults: list[PastFault], name: str) -> list[PastFault]:
    return [fault for fault in faults if fault.name == name]


@pytest.fixture
def plan(config: Config, places: Places) -> PastPlan:
    past = Past(works_per_month=6, holidays_per_month=3, congested_share=1.0)
    script = msgspec.structs.replace(load_script(None, places), past=past, hours=())
    return plan_history(config, script, places, now_ns=NOW, weeks=2, seed=1)


def test_laws_of_hours_cover_a_day() -> None:
    """A law's beginnings over the hours of a day add up to its monthly rate, whatever the weights."""
    for hours in (FLAT, POWER_HOURS, WORK_HOURS):
        law = Onsets(3.0, hours)
        assert sum(law.per_min(hour) * 60 for hour in range(24)) * 30 == pytest.approx(3.0)


def test_a_rate_of_one_kind_leaves_the_others_as_they_were(places: Places) -> None:
    """With more power cuts the bad spells are the same ones."""
    few = drawn(places, bad_spells_per_month=2, power_cuts_per_month=1)
    many = drawn(places, bad_spells_per_month=2, power_cuts_per_month=9)
    assert named(few, "bad spell") == named(many, "bad spell") != []
    assert len(named(many, "power cut")) > 3 * len(named(few, "power cut"))


def test_power_goes_at_the_hours_of_load(places: Places) -> None:
    """More power cuts begin between two and four in the afternoon, local time, than between two and four at night."""
    cuts = named(drawn(places, power_cuts_per_month=6), "power cut")
    starts = np.array([cut.start_ns for cut in cuts])
    hour = LocalDays(ZONE).day_and_minute(starts)[1] // 60
    day, night = np.isin(hour, (14, 15)).sum(), np.isin(hour, (2, 3)).sum()
    assert day > 2 * night > 0


def test_some_offices_suffer_more_than_others(places: Places) -> None:
    """The most befallen office has several times as many bad spells as the median one, the same in another year."""
    for seed in (1, 2):
        spells = named(drawn(places, seed=seed, bad_spells_per_month=4), "bad spell")
        counts = np.array([sum(site.id in spell.sites for spell in spells) for site in places.sites])
        assert counts.max() > 2.5 * np.median(counts)


def test_a_line_that_flapped_goes_on_flapping(places: Places) -> None:
    """Spells of flapping lie within the days of a flapping line, several each, and each foretold by the first."""
    faults = drawn(places, flapping_lines_per_month=0.5, flapping_days=3, flaps_per_day=6)
    spells, lines = named(faults, "flapping"), named(faults, "flapping line")
    assert len(spells) > 5 * len(lines) > 0
    for spell in spells:
        assert spell.foretold_ns is not None
        assert spell.foretold_ns <= spell.start_ns
    assert all(line.effect.is_nothing for line in lines)
    assert all(flap.effect.outage for flap in named(faults, "flap"))


def test_strain_creeps_up_and_breaks_or_recedes(places: Places) -> None:
    """As often as stated a creeping strain ends in a bad spell; the spell knows since when it was foretold."""
    faults = drawn(places, bad_spells_per_month=6, creeping_share=1.0, creeping_breaks_share=0.7)
    creeps, spells = named(faults, "creeping strain"), named(faults, "bad spell")
    ends = {(creep.end_ns, *creep.sites) for creep in creeps}
    broke = [spell for spell in spells if (spell.start_ns, *spell.sites) in ends]
    assert 0.6 < len(broke) / len(creeps) < 0.8
    assert all(spell.foretold_ns is not None for spell in spells)


def test_strain_grows_evenly(config: Config, places: Places) -> None:
    """The jitter of a creeping strain rises from nothing to its height, window by window."""
    site = places.sites[0]
    script = msgspec.structs.replace(load_script(None, places), hours=(), past=Past())
    quiet = plan_history(config, script, places, now_ns=NOW, weeks=1 / 7, seed=1)
    (creep, *_) = named(drawn(places, bad_spells_per_month=9, creeping_share=1.0), "creeping strain")
    creep = msgspec.structs.replace(creep, sites=frozenset({site.id}))
    start_ns = np.arange(creep.start_ns // WINDOW_NS * WINDOW_NS, creep.end_ns + HOUR_NS, WINDOW_NS)
    states = line_states(site, places, quiet.lines, (), (creep,), start_ns)
    grown = (states.jitter_ms - states.jitter_ms[..., -1:]).max(axis=(0, 1))
    inside = grown[1 : (creep.end_ns - creep.start_ns) // WINDOW_NS - 1]
    assert (np.diff(inside) > 0).all()
    assert inside[-1] == pytest.approx(creep.effect.jitter_ms or 0.0, rel=0.05)


def test_works_are_announced_and_some_run_over(places: Places) -> None:
    """Works are known two to seven days before; a fifth ends late, none early, a tenth is called off."""
    faults = drawn(places, weeks=40, works_per_month=10)
    held, off = named(faults, "works"), named(faults, "works called off")
    late = 0
    for work in held + off:
        assert work.announced_ns is not None
        assert work.planned_end_ns is not None
        assert 2 * DAY_NS <= work.start_ns - work.announced_ns <= 7 * DAY_NS
        assert work.end_ns >= work.planned_end_ns
        late += work.end_ns > work.planned_end_ns
    assert 0.13 < late / len(held) < 0.27
    assert 0.05 < len(off) / len(held + off) < 0.16
    assert all(work.effect.is_nothing for work in off)


def test_holidays_are_whole_local_days_and_no_sundays(places: Places) -> None:
    """A holiday lasts from midnight to midnight where the offices are; those that switch off are dark until morning."""
    faults = drawn(places, holidays_per_month=4, holiday_closed_share=0.5)
    days = named(faults, "holiday")
    assert days
    for each in days:
        assert each.end_ns - each.start_ns == DAY_NS
        assert (each.start_ns + 5.5 * HOUR_NS) % DAY_NS == 0
        assert (each.start_ns // DAY_NS + 1 + 3) % 7 != 6
        assert holiday(Past(holidays_per_month=4), 1, each.start_ns // DAY_NS + 1)
    closed = named(faults, "closed office")
    share = len(closed) / len(days) / len(places.sites)
    assert 0.2 < share < 0.75
    assert all(office.dark for office in closed)


def test_congestion_is_shared_by_the_evening(plan: PastPlan) -> None:
    """Offices of one provider and kind of line have the same evenings; each has its own level; the noon is free."""
    congestion: Congestion = plan.congestion
    group = max(set(congestion.group.values()), key=list(congestion.group.values()).count)
    one, other = [site for site, its in congestion.group.items() if its == group][:2]
    noon_utc = NOW // DAY_NS * DAY_NS + round(6.5 * HOUR_NS)
    evenings = noon_utc - np.arange(1, 10) * DAY_NS + round(8.5 * HOUR_NS)
    first, second = (congestion.jitter_ms(site, evenings) for site in (one, other))
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first / second, first[0] / second[0])
    assert first.std() > 0.1 * first.mean()
    noon = congestion.jitter_ms(one, evenings - round(8.5 * HOUR_NS))
    assert noon is not None
    assert (noon == 0).all()
    assert (memory_weights() ** 2).sum() == pytest.approx(1.0)


def test_what_was_announced_can_be_written_down(plan: PastPlan) -> None:
    """Every announced work and holiday is a row, the works that were called off too, by time and in UTC."""
    rows = list(csv.DictReader(works_csv(plan).splitlines()))
    told = [fault for fault in plan.faults if fault.planned_end_ns is not None]
    offices = sum(1 if fault.name == "holiday" else len(fault.sites) for fault in told)
    assert len(rows) == offices > 10
    assert {row["kind"] for row in rows} == {"works", "holiday"}
    assert rows == sorted(rows, key=lambda row: (row["from"], row["who"]))
    for row in rows:
        assert row["announced"] < row["from"] < row["until"]
        assert row["who"] == "all" or row["who"].removeprefix("site:") in {s.id for s in plan.places.sites}


def test_a_length_has_its_mean_and_its_bound() -> None:
    """Drawn lengths have the stated mean, and none passes the most."""
    lot, law = Random(1), Length(60.0, 1.0)
    lengths = np.array([law.drawn(lot) for _ in range(20_000)])
    assert lengths.mean() == pytest.approx(60.0, rel=0.05)
    assert lengths.max() <= law.most_min
