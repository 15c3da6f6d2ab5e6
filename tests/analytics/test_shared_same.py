"""What of shared faults is one and the same: several at once, one that grows, one that shows little by little, and one that another outlives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.lines import Lines
from analytics.shared.factors import LOG_PRIOR, LOG_PRIOR_BESIDE, factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import CALM_NS, HOLD_NS, follow
from analytics.shared.sighting import Sighting
from analytics.shared.weigh import weigh
from bench._incident_scenes import Ground, places_of, scene
from bench._incident_watch import Told, watch
from config.load import load_config
from lab.running.script import load_script
from telemetry.decisions import Factor, FactorKind
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from analytics.shared.opened import Open

SITES = tuple(f"s{i:02d}" for i in range(48))
LINES = Lines(SITES, ("main.state", "main.national"))
PROVIDERS = np.array([f"p{i % 4}" for i in range(48)])
REGIONS = np.array([f"r{i // 16}" for i in range(48)])
ALL = np.ones(48, dtype=bool)
FACTORS = factors(LINES, PROVIDERS.tolist(), REGIONS.tolist(), ALL)
P0, R0 = PROVIDERS == "p0", REGIONS == "r0"
STATE, BOTH = slice(0, 1), slice(None)
NOW = 1_795_392_000 * SECOND_NS
MINUTE = 60 * SECOND_NS


def seen(*faults: tuple[np.ndarray, slice, int], at_ns: int = NOW, silent: bool = False) -> Sighting:
    """Of every fault who suffers, on which lines, and since how many seconds before `NOW`; what is said first holds."""
    since = np.zeros(LINES.shape, dtype=np.int64)
    for sites, paths, age_s in faults:
        begun = NOW - age_s * SECOND_NS
        since[:, paths] = np.where(sites[:, None] & (since[:, paths] == 0), begun, since[:, paths])
    ill = (since > 0) & (since <= at_ns)
    return Sighting(np.ones(LINES.shape, dtype=bool), ill, ill & silent, np.where(ill, since, 0))


def looked(opened: tuple[Open, ...], sighting: Sighting, *at_ns: int) -> tuple[Open, ...]:
    """What is open after looks at these times."""
    for now_ns in at_ns:
        opened = follow(opened, shared_faults(FACTORS, sighting), sighting, FACTORS, now_ns).open
    return opened


def told(opened: tuple[Open, ...]) -> dict[str, int]:
    """The factors that are told, and how many offices each lists."""
    return {str(one.factor): int(one.now.sum()) for one in opened if one.told_ns is not None}


def test_three_providers_at_once_are_three() -> None:
    """Of six, within a window: neither one of them alone nor headquarters, which would spare the others."""
    served = np.array([f"q{i % 6}" for i in range(48)])
    candidates = factors(LINES, served.tolist(), REGIONS.tolist(), ALL)
    names = ("q0", "q2", "q5")
    found = shared_faults(candidates, seen(*((served == name, BOTH, 60) for name in names)))
    assert {str(each.factor) for each in found} == {f"provider:{name}" for name in names}


# A fleet of 56 of which four providers serve 24, 14, 11 and 7 offices.
SERVED = np.repeat(["qa", "qb", "qc", "qd"], (24, 14, 11, 7))
LINES_56 = Lines(tuple(f"t{i:02d}" for i in range(56)), ("main.state", "main.national"))
FACTORS_56 = factors(LINES_56, SERVED.tolist(), [f"r{i % 6}" for i in range(56)], np.ones(56, dtype=bool))


def of_providers(ages_s: dict[str, int], well: int = 0) -> Sighting:
    """Of each of these providers all offices suffer since so many seconds, the last few of each left out."""
    since = np.zeros(LINES_56.shape, dtype=np.int64)
    for name, age_s in ages_s.items():
        theirs = np.flatnonzero(name == SERVED)
        since[theirs[: len(theirs) - well]] = NOW - age_s * SECOND_NS
    return Sighting(
        np.ones(LINES_56.shape, dtype=bool), since > 0, np.zeros(LINES_56.shape, dtype=bool), since
    )


@pytest.mark.parametrize("spared", ["qa", "qb", "qc", "qd"])
def test_three_of_four_providers_are_three_though_they_serve_nearly_all(spared: str) -> None:
    """Not headquarters: of the fourth all lines are sound, and providers share cables."""
    names = {name for name in ("qa", "qb", "qc", "qd") if name != spared}
    ages_s = {name: 60 + 5 * number for number, name in enumerate(sorted(names))}
    found = shared_faults(FACTORS_56, of_providers(ages_s))
    assert {str(each.factor) for each in found} == {f"provider:{name}" for name in names}


def test_two_that_are_silent_beside_a_third_that_is_lossy_are_three() -> None:
    """Who is silent is no office of headquarters' fault, and speaks against it as it does against a provider's."""
    ill = of_providers({"qa": 60, "qb": 65, "qc": 70})
    half = replace(ill, silent=ill.troubled & (SERVED != "qa")[:, None])
    assert {str(each.factor) for each in shared_faults(FACTORS_56, half)} == {
        f"provider:{name}" for name in ("qa", "qb", "qc")
    }


def test_headquarters_that_spares_some_of_every_provider_is_headquarters() -> None:
    """One office of each provider is well."""
    found = shared_faults(FACTORS_56, of_providers(dict.fromkeys(("qa", "qb", "qc", "qd"), 60), well=1))
    assert [str(each.factor) for each in found] == ["headquarters"]


def test_of_headquarters_nobody_is_elsewhere() -> None:
    """Two offices are silent meanwhile: they are none of its own, and "elsewhere 2 of 2" would read as if others had it, too."""
    ill = of_providers(dict.fromkeys(("qa", "qb", "qc", "qd"), 60))
    silent = np.zeros(LINES_56.shape, dtype=bool)
    silent[:2] = True
    (found,) = [
        each
        for each in shared_faults(FACTORS_56, replace(ill, silent=silent))
        if each.factor.kind is FactorKind.HEADQUARTERS
    ]
    assert (found.suffer, found.members, found.others, found.others_suffer) == (54, 54, 0, 0)


def test_what_is_explained_still_tells_how_rarely_offices_fail() -> None:
    """A provider beside one whose fault is found is as plain as beside one that is well."""
    number = FACTORS_56.names.index(Factor(FactorKind.PROVIDER, "qd"))
    alone = weigh(FACTORS_56, of_providers({"qd": 60})).log_odds[number]
    both = of_providers({"qa": 75, "qd": 60})
    beside = weigh(FACTORS_56, both.without(both.troubled & (SERVED == "qa")[:, None])).log_odds[number]
    assert beside == pytest.approx(alone)
    assert beside > weigh(FACTORS_56, both).log_odds[number]


@pytest.mark.parametrize(
    ("apart_s", "more"), [(30, LOG_PRIOR_BESIDE - LOG_PRIOR[FactorKind.PROVIDER]), (600, 0.0)]
)
def test_a_provider_that_fails_with_another_is_likelier_to_have(apart_s: int, more: float) -> None:
    """At the same moment, and no longer ten minutes later; of a region nothing more is expected."""
    first = FACTORS_56.names.index(Factor(FactorKind.PROVIDER, "qa"))
    rest = FACTORS_56.without(first, NOW - (60 + apart_s) * SECOND_NS)
    number = rest.names.index(Factor(FactorKind.PROVIDER, "qd"))
    with_it = rest.log_prior_at(NOW - 60 * SECOND_NS) - np.delete(FACTORS_56.log_prior, first)
    assert with_it[number] == pytest.approx(more)
    assert with_it[[name.kind is not FactorKind.PROVIDER for name in rest.names]].tolist() == [0.0] * sum(
        name.kind is not FactorKind.PROVIDER for name in rest.names
    )


def test_faults_that_heal_one_by_one_are_not_taken_for_one() -> None:
    """Three are told; for a look what is left of them seems to be headquarters', less surely than the three were together: all go on."""
    names = ("qa", "qb", "qd")
    ill = of_providers(dict.fromkeys(names, 60))
    found = shared_faults(FACTORS_56, ill)
    opened = follow((), found, ill, FACTORS_56, NOW).open
    opened = follow(opened, found, ill, FACTORS_56, NOW + HOLD_NS).open
    assert set(told(opened)) == {f"provider:{name}" for name in names}
    together = sum(each.log_odds for each in found)
    seeming = replace(
        found[0],
        factor=Factor(FactorKind.HEADQUARTERS),
        sites=ill.troubled.any(axis=1),
        log_odds=together - 1.0,
    )
    healing = follow(opened, [seeming], ill, FACTORS_56, NOW + 2 * HOLD_NS)
    assert (set(told(healing.open)), healing.ended) == (set(told(opened)), ())
    surer = replace(seeming, log_odds=200.0)
    assert set(told(follow(opened, [surer], ill, FACTORS_56, NOW + 2 * HOLD_NS).open)) == {"headquarters"}


