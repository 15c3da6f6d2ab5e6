"""Nothing that had not arrived by the forecast may change it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.forecast.earlier_faults import earlier_faults
from analytics.forecast.features import digest, digests_until, facts
from analytics.forecast.model import Model, fit_facts
from analytics.forecast.seen import newest_slot
from analytics.forecast.track import Asks, Track
from telemetry.line_slots import NEVER
from telemetry.store.rollup import CLOSED_AFTER_NS
from telemetry.windows import HOUR_NS, SECOND_NS
from tests.analytics.forecast.tracks import silent_until

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOT_NS = 300 * SECOND_NS
LINES, PATHS, SLOTS = 6, 2, 6 * 288
FIRST = 5_985_000


def history(seed: int) -> Track:
    """Two lines an office that break in spells, some reports days late, some never."""
    rng = np.random.default_rng(seed)
    spells = np.repeat(rng.random((LINES, SLOTS // 24)) < 0.1, 24, axis=1)
    broke = np.where(spells, rng.random((LINES, SLOTS)), 0.0).astype(np.float32)
    lost = rng.random((LINES, SLOTS)) < 0.05
    ends = (FIRST + np.arange(SLOTS, dtype=np.int64) + 1) * SLOT_NS
    late = np.where(rng.random((LINES, SLOTS)) < 0.1, rng.integers(0, 3 * 24 * 3600, (LINES, SLOTS)), 5)
    rehearsed = np.where(rng.random((LINES, SLOTS)) < 0.01, rng.random((LINES, SLOTS)), np.nan)
    measured, arrived_ns = (~lost).astype(np.float32), ends + late * SECOND_NS
    awaited = np.repeat(rng.random((LINES // PATHS, SLOTS)) < 0.7, PATHS, axis=0)
    return Track(
        first_slot=FIRST,
        slot_ns=SLOT_NS,
        broke=np.where(lost, np.nan, broke).astype(np.float32),
        measured=measured,
        silent_until_ns=silent_until(awaited, measured, arrived_ns, PATHS),
        strain=np.where(lost, np.nan, broke + 0.3).astype(np.float32),
        arrived_ns=arrived_ns,
        planned=rng.random((LINES, SLOTS)) < 0.02,
        rehearsed=rehearsed.astype(np.float32),
        groups={
            "provider": np.arange(LINES, dtype=np.int32) % 2,
            "region": np.full(LINES, -1, dtype=np.int32),
            "end": np.zeros(LINES, dtype=np.int32),
        },
    )


def questions(track: Track, seed: int) -> tuple[Asks, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    line = rng.integers(0, LINES, 400)
    now_ns = track.start_ns + rng.integers(288, SLOTS - 400, 400) * SLOT_NS + rng.integers(0, SLOT_NS, 400)
    start_ns = now_ns + rng.choice([10, 30, 120, 1440], 400) * 60 * SECOND_NS
    first = (start_ns - track.start_ns) // SLOT_NS
    share = np.array([np.nanmean(track.broke[i, a : a + 12]) for i, a in zip(line, first, strict=True)])
    return Asks(line, now_ns, start_ns, start_ns + HOUR_NS), share <= 0.1


def fit(track: Track, asks: Asks, held: NDArray[np.bool_], prior: Model | None = None) -> Model:
    """To all asks that have ground."""
    known = facts(track, asks)
    return fit_facts(known, known.ground, held, prior)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_future_and_what_is_still_on_its_way_change_no_bit(seed: int) -> None:
    """Every slot that had not ended or arrived by the ask is turned upside down, or never comes: chances and terms stay the same."""
    track = history(seed)
    asks, held = questions(track, seed)
    model = fit(track, asks, held)
    before = model.chances(track, asks)
    ends = (FIRST + np.arange(SLOTS, dtype=np.int64) + 1) * SLOT_NS
    changed = vanished = 0
    for at in range(0, 400, 29):
        now_ns = int(asks.now_ns[at])
        unknown = np.maximum(track.arrived_ns, ends) > now_ns
        closed_ns = ends + CLOSED_AFTER_NS
        never = unknown & (closed_ns <= now_ns) & (np.arange(SLOTS) % 2 == 0)
        vanished += int(never.sum())
        broke = np.where(unknown, 1.0 - np.nan_to_num(track.broke), track.broke)
        measured = np.where(unknown, ~never, track.measured).astype(np.float32)
        arrived_ns = np.where(never, closed_ns, track.arrived_ns)
        untold = np.minimum(track.arrived_ns, closed_ns) > now_ns
        other = replace(
            track,
            broke=np.where(never, np.nan, broke).astype(np.float32),
            measured=measured,
            silent_until_ns=silent_until(
                (track.silent_until_ns > 0) ^ (closed_ns > now_ns), measured, arrived_ns, PATHS
            ),
            strain=np.where(never, np.nan, np.where(unknown, 9.0, track.strain)).astype(np.float32),
            arrived_ns=arrived_ns,
            rehearsed=np.where(untold, np.float32(0.0), track.rehearsed),
        )
        one = Asks(*(each[at : at + 1] for each in (asks.line, asks.now_ns, asks.start_ns, asks.end_ns)))
        after, alone = model.chances(other, one), model.chances(track, one)
        assert after.holds.tobytes() == alone.holds.tobytes()
        assert after.terms.tobytes() == alone.terms.tobytes()
        np.testing.assert_allclose(alone.holds, before.holds[at : at + 1], rtol=1e-6)
        turned = replace(other, arrived_ns=np.minimum(other.arrived_ns, now_ns))
        changed += model.chances(turned, one).holds.tobytes() != alone.holds.tobytes()
    assert changed > 10, "what is turned upside down must matter once it has arrived"
    assert vanished > 1000


def test_a_digest_as_of_a_time_answers_as_the_whole_one() -> None:
    """What the watch keeps of a past: for asks from then on the chances are the same but for the order of a sum."""
    track = history(3)
    asks, held = questions(track, 3)
    model = fit(track, asks, held)
    now_ns = np.full_like(asks.now_ns, track.start_ns + (SLOTS - 300) * SLOT_NS)
    late = Asks(asks.line, now_ns, now_ns + HOUR_NS, now_ns + 2 * HOUR_NS)
    whole, (small,) = digest(track), digests_until([track], int(now_ns[0]))
    assert small.past.count.shape == (LINES, 2)
    for ours, theirs in zip(
        small.past.until(asks.line, now_ns), whole.past.until(asks.line, now_ns), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert small.past.count[:, 1].min() > 1000
    early = small.past.until(asks.line, now_ns - SECOND_NS)
    assert np.array_equal(early[1], small.past.until(asks.line, now_ns)[1]), (
        "a look that began a moment before"
    )
    np.testing.assert_allclose(
        model.chances(track, late, small).holds, model.chances(track, late, whole).holds, rtol=1e-9
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_earlier_faults_are_those_that_had_arrived(seed: int) -> None:
    """What had not ended or arrived by the ask is turned upside down: the cases of lines that are broken now stay, and there are some."""
    track = history(seed)
    asks, _ = questions(track, seed)
    before = earlier_faults(track, asks, newest_slot(track, asks.now_ns))
    ends = (FIRST + np.arange(SLOTS, dtype=np.int64) + 1) * SLOT_NS
    some = np.flatnonzero(before.reached)[:20]
    assert len(some) >= 5
    assert before.stayed[some].sum() < before.reached[some].sum()
    for at in some:
        unknown = np.maximum(track.arrived_ns, ends) > asks.now_ns[at]
        broke = np.where(unknown, 1.0 - np.nan_to_num(track.broke), track.broke).astype(np.float32)
        strain = np.where(unknown, np.float32(9.0), track.strain)
        silent = track.silent_until_ns > asks.now_ns[at]
        until_ns = np.where(silent, NEVER, track.silent_until_ns)
        until_ns[:, ends + CLOSED_AFTER_NS > asks.now_ns[at]] ^= NEVER
        other = replace(track, broke=broke, strain=strain, silent_until_ns=until_ns)
        one = asks.rows(np.array([at]))
        found = earlier_faults(other, one, newest_slot(other, one.now_ns))
        assert (found.reached[0], found.stayed[0]) == (before.reached[at], before.stayed[at])
