"""Many offices that fall silent at one moment with nothing in common; and shared faults beside offices that were troubled before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.lines import Lines
from analytics.shared.factors import Factors, factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import HOLD_NS, follow
from analytics.shared.sighting import Heard, Sighting, sight
from telemetry.decisions import Factor, FactorKind, Flag, Reason, ReasonCode
from telemetry.windows import SECOND_NS, WINDOW_NS

NOW = 1_795_392_000 * SECOND_NS
MINUTE = 60 * SECOND_NS
OFFICES = 92
LINES = Lines(tuple(f"f{i:02d}" for i in range(OFFICES)), ("main.state", "main.national"))
AT_ONCE = Factor(FactorKind.AT_ONCE)
NOBODY = np.zeros(OFFICES, dtype=bool)


def fleet(rng: np.random.Generator) -> Factors:
    """Four providers and six regions, drawn by lot."""
    providers = [f"p{number}" for number in rng.integers(4, size=OFFICES)]
    regions = [f"r{number}" for number in rng.integers(6, size=OFFICES)]
    return factors(LINES, providers, regions, np.ones(OFFICES, dtype=bool))


def since_of(begun_s: np.ndarray, who: np.ndarray) -> np.ndarray:
    """(S, P): since when, of those who fell ill so many seconds ago; 0 for the others."""
    at_ns = (NOW - begun_s.astype(np.int64) * SECOND_NS) // WINDOW_NS * WINDOW_NS
    return np.repeat(np.where(who, at_ns, 0)[:, None], 2, axis=1)


def seen(since_ns: np.ndarray, *, silent: bool = True, hearing_since_ns: int = 0) -> Sighting:
    troubled = since_ns > 0
    known = np.ones(LINES.shape, dtype=bool)
    return Sighting(known, troubled, troubled & silent, since_ns, hearing_since_ns=hearing_since_ns)


def with_background(rng: np.random.Generator, hit: np.ndarray, share: float, within_s: float) -> np.ndarray:
    """Since when: a share of the offices for themselves within the last hour and a half; those `hit` two minutes ago, within some time."""
    alone = since_of(rng.uniform(30.0, 5400.0, OFFICES), rng.random(OFFICES) < share)
    together = since_of(120.0 - rng.uniform(0.0, within_s, OFFICES), hit)
    return np.where(alone > 0, alone, together)


@pytest.mark.parametrize(("share", "count"), [(0.0, 12), (0.15, 20), (0.15, 37), (0.15, 55), (0.2, 55)])
def test_many_that_fall_silent_within_a_minute_are_told_as_that(share: float, count: int) -> None:
    """Of 92 offices, some by lot, with others that fail for themselves: one incident, which lists those and claims no cause."""
    for seed in range(6100, 6110):
        rng = np.random.default_rng(seed)
        candidates = fleet(rng)
        hit = np.isin(np.arange(OFFICES), rng.choice(OFFICES, count, replace=False))
        since = with_background(rng, hit, share, 60.0)
        (found,) = shared_faults(candidates, seen(since))
        assert found.factor == AT_ONCE
        fell = hit & (since[:, 0] >= NOW - 150 * SECOND_NS)
        assert found.sites[fell].all()
        assert found.sites.sum() <= fell.sum() + 5
        assert found.suffer == found.sites.sum()
        assert found.suffer < found.members <= OFFICES


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_offices_that_fall_silent_each_for_itself_are_no_incident(share: float) -> None:
    """Up to a fifth of the fleet is silent, since times of their own."""
    for seed in range(6200, 6250):
        rng = np.random.default_rng(seed)
        since = with_background(rng, NOBODY, share, 0.0)
        assert shared_faults(fleet(rng), seen(since)) == []


def test_a_rush_is_no_moment() -> None:
    """Thirty offices are switched off in the ten minutes about the end of the day."""
    for seed in range(6300, 6330):
        rng = np.random.default_rng(seed)
        candidates = fleet(rng)
        hit = np.isin(np.arange(OFFICES), rng.choice(OFFICES, 30, replace=False))
        since = since_of(np.clip(rng.normal(420.0, 150.0, OFFICES), 46.0, None), hit)
        assert AT_ONCE not in {each.factor for each in shared_faults(candidates, seen(since))}


def test_what_fell_silent_before_anybody_was_heard_says_nothing() -> None:
    """The hub was away for a while and is back: that many are not heard yet since then is no second fault."""
    rng = np.random.default_rng(6400)
    hit = np.isin(np.arange(OFFICES), rng.choice(OFFICES, 37, replace=False))
    since = since_of(np.full(OFFICES, 300.0), hit)
    assert [each.factor for each in shared_faults(fleet(rng), seen(since))] == [AT_ONCE]
    assert shared_faults(fleet(rng), seen(since, hearing_since_ns=NOW - MINUTE)) == []
    assert shared_faults(fleet(rng), seen(since, hearing_since_ns=int(since.max()))) == []


def test_offices_that_were_lossy_before_are_silent_with_their_provider() -> None:
    """Eight of a provider's offices had loss when all of it fell silent: there is no second incident of those eight."""
    rng = np.random.default_rng(6500)
    candidates = fleet(rng)
    theirs = candidates.members[candidates.names.index(Factor(FactorKind.PROVIDER, "p1"))].any(axis=1)
    last = np.full(LINES.shape, NOW - SECOND_NS)
    last[theirs] = NOW - 60 * SECOND_NS
    reason = Reason(code=ReasonCode.LOSS_DOWN)
    flags = [
        Flag(site=LINES.sites[row], path=path, reason=reason, since_ns=NOW - 20 * MINUTE, seen_ns=NOW)
        for row in np.flatnonzero(theirs)[:8]
        for path in LINES.paths
    ]
    sighting = sight(LINES, flags, Heard(last, np.ones(OFFICES, dtype=bool)), NOW)
    assert [str(each.factor) for each in shared_faults(candidates, sighting)] == ["provider:p1"]