def test_a_fault_that_grows_to_the_whole_provider_is_one() -> None:
    """A provider in one region; five minutes later the rest: the same incident, since its first beginning, with all its offices."""
    first = looked((), seen((P0 & R0, BOTH, 60)), NOW, NOW + HOLD_NS)
    assert told(first) == {"provider_region:p0:r0": 4}
    grown = looked(first, seen((P0 & R0, BOTH, 60), (P0, BOTH, -240)), NOW + 5 * MINUTE)
    grown = looked(
        grown, seen((P0 & R0, BOTH, 60), (P0, BOTH, -240), at_ns=NOW + 5 * MINUTE), NOW + 5 * MINUTE
    )
    (one,) = grown
    assert (one.id, one.since_ns, told(grown)) == (first[0].id, first[0].since_ns, {"provider:p0": 12})
    assert (one.evidence.suffer, one.evidence.members) == (12, 12)


def test_a_fault_of_an_hour_ago_has_not_grown() -> None:
    """What comes after its half hour is another."""
    first = looked((), seen((P0 & R0, BOTH, 60)), NOW, NOW + HOLD_NS)
    later = seen((P0 & R0, BOTH, 60), (P0, BOTH, -3600), at_ns=NOW + 61 * MINUTE)
    after = looked(first, later, NOW + 61 * MINUTE, NOW + 61 * MINUTE + HOLD_NS)
    assert told(after) == {"provider_region:p0:r0": 4, "provider:p0": 8}


