"""Shared faults: the factor that is named, the faults that are not shared, and incidents over time."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.lines import Lines
from analytics.shared.factors import Factors, factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import CALM_NS, HOLD_NS, follow
from analytics.shared.opened import recalled
from analytics.shared.sighting import SILENT_NS, Heard, Sighting, sight
from telemetry.decisions import Factor, FactorKind
from telemetry.windows import SECOND_NS, WINDOW_NS

SITES = tuple(f"s{i:02d}" for i in range(24))
LINES = Lines(SITES, ("main.state", "main.national"))
PROVIDERS = ["pa" if i % 2 else "pb" for i in range(24)]
REGIONS = [f"r{i // 6}" for i in range(24)]
LINKED = np.ones(24, dtype=bool)
FACTORS = factors(LINES, PROVIDERS, REGIONS, LINKED)
NOW = 1_795_392_000 * SECOND_NS
MINUTE = 60 * SECOND_NS
PA = np.array([name == "pa" for name in PROVIDERS])
R0 = np.array([name == "r0" for name in REGIONS])
NOBODY = np.zeros(24, dtype=bool)


def seen(*faults: tuple[np.ndarray, int], paths: slice = slice(None), silent: bool = False) -> Sighting:
    """Every fault: who suffers, and for how many seconds it has."""
    since = np.zeros(LINES.shape, dtype=np.int64)
    for sites, age_s in faults:
        begun = NOW - age_s * SECOND_NS
        since[:, paths] = np.where(sites[:, None] & (since[:, paths] == 0), begun, since[:, paths])
    troubled = since > 0
    return Sighting(np.ones(LINES.shape, dtype=bool), troubled, troubled & silent, since)


def named(sighting: Sighting) -> list[str]:
    return [str(each.factor) for each in shared_faults(FACTORS, sighting)]


@pytest.mark.parametrize(
    ("who", "factor"),
    [
        (PA, "provider:pa"),
        (R0, "region:r0"),
        (PA & R0, "provider_region:pa:r0"),
        (LINKED, "headquarters"),
    ],
)
def test_the_factor_that_covers_those_who_suffer_is_named(who: np.ndarray, factor: str) -> None:
    """Provider, region, provider in a region, headquarters: the one that covers just those who suffer, with its counts."""
    (found,) = shared_faults(FACTORS, seen((who, 60)))
    assert str(found.factor) == factor
    assert (found.suffer, found.members) == (who.sum(), who.sum())
    assert found.others_suffer == 0
    assert abs(found.since_ns - (NOW - 60 * SECOND_NS)) < 15 * SECOND_NS


def test_trouble_to_one_end_only_is_the_ends() -> None:
    """When only what is measured to one headquarters suffers, that end is named; others are its offices' lines elsewhere."""
    (found,) = shared_faults(FACTORS, seen((LINKED, 45), paths=slice(0, 1)))
    assert (found.factor, found.suffer, found.others) == (Factor(FactorKind.END, "state"), 24, 24)


def test_silence_of_all_is_the_hubs_own() -> None:
    """Nobody is heard: headquarters takes nothing in. One voice, and it is not that."""
    assert named(seen((LINKED, 60), silent=True)) == ["hub"]
    assert "hub" not in named(seen((LINKED & (np.arange(24) > 0), 60), silent=True))


def test_two_faults_at_once_are_both_named() -> None:
    """A provider in one region and another region: what the first explains is put aside."""
    other = np.array([name == "r3" for name in REGIONS])
    assert sorted(named(seen((PA & R0, 60), (other, 75)))) == ["provider_region:pa:r0", "region:r3"]


@pytest.mark.parametrize("count", [1, 3, 6])
def test_single_offices_are_nobody_elses(count: int) -> None:
    """Offices that fell ill at times of their own, in one region or over the land, share nothing."""
    rng = np.random.default_rng(count)
    for _ in range(30):
        who = rng.choice(24, count, replace=False)
        faults = [
            (np.arange(24) == site, int(age))
            for site, age in zip(who, rng.uniform(120, 5400, count), strict=True)
        ]
        assert named(seen(*faults)) == []


def test_both_lines_of_one_office_are_no_shared_fault() -> None:
    """An office with both its lines down is one office."""
    assert named(seen((np.arange(24) == 3, 30))) == []


def test_what_was_broken_before_is_not_counted_in() -> None:
    """An office that has been down for an hour is none of the outage that began a minute ago."""
    old = np.flatnonzero(PA & R0)[0]
    (found,) = shared_faults(FACTORS, seen((np.arange(24) == old, 3600), (PA & (np.arange(24) != old), 60)))
    assert found.factor == Factor(FactorKind.PROVIDER, "pa")
    assert not found.sites[old]
    assert found.suffer == 11