@pytest.mark.parametrize("kind", [FactorKind.PROVIDER, FactorKind.REGION])
def test_a_factor_that_hits_a_part_is_named_beside_troubled_offices(kind: FactorKind) -> None:
    """15 % of the fleet is broken, each since a time of its own, and of a provider or region 60 % are hit: nearly always named, and nothing else is."""
    named = 0
    for seed in range(7000, 7060):
        rng = np.random.default_rng(seed)
        candidates = fleet(rng)
        number = rng.choice([at for at, name in enumerate(candidates.names) if name.kind is kind])
        hit = candidates.members[number].any(axis=1) & (rng.random(OFFICES) < 0.6)
        found = shared_faults(candidates, seen(with_background(rng, hit, 0.15, 30.0), silent=False))
        assert {each.factor for each in found} <= {candidates.names[number]}
        named += len(found)
    assert named >= 55


def test_what_is_told_as_nameless_takes_the_name_of_what_explains_it() -> None:
    """The first of a provider looked like offices by lot: the incident stays the same one; so it does when all are silent."""
    rng = np.random.default_rng(6600)
    candidates = fleet(rng)
    theirs = candidates.members[candidates.names.index(Factor(FactorKind.PROVIDER, "p2"))].any(axis=1)
    for hit, name in ((theirs, "provider:p2"), (np.ones(OFFICES, dtype=bool), "hub")):
        some = hit & np.isin(np.arange(OFFICES), rng.choice(OFFICES, 60, replace=False))
        first = seen(since_of(np.full(OFFICES, 60.0), some))
        (found,) = shared_faults(candidates, first)
        nameless = [replace(found, factor=AT_ONCE)]
        opened = follow((), nameless, first, candidates, NOW).open
        told = follow(opened, nameless, first, candidates, NOW + HOLD_NS).open
        assert [(one.factor, one.told_ns) for one in told] == [(AT_ONCE, NOW + HOLD_NS)]
        whole = seen(since_of(np.full(OFFICES, 60.0), hit))
        after = follow(told, shared_faults(candidates, whole), whole, candidates, NOW + 2 * HOLD_NS).open
        assert [(one.id, str(one.factor)) for one in after] == [(told[0].id, name)]


def test_the_order_of_the_offices_changes_nothing() -> None:
    """The same fleet with its offices in another order: the same factors, offices, onsets and odds."""
    for seed in range(6700, 6730):
        rng = np.random.default_rng(seed)
        providers = [f"p{number}" for number in rng.integers(4, size=OFFICES)]
        regions = [f"r{number}" for number in rng.integers(6, size=OFFICES)]
        hit = np.array([name == "p1" for name in providers]) & (rng.random(OFFICES) < 0.8)
        hit |= rng.random(OFFICES) < rng.choice([0.0, 0.3])
        since = with_background(rng, hit, 0.15, 90.0)
        order = rng.permutation(OFFICES)
        said = []
        for rows in (np.arange(OFFICES), order):
            lines = Lines(tuple(LINES.sites[row] for row in rows), LINES.paths)
            theirs = [providers[row] for row in rows], [regions[row] for row in rows]
            candidates = factors(lines, *theirs, np.ones(OFFICES, dtype=bool))
            said.append(
                [
                    (
                        str(each.factor),
                        each.since_ns,
                        {lines.sites[row] for row in np.flatnonzero(each.sites)},
                        (each.members, each.suffer, each.others, each.others_suffer),
                        round(each.log_odds, 6),
                    )
                    for each in shared_faults(candidates, seen(since[rows]))
                ]
            )
        assert said[0] == said[1]
        assert said[0]