def test_lines_that_show_a_fault_of_all_one_by_one_are_no_fault_of_their_ends() -> None:
    """Headquarters loses a little: of most offices both lines have shown it, of some one or the other."""
    number = np.arange(48)
    partly = seen(
        (number < 30, BOTH, 60), ((number >= 30) & (number < 40), STATE, 60), (number >= 40, slice(1, 2), 60)
    )
    assert [str(each.factor) for each in shared_faults(FACTORS, partly)] == ["headquarters"]


def test_a_dead_line_of_headquarters_is_why_nothing_came_in() -> None:
    """Nobody is heard; then all are, and their lines were dead from then on: one incident, which has the name of what was measured."""
    deaf = looked((), seen((ALL, BOTH, 60), silent=True), NOW, NOW + HOLD_NS)
    assert told(deaf) == {"hub": 48}
    half = seen((ALL, BOTH, 60))
    half = Sighting(half.known, half.troubled, half.troubled & (np.arange(48) < 3)[:, None], half.since_ns)
    assert told(looked(deaf, half, NOW + MINUTE)) == {"hub": 45}, "some are not heard yet, and it may be us"
    heard = looked(deaf, seen((ALL, BOTH, 60)), NOW + MINUTE)
    assert ([one.id for one in heard], told(heard)) == ([deaf[0].id], {"headquarters": 48})


@pytest.mark.parametrize(("later_s", "both"), [(30, {"headquarters"}), (240, {"headquarters", "hub"})])
def test_what_the_last_reports_said_is_why_no_more_come(later_s: int, both: set[str]) -> None:
    """All lines to headquarters break, which is told, and then nobody is heard: one incident, if both began within two minutes."""
    broken = looked((), seen((ALL, BOTH, 60)), NOW, NOW + HOLD_NS)
    assert told(broken) == {"headquarters": 48}
    since = np.full(LINES.shape, NOW - 60 * SECOND_NS)
    known = np.ones(LINES.shape, dtype=bool)
    deaf = Sighting(known, known, known, since, silent_since_ns=since + later_s * SECOND_NS)
    after = looked(broken, deaf, NOW + 4 * MINUTE, NOW + 4 * MINUTE + HOLD_NS, NOW + 5 * MINUTE)
    assert set(told(after)) == both
    assert {str(one.factor) for one in after} == {"headquarters", "hub"}, "of our deafness it is still known"


