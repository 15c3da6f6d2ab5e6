"""The replay is strictly causal: nothing that had not arrived by a forecast's time moves it, neither through its figures nor through the fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.forecast.asking import LEADS_NS, asks_of, every_hour
from analytics.forecast.lots import seeds_of
from analytics.forecast.other_lines import silent_before_heard
from analytics.forecast.replay import LEAST_ASKS, REFIT_NS, Extent, Replay, ReplayBlock, replay
from analytics.forecast.report import LEAST, Scored, score
from analytics.forecast.track import Track
from telemetry.line_slots import NEVER
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS
from tests.analytics.forecast.tracks import silent_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOT_NS = 900 * SECOND_NS
T0 = 1_795_392_000 * SECOND_NS
"""2026-11-23 00:00 UTC."""
LINES, PATHS, WEEKS = 4, 2, 3
SLOTS = WEEKS * REFIT_NS // SLOT_NS
ARRAYS = ("broke", "measured", "silent_until_ns", "strain", "arrived_ns", "planned", "rehearsed")


def history(seed: int = 1) -> Track:
    """Two lines an office that break for hours, at one hour of the day more than else, some slots known days late."""
    lot = np.random.default_rng(seed)
    shape = (LINES, SLOTS)
    start = (lot.random(shape) < 0.01) | ((np.arange(SLOTS) % 96 == 40) & (lot.random(shape) < 0.3))
    broken = np.logical_or.reduce([np.roll(start, back, axis=1) for back in range(6)])
    broke = np.where(broken, lot.uniform(0.2, 1.0, shape), 0.0).astype(np.float32)
    ends = T0 + (np.arange(SLOTS, dtype=np.int64) + 1) * SLOT_NS
    late = (lot.random(shape) < 0.1) * lot.integers(0, 3 * DAY_NS, shape)
    awaited = np.repeat(lot.random((LINES // PATHS, SLOTS)) < 0.9, PATHS, axis=0)
    measured, arrived_ns = np.ones(shape, dtype=np.float32), ends + 60 * SECOND_NS + late
    return Track(
        first_slot=T0 // SLOT_NS,
        slot_ns=SLOT_NS,
        broke=broke,
        measured=measured,
        silent_until_ns=silent_until(awaited, measured, arrived_ns, PATHS),
        strain=broke * 3 + lot.random(shape).astype(np.float32) * np.float32(0.3),
        arrived_ns=arrived_ns,
        planned=np.zeros(shape, dtype=bool),
        rehearsed=np.full(shape, np.nan, dtype=np.float32),
        groups={"provider": (np.arange(LINES) % 2).astype(np.int32)},
    )


def corrupted(track: Track, after_ns: int) -> Track:
    """Everything that had not arrived by then is other, and comes at another time after then or never."""
    lot = np.random.default_rng(99)
    later, shape = track.arrived_ns > after_ns, track.broke.shape
    arrived = np.where(later, after_ns + 1 + lot.integers(0, 9 * DAY_NS, shape), track.arrived_ns)
    closed = np.broadcast_to(T0 + (np.arange(SLOTS, dtype=np.int64) + 1) * SLOT_NS + CLOSED_AFTER_NS, shape)
    noise = lot.random(shape).astype(np.float32)
    never = later & (noise > 0.6)
    assert (never & (closed <= after_ns)).any(), "of what others were heard in and this line was not"
    measured = np.where(never, 0.0, np.where(later, 0.5, track.measured)).astype(np.float32)
    coin = np.repeat(noise[::PATHS] > 0.5, PATHS, axis=0)
    awaited = np.where(closed > after_ns, coin, track.silent_until_ns > 0)
    arrived = np.where(never, closed, arrived)
    return replace(
        track,
        broke=np.where(never, np.nan, np.where(later, noise, track.broke)).astype(np.float32),
        measured=measured,
        silent_until_ns=silent_until(awaited, measured, arrived, PATHS),
        strain=np.where(never, np.nan, np.where(later, 3 * noise, track.strain)).astype(np.float32),
        arrived_ns=arrived,
    )


def run(track: Track) -> tuple[Replay, np.ndarray]:
    """The replay of a meeting a day, and when each forecast was made."""
    days = np.arange(2, WEEKS * 7 - 1, dtype=np.int64)
    line = np.tile(np.arange(LINES, dtype=np.int64), len(days))
    start = T0 + np.repeat(days, LINES) * DAY_NS + 10 * HOUR_NS
    asks = asks_of(line, start, start + HOUR_NS)
    learnt = every_hour(np.arange(LINES), T0 + DAY_NS, T0 + WEEKS * REFIT_NS, (2 * HOUR_NS, 1800 * SECOND_NS))
    return replay([ReplayBlock(track, asks, learnt, UTC)], None), asks.now_ns


@pytest.fixture(scope="module")
def truth() -> tuple[Replay, np.ndarray]:
    return run(history())


@pytest.mark.parametrize("day", [13.4])
def test_what_had_not_arrived_moves_no_forecast(truth: tuple[Replay, np.ndarray], day: float) -> None:
    """With the future and the late-arriving corrupted, forecasts, references and fits of before are the same to the last bit."""
    found, now_ns = truth
    cut_ns = T0 + round(day * DAY_NS)
    other, _ = run(corrupted(history(), cut_ns))
    before = now_ns <= cut_ns
    for name in ("chance", "model", "persistence", "climatology"):
        ours, theirs = getattr(found, name), getattr(other, name)
        assert np.array_equal(ours[before], theirs[before], equal_nan=True), name
        assert not np.array_equal(ours[~before], theirs[~before], equal_nan=True), (
            "the future was not looked at"
        )
    assert np.isfinite(found.chance[before]).sum() > 50
    assert found.refits[0][0] < cut_ns
    mine = [each for each in found.refits if each[0] <= cut_ns]
    assert mine == [each for each in other.refits if each[0] <= cut_ns]
    assert not np.array_equal(found.held, other.held)


def test_a_fit_needs_something_to_learn_from(truth: tuple[Replay, np.ndarray]) -> None:
    """Nothing is said before the first refit without a prior; each later refit learns from more."""
    found, now_ns = truth
    assert np.isnan(found.chance[now_ns < found.refits[0][0]]).all()
    assert np.isfinite(found.chance[now_ns >= found.refits[0][0]]).all()
    counts = [count for _, count in found.refits]
    assert counts == sorted(counts)
    assert counts[0] >= LEAST_ASKS


def test_a_score_needs_enough_forecasts(truth: tuple[Replay, np.ndarray]) -> None:
    """Figures come with their intervals, all of the same forecasts; a handful says only how many they are."""
    found, _ = truth
    rows = np.flatnonzero(np.isfinite(found.chance) & found.known)
    of = Scored(
        chance=found.chance[rows],
        persistence=found.persistence[rows],
        climatology=found.climatology[rows],
        held=found.held[rows],
        block=rows // (len(LEADS_NS) * LINES),
    )
    said = score(of)
    for each in (said.brier, said.over_persistence, said.over_climatology, said.calibration):
        assert each is not None
        assert each.low <= each.high
    assert said.brier is not None
    assert said.brier.value == pytest.approx(np.mean((of.chance - of.held) ** 2))
    assert said.forecasts == len(rows) > LEAST
    few = score(of.rows(np.arange(len(rows)) < LEAST - 1))
    assert (few.forecasts, few.brier) == (LEAST - 1, None)


def test_blocks_are_learnt_from_together_and_drawn_again_where_they_are_many(
    monkeypatch: pytest.MonkeyPatch, truth: tuple[Replay, np.ndarray]
) -> None:
    """Lines in blocks of their own, read one at a time and twice: the same outcomes in order, refits of as many asks, chances near."""
    found, _ = truth
    track, taken = history(), []
    days = np.arange(2, WEEKS * 7 - 1, dtype=np.int64)
    start = T0 + days * DAY_NS + 10 * HOUR_NS

    class Blocks:
        """One line at a time."""

        def __iter__(self) -> Iterator[ReplayBlock]:
            for line in range(LINES):
                taken.append(line)
                own = {n: getattr(track, n)[line : line + 1] for n in ARRAYS}
                groups = {"provider": track.groups["provider"][line : line + 1]}
                asks = asks_of(np.zeros(len(days), dtype=np.int64), start, start + HOUR_NS)
                learnt = every_hour(
                    np.zeros(1, dtype=np.int64),
                    T0 + DAY_NS,
                    T0 + WEEKS * REFIT_NS,
                    (2 * HOUR_NS, 1800 * SECOND_NS),
                )
                yield ReplayBlock(replace(track, groups=groups, **own), asks, learnt, UTC)

    asked = len(days) * len(LEADS_NS)
    hours = sum(len(each.learnt.line) for each in Blocks())
    taken.clear()
    extent = Extent(asked * LINES, hours, int(start.min() - LEADS_NS[0]), int(start.max() - LEADS_NS[-1]))
    kept = replay(Blocks(), None, extent=extent)
    assert taken == list(range(LINES))
    monkeypatch.setattr("analytics.forecast.replay.MOST_SCORED", asked * LINES - 1)
    again = replay(Blocks(), None, extent=extent)
    assert taken == 3 * list(range(LINES))
    by_line = np.argsort(np.tile(np.repeat(np.arange(LINES), len(LEADS_NS)), len(days)), kind="stable")
    for other in (kept, again):
        assert np.array_equal(other.held, found.held[by_line])
        assert np.array_equal(other.known, found.known[by_line])
        assert [at for at, _ in other.refits] == [at for at, _ in found.refits]
        assert np.nanmean(np.abs(other.chance - found.chance[by_line])) < 0.03


def test_limits_that_are_asked_of_for_the_first_time_later_teach_nothing_before(
    truth: tuple[Replay, np.ndarray],
) -> None:
    """A meeting with a profile of its own on the last days: all that was said before it was asked of is the same to the last bit."""
    found, now_ns = truth
    blocks = []
    for track, first_day in ((history(), 2), (history(2), WEEKS * 7 - 3)):
        days = np.arange(first_day, WEEKS * 7 - 1, dtype=np.int64)
        line = np.tile(np.arange(LINES, dtype=np.int64), len(days))
        start = T0 + np.repeat(days, LINES) * DAY_NS + 10 * HOUR_NS
        hours = every_hour(
            np.arange(LINES), T0 + DAY_NS, T0 + WEEKS * REFIT_NS, (2 * HOUR_NS, 1800 * SECOND_NS)
        )
        blocks.append(ReplayBlock(track, asks_of(line, start, start + HOUR_NS), hours, UTC))
    both = replay(blocks, None)
    first_ns = int(blocks[1].scored.now_ns.min())
    before = now_ns < first_ns
    assert before.sum() > 200
    for name in ("chance", "model", "persistence", "climatology"):
        ours, theirs = getattr(found, name), getattr(both, name)[: len(now_ns)]
        assert np.array_equal(ours[before], theirs[before], equal_nan=True), name
    asked = [sum(at < first_ns for at, _ in each.refits) for each in (found, both)]
    assert asked[0] == asked[1] >= 1
    assert replay([replace(each, scored=blocks[0].scored) for each in blocks], None).refits != both.refits


NAMES = ("agra main", "agra second", "ballia main", "ballia second")


def with_a_dark_day(track: Track) -> Track:
    """The track, in which nothing of the first office came on one day, though it was awaited."""
    rows = {name: getattr(track, name).copy() for name in ARRAYS}
    dark = np.s_[:PATHS, 5 * DAY_NS // SLOT_NS : 6 * DAY_NS // SLOT_NS]
    rows["broke"][dark] = rows["strain"][dark] = np.nan
    rows["measured"][dark] = 0
    rows["silent_until_ns"][dark] = NEVER
    return replace(track, **rows)


def with_unheard(track: Track, place: int) -> Track:
    """The track with a line of which nothing is ever heard, before the line that stood at that place."""
    rows = {name: np.insert(getattr(track, name), place, getattr(track, name)[place], 0) for name in ARRAYS}
    rows["broke"][place] = rows["strain"][place] = np.nan
    rows["measured"][place] = 0
    of = np.insert(track.groups["provider"], place, track.groups["provider"][place])
    usual = np.arange(LINES + 1) != place
    return silent_before_heard(replace(track, groups={"provider": of}, **rows), usual)


def test_a_line_of_which_nothing_is_heard_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked and learnt from beside the others, in an office that is dark for a day: no lot, no peer and no fit is another one."""
    # Few enough that the hours, the scored asks and what a fit takes are all thinned.
    for name, few in (("MOST_ASKS", 100), ("MOST_SCORED", 250), ("LEAST_ASKS", 100), ("LEAST_FAILED", 5)):
        monkeypatch.setattr(f"analytics.forecast.replay.{name}", few)
    start = T0 + np.arange(2, WEEKS * 7 - 1, dtype=np.int64) * DAY_NS + 10 * HOUR_NS

    def found(track: Track, names: tuple[str, ...]) -> tuple[Replay, np.ndarray]:
        lines = np.arange(len(names))
        line = np.tile(lines, len(start))
        begins = np.repeat(start, len(lines))
        asks = asks_of(line, begins, begins + HOUR_NS)
        learnt = every_hour(lines, T0 + DAY_NS, T0 + WEEKS * REFIT_NS, (2 * HOUR_NS, 1800 * SECOND_NS))
        usual = np.isin(names, NAMES)
        own = usual[asks.line]
        extent = Extent(
            int(own.sum()),
            int(usual[learnt.line].sum()),
            int(asks.now_ns.min()),
            int(asks.now_ns.max()),
            others=int((~own).sum()),
        )
        block = ReplayBlock(track, asks, learnt, UTC, seeds=seeds_of(names))
        return replay([block], None, extent=extent), own

    track, place = with_a_dark_day(history()), 1
    ours, _ = found(track, NAMES)
    theirs, own = found(with_unheard(track, place), (*NAMES[:place], "agra backup", *NAMES[place:]))
    assert len(ours.refits) == 2
    assert ours.refits == theirs.refits
    for name in ("chance", "model", "persistence", "climatology", "held", "known", "heard"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)[own], equal_nan=True), name
    assert np.isfinite(ours.chance).any()
    assert not theirs.heard[~own].any()
