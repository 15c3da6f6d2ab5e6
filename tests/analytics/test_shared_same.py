"""What of shared faults is one and the same: several at once, one that grows, one that shows little by little, and one that another outlives."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.lines import Lines
from analytics.shared.factors import factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import CALM_NS, HOLD_NS, Open, follow
from analytics.shared.sighting import Sighting
from bench._incident_scenes import Ground, places_of, scene
from bench._incident_watch import Told, watch
from config.load import load_config
from lab.running.script import load_script
from telemetry.windows import SECOND_NS

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