@pytest.mark.parametrize(("age_s", "both"), [(60, {"hub", "provider:p0"}), (2400, {"hub", "provider:p0"})])
def test_a_provider_is_never_why_nothing_came_in(age_s: int, both: set[str]) -> None:
    """It is told beside our deafness, whenever it began."""
    deaf = looked((), seen((ALL, BOTH, 60), silent=True), NOW, NOW + HOLD_NS)
    after = looked(deaf, seen((P0, BOTH, age_s)), NOW + 30 * SECOND_NS, NOW + 45 * SECOND_NS)
    assert set(told(after)) == both


def test_a_providers_outage_ends_though_an_end_that_its_offices_share_still_suffers() -> None:
    """Their lines to the other end are well again: only what an end's own fault does to them is left."""
    fault, end = (P0, BOTH, 240), (ALL, STATE, 90)
    opened = looked((), seen(fault, end), NOW, NOW + HOLD_NS)
    assert set(told(opened)) == {"provider:p0", "end:state"}
    back = seen((P0, STATE, 240), end)
    calm = looked(opened, back, NOW + MINUTE)
    after = follow(calm, shared_faults(FACTORS, back), back, FACTORS, NOW + MINUTE + CALM_NS)
    assert {str(one.factor) for one in after.open} == {"end:state"}
    assert [(str(one.factor), until) for one, until in after.ended] == [("provider:p0", NOW + MINUTE)]


def test_one_line_that_stays_bad_keeps_a_provider_where_no_end_has_a_fault() -> None:
    """Whose line to one end is still ill of itself has not come back."""
    opened = looked((), seen((P0, BOTH, 240)), NOW, NOW + HOLD_NS)
    assert told(looked(opened, seen((P0, STATE, 240)), NOW + MINUTE, NOW + 3 * MINUTE)) == {"provider:p0": 12}


@pytest.fixture(scope="module")
def ground() -> Ground:
    config = load_config(None)
    return Ground(config, load_script(None, places_of(config)))


def of_scene(ground: Ground, group: str, seed: int) -> tuple[list[str], list[Told]]:
    """The factors that were made, and what was told."""
    made = scene(ground, group, seed)
    return [str(truth.factor) for truth in made.truths], watch(ground, made, seed)


@pytest.mark.parametrize(
    ("group", "seed"),
    [
        ("grows to the whole provider", 5000),
        ("grows to the whole provider", 5001),
        ("headquarters, 2-3 % loss", 5000),
        ("headquarters, 2-3 % loss", 5001),
        ("headquarters' line dead", 5000),
        ("three providers at once", 5001),
        ("three providers at once", 5006),
        ("three providers at once", 5102),
        ("three providers at once", 5103),
        ("three providers at once", 5105),
        ("provider outlived by an end", 5000),
    ],
)
def test_in_the_labs_scenes_every_fault_is_told_once(ground: Ground, group: str, seed: int) -> None:
    """By its name and as one incident, from the first look to the last."""
    made, said = of_scene(ground, group, seed)
    assert sorted(str(each.last.factor) for each in said) == sorted(made)


@pytest.mark.parametrize("seed", [5000, 5001])
def test_in_the_labs_scenes_a_provider_ends_when_its_outage_does(ground: Ground, seed: int) -> None:
    """Within a minute, while an end loses packets of its offices: it takes three windows to see, and the bench has the figures."""
    made = scene(ground, "provider outlived by an end", seed)
    (truth,) = [each for each in made.truths if each.factor.name.startswith("provider")]
    (one,) = [each for each in watch(ground, made, seed) if each.last.factor == truth.factor]
    assert one.ended_ns is not None
    assert 0 <= one.ended_ns - truth.end_ns <= MINUTE
