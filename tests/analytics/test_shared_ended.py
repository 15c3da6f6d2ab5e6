"""When a shared fault was over: when its offices suffered last, whenever that was seen."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.lines import Lines
from analytics.shared.factors import factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import CALM_NS, HOLD_NS, follow
from analytics.shared.opened import Open, recalled
from analytics.shared.sighting import Heard, Sighting, sight
from bench._incident_scenes import Ground, places_of, scene
from bench._incident_watch import watch
from config.load import load_config
from lab.running.script import load_script
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import SECOND_NS, WINDOW_NS

SITES = tuple(f"s{i:02d}" for i in range(24))
LINES = Lines(SITES, ("main.state", "main.national"))
ALL = np.ones(24, dtype=bool)
THEIRS = SITES[1::2]
FACTORS = factors(LINES, ["pb", "pa"] * 12, [f"r{i // 6}" for i in range(24)], ALL)
NOW = 1_795_392_000 * SECOND_NS
BEGAN = NOW - 300 * SECOND_NS
SEEN = NOW + 90 * SECOND_NS
"""When most are seen to be well."""


def looked(now_ns: int, flags: list[Flag], silent: tuple[str, ...] = ()) -> Sighting:
    last = np.full(LINES.shape, now_ns - SECOND_NS)
    last[np.isin(SITES, silent)] = BEGAN
    return sight(LINES, flags, Heard(last, ALL), now_ns)


def lossy(seen: dict[str, int]) -> list[Flag]:
    """Offices that lose packets, and the end of the last window in which they did."""
    return [
        Flag(site=site, path=path, reason=Reason(code=ReasonCode.LOSS), since_ns=BEGAN, seen_ns=at_ns)
        for site, at_ns in seen.items()
        for path in LINES.paths
    ]


def over_at(*looks: tuple[int, Sighting]) -> int:
    """Until when the fault is said to have lasted, that is over at the last of these looks; the first is held."""
    at_ns, first = looks[0]
    opened = follow((), shared_faults(FACTORS, first), first, FACTORS, at_ns).open
    for now_ns, sighting in ((at_ns + HOLD_NS, first), *looks[1:]):
        said = follow(opened, shared_faults(FACTORS, sighting), sighting, FACTORS, now_ns)
        opened = said.open
    ((_, until_ns),) = said.ended
    return until_ns


def test_it_ends_with_the_last_bad_window_and_not_when_that_is_plain() -> None:
    """The flags stand for two windows more, and are gone half a minute later."""
    last_ns = NOW + 30 * SECOND_NS
    ill = looked(NOW, lossy(dict.fromkeys(THEIRS, NOW)))
    fading = looked(last_ns + 2 * WINDOW_NS, lossy(dict.fromkeys(THEIRS, last_ns)))
    well = looked(SEEN, [])
    assert (
        over_at((NOW, ill), (last_ns + 2 * WINDOW_NS, fading), (SEEN, well), (SEEN + CALM_NS, well))
        == last_ns
    )


def test_of_offices_that_come_back_one_by_one_the_last_counts() -> None:
    """Eleven of twelve are back by and by; the one that is not has trouble of its own by then."""
    back = {site: NOW + number * 4 * SECOND_NS for number, site in enumerate(THEIRS[:-1])}
    ill = looked(NOW, lossy(dict.fromkeys(THEIRS, NOW)))
    fading = looked(NOW + 60 * SECOND_NS, lossy(back | {THEIRS[-1]: NOW + 60 * SECOND_NS}))
    left = looked(SEEN, lossy({THEIRS[-1]: SEEN}))
    end = looked(SEEN + CALM_NS, lossy({THEIRS[-1]: SEEN + CALM_NS}))
    until_ns = over_at((NOW, ill), (NOW + 60 * SECOND_NS, fading), (SEEN, left), (SEEN + CALM_NS, end))
    assert until_ns == back[THEIRS[-2]]


def test_silence_ends_when_it_was_last_seen() -> None:
    """Who is heard again, and well, was silent at the look before."""
    silent = looked(NOW + 60 * SECOND_NS, [], THEIRS)
    well = looked(SEEN, [])
    first = looked(NOW, [], THEIRS)
    until_ns = over_at((NOW, first), (NOW + 60 * SECOND_NS, silent), (SEEN, well), (SEEN + CALM_NS, well))
    assert until_ns == NOW + 60 * SECOND_NS


@pytest.mark.parametrize("seen_s", [30, None])
def test_after_a_restart_it_ends_by_what_was_seen_since(seen_s: int | None) -> None:
    """Of offices that were back before anybody looked again nobody knows when: it was over when that was seen."""
    ill = looked(NOW, lossy(dict.fromkeys(THEIRS, NOW)))
    opened: tuple[Open, ...] = ()
    for now_ns in (NOW, NOW + HOLD_NS):
        opened = follow(opened, shared_faults(FACTORS, ill), ill, FACTORS, now_ns).open
    said = [one.incident(SITES) for one in opened]
    opened = tuple(recalled(each, SITES) for each in said if each is not None)
    looks = [(SEEN, looked(SEEN, [])), (SEEN + CALM_NS, looked(SEEN + CALM_NS, []))]
    if seen_s is not None:
        last_ns = NOW + seen_s * SECOND_NS
        looks.insert(
            0, (last_ns + WINDOW_NS, looked(last_ns + WINDOW_NS, lossy(dict.fromkeys(THEIRS, last_ns))))
        )
    for now_ns, sighting in looks:
        followed = follow(opened, shared_faults(FACTORS, sighting), sighting, FACTORS, now_ns)
        opened = followed.open
    ((_, until_ns),) = followed.ended
    assert until_ns == (SEEN if seen_s is None else NOW + seen_s * SECOND_NS)


def test_nothing_is_over_that_is_to_come() -> None:
    """The clock was set back by ten minutes while it lasted: its offices were seen to suffer later than now."""
    late_ns = NOW + 600 * SECOND_NS
    ill = looked(NOW, lossy(dict.fromkeys(THEIRS, NOW)))
    ahead = looked(late_ns, lossy(dict.fromkeys(THEIRS, late_ns)))
    well = looked(SEEN, [])
    until_ns = over_at((NOW, ill), (late_ns, ahead), (SEEN, well), (SEEN + CALM_NS, well))
    assert until_ns == SEEN + CALM_NS


@pytest.fixture(scope="module")
def ground() -> Ground:
    config = load_config(None)
    return Ground(config, load_script(None, places_of(config)))


@pytest.mark.parametrize(
    ("group", "seed"),
    [("whole provider or region", 5000), ("brown-out", 5003), ("headquarters' line dead", 5004)],
)
def test_in_the_labs_scenes_the_end_is_right_to_a_window_or_two(
    ground: Ground, group: str, seed: int
) -> None:
    """It was some 40 s late: two windows that hold, and the way of their reports."""
    made = scene(ground, group, seed)
    (truth,) = made.truths
    (one,) = watch(ground, made, seed)
    assert one.ended_ns is not None
    assert abs(one.ended_ns - truth.end_ns) <= 2 * WINDOW_NS