def test_an_incident_is_held_renamed_and_closed() -> None:
    """Told after a hold; the same incident when it grows from one region to the whole provider; over when most are well for a while."""
    small, large, well = seen((PA & R0, 60)), seen((PA, 60)), seen()
    first = follow((), shared_faults(FACTORS, small), small, FACTORS, NOW)
    assert [one.told_ns for one in first.open] == [None]
    held = follow(first.open, shared_faults(FACTORS, small), small, FACTORS, NOW + HOLD_NS)
    assert [str(one.factor) for one in held.open] == ["provider_region:pa:r0"]
    grown = follow(held.open, shared_faults(FACTORS, large), large, FACTORS, NOW + 2 * HOLD_NS)
    assert [(one.id, str(one.factor)) for one in grown.open] == [(held.open[0].id, "provider:pa")]
    told = grown.open[0].incident(SITES)
    assert told is not None
    assert told.told_ns == NOW + HOLD_NS
    assert len(told.sites) == 12
    again = [recalled(told, SITES)]  # another run goes on from what is written
    calm = follow(again, [], well, FACTORS, NOW + MINUTE)
    assert calm.open
    over = follow(calm.open, [], well, FACTORS, NOW + MINUTE + CALM_NS)
    assert (over.open, [until for _, until in over.ended]) == ((), [NOW + MINUTE])
    ended = over.ended[0][0].over(SITES, over.ended[0][1])
    assert ended is not None
    assert (ended.until_ns, len(ended.sites)) == (NOW + MINUTE, 12)


def test_what_was_told_never_begins_later() -> None:
    """Lines that were silent are heard again, still bad, and their flags are young: the fault is as old as was said, though it is surer now."""
    silent = seen((PA & R0, 120), silent=True)
    held = follow((), shared_faults(FACTORS, silent), silent, FACTORS, NOW)
    held = follow(held.open, shared_faults(FACTORS, silent), silent, FACTORS, NOW + HOLD_NS)
    (told,) = held.open
    assert told.told_ns is not None
    young = seen((PA, 5))
    (found,) = shared_faults(FACTORS, young)
    assert found.log_odds > told.evidence.log_odds
    assert found.since_ns > told.since_ns
    (after,) = follow(held.open, [found], young, FACTORS, NOW + 2 * HOLD_NS).open
    assert (after.id, after.factor, after.since_ns) == (told.id, found.factor, told.since_ns)


def test_an_end_and_a_provider_stay_two_incidents() -> None:
    """Two faults that are found beside each other are never merged, though they share offices and began together."""
    both = seen((PA & R0, 60))
    to_end = seen((LINKED, 60), paths=slice(0, 1))
    since = np.maximum(both.since_ns, to_end.since_ns)
    sighting = Sighting(both.known, since > 0, both.silent, since)
    opened = follow((), shared_faults(FACTORS, sighting), sighting, FACTORS, NOW).open
    again = follow(opened, shared_faults(FACTORS, sighting), sighting, FACTORS, NOW + HOLD_NS)
    assert {str(one.factor) for one in again.open} == {"end:state", "provider_region:pa:r0"}
    assert not again.ended


def test_a_fault_that_was_told_is_not_forgotten_over_our_own_silence() -> None:
    """A provider's outage, told; then nobody is heard (the hub is started again): another incident, which began when it did."""
    outage = seen((PA, 240))
    held = follow((), shared_faults(FACTORS, outage), outage, FACTORS, NOW - HOLD_NS)
    told = follow(held.open, shared_faults(FACTORS, outage), outage, FACTORS, NOW).open
    deaf = seen((PA, 240), (LINKED & ~PA, 60), silent=True)
    (found,) = shared_faults(FACTORS, seen((LINKED, 60), silent=True))
    assert found.factor.kind is FactorKind.HUB
    both = follow(told, [found], deaf, FACTORS, NOW + MINUTE).open
    assert [(str(one.factor), one.since_ns) for one in both] == [
        (str(told[0].factor), told[0].since_ns),
        ("hub", found.since_ns),
    ]
    assert both[0].id == told[0].id
    well = seen()
    calm = follow(both, [], well, FACTORS, NOW + 2 * MINUTE)
    over = follow(calm.open, [], well, FACTORS, NOW + 2 * MINUTE + CALM_NS)
    assert not over.open
    assert {
        str(one.factor): len(ended.sites) for one, until in over.ended if (ended := one.over(SITES, until))
    } == {"provider:pa": 12}, "the silence was not told: it passed before it was held"


def fleet(rng: np.random.Generator) -> tuple[Factors, Lines]:
    """92 offices of four providers and six regions, drawn by lot, with one line to each of two ends."""
    lines = Lines(tuple(f"f{i:02d}" for i in range(92)), ("main.state", "main.national"))
    providers = [f"p{number}" for number in rng.integers(4, size=92)]
    regions = [f"r{number}" for number in rng.integers(6, size=92)]
    return factors(lines, providers, regions, np.ones(92, dtype=bool)), lines


def at_one_time(
    rng: np.random.Generator, hit: np.ndarray, lines: Lines, paths: slice = slice(None)
) -> Sighting:
    """Those hit fell ill two minutes ago, within some fifteen seconds."""
    since = np.zeros(lines.shape, dtype=np.int64)
    late = rng.exponential(15.0, 92).astype(np.int64)[:, None] * SECOND_NS
    since[:, paths] = np.where(hit[:, None], (NOW - 2 * MINUTE + late) // WINDOW_NS * WINDOW_NS, 0)
    known = np.ones(lines.shape, dtype=bool)
    return Sighting(known, since > 0, np.zeros_like(known), since)


@pytest.mark.parametrize("paths", [slice(None), slice(0, 1)])
@pytest.mark.parametrize("count", [8, 12, 20])
def test_many_at_once_with_nothing_in_common_are_no_factors_fault(count: int, paths: slice) -> None:
    """Offices drawn by lot fall ill within seconds, all others are well: neither headquarters, an end nor a provider is blamed."""
    for seed in range(5000, 5030):
        rng = np.random.default_rng(seed)
        candidates, lines = fleet(rng)
        hit = np.isin(np.arange(92), rng.choice(92, count, replace=False))
        assert shared_faults(candidates, at_one_time(rng, hit, lines, paths)) == []


@pytest.mark.parametrize(
    ("paths", "share", "factor"),
    [(slice(None), 0.8, "headquarters"), (slice(0, 1), 0.8, "end:state"), (slice(0, 1), 0.6, "end:state")],
)
def test_what_hits_most_of_all_offices_is_named(paths: slice, share: float, factor: str) -> None:
    """Headquarters, or an end, that spares a few is still found, and nothing else with it."""
    for seed in range(5100, 5120):
        rng = np.random.default_rng(seed)
        candidates, lines = fleet(rng)
        hit = np.isin(np.arange(92), rng.choice(92, round(92 * share), replace=False))
        found = shared_faults(candidates, at_one_time(rng, hit, lines, paths))
        assert [str(each.factor) for each in found] == [factor]


def test_a_provider_is_named_beside_offices_that_fell_ill_with_it_by_chance() -> None:
    """A provider's offices and six others, within seconds: the provider is told, and nothing is made of the six."""
    for seed in range(5200, 5220):
        rng = np.random.default_rng(seed)
        candidates, lines = fleet(rng)
        members = candidates.members[candidates.names.index(Factor(FactorKind.PROVIDER, "p1"))].any(axis=1)
        others = rng.choice(np.flatnonzero(~members), 6, replace=False)
        found = shared_faults(candidates, at_one_time(rng, members | np.isin(np.arange(92), others), lines))
        assert [str(each.factor) for each in found] == ["provider:p1"]


def test_offices_dark_before_our_own_silence_are_no_second_silence() -> None:
    """Eight, here and there, went dark one after the other in the hour before nobody was heard any more: our own silence is told once."""
    since = np.full(LINES.shape, NOW - MINUTE)
    since[::3] = NOW - np.arange(600, 3400, 350)[:, None] * SECOND_NS
    known = np.ones(LINES.shape, dtype=bool)
    assert named(Sighting(known, known, known, since)) == ["hub"]


def test_silence_counts_from_the_last_window() -> None:
    """An office is silent after 45 s; one that was never heard of is not known at all."""
    last = np.full(LINES.shape, NOW - SECOND_NS)
    last[0] = NOW - SILENT_NS - SECOND_NS
    expected = np.arange(24) != 5
    found = sight(LINES, [], Heard(last, expected), NOW)
    assert np.flatnonzero(found.silent.any(axis=1)).tolist() == [0]
    assert found.since_ns[0, 0] == last[0, 0]
    assert not found.known[5].any()


def test_offices_that_fall_silent_together_are_their_factors_fault() -> None:
    """An outage of a provider in one region, and nothing else to see: their last windows are 46 s old, the others speak; one such office is none."""
    last = np.full(LINES.shape, NOW - SECOND_NS)
    last[PA & R0] = NOW - SILENT_NS - SECOND_NS
    (found,) = shared_faults(FACTORS, sight(LINES, [], Heard(last, LINKED), NOW))
    assert (str(found.factor), found.suffer, found.others_suffer) == ("provider_region:pa:r0", 3, 0)
    last[np.flatnonzero(PA & R0)[1:]] = NOW - SECOND_NS
    assert named(sight(LINES, [], Heard(last, LINKED), NOW)) == []


def test_a_factor_of_one_office_and_a_factor_named_twice_are_none() -> None:
    """Without two linked offices there is nothing to share; of two that cover the same lines the first is kept."""
    alone = factors(LINES, ["only", *[""] * 23], ["one"] * 24, LINKED)
    assert {str(name) for name in alone.names} == {"hub", "end:state", "end:national", "headquarters"}
