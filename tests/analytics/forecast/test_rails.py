"""The guard rails on history: what each takes away, reckoned by hand; and that they see nothing which had not arrived."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest

from analytics.forecast.rails import Rails, rails
from analytics.forecast.track import Asks, Track
from telemetry.line_slots import NEVER
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track

DAY = 288
DAYS = 36
T0 = 1_795_392_000 * SECOND_NS
"""2026-11-23 00:00 UTC, a Monday."""
NOW_DAY = 29
NOW_NS = T0 + NOW_DAY * DAY_NS + 10 * HOUR_NS
NEWEST = NOW_DAY * DAY + 10 * 12 - 2
"""The slot that ended just now has not arrived yet; this one has."""
HALF_HOUR = 1800 * SECOND_NS


def sound() -> Track:
    """Two lines of five weeks without any trouble."""
    sound = np.zeros((2, DAYS * DAY))
    return arrived_track(sound, sound + 0.2, T0 // SLOT_NS, MINUTE_NS)


def broken(track: Track, slots: slice | np.ndarray, share: float = 1.0) -> Track:
    """The first line breaks in these slots."""
    broke, strain = track.broke.copy(), track.strain.copy()
    broke[0, slots], strain[0, slots] = share, 4.0
    return replace(track, broke=broke, strain=strain)


def missing(track: Track, slots: slice, *, dark: bool = False) -> Track:
    """Nothing came of the first line in these slots."""
    broke, measured, until_ns = track.broke.copy(), track.measured.copy(), track.silent_until_ns.copy()
    broke[0, slots], measured[0, slots], until_ns[0, slots] = np.nan, 0.0, NEVER if dark else 0
    return replace(track, broke=broke, measured=measured, silent_until_ns=until_ns)


def said(track: Track, lead_ns: int = HALF_HOUR, now_ns: int = NOW_NS) -> Rails:
    start = np.full(2, now_ns + lead_ns)
    asks = Asks(np.arange(2), np.full(2, now_ns), start, start + HOUR_NS)
    return rails(track, asks, UTC, 8.0)


def within(track: Track, holds: float = 0.99, lead_ns: int = HALF_HOUR, now_ns: int = NOW_NS) -> list[float]:
    return said(track, lead_ns, now_ns).within(np.full(2, holds)).tolist()


@pytest.mark.parametrize("slot_ns", [SLOT_NS, HOUR_NS // 2, HOUR_NS])
def test_a_plain_hour_is_told_whatever_the_slots(slot_ns: int) -> None:
    """Of five minutes or of an hour, as traces have them: what failed at ten in seven weeks of seven fails again."""
    slots = 8 * 7 * DAY_NS // slot_ns
    starts = T0 + np.arange(slots, dtype=np.int64) * slot_ns
    at_ten = starts // HOUR_NS % 168 == (starts[0] // HOUR_NS + 10) % 168
    track = replace(
        sound(),
        first_slot=T0 // slot_ns,
        slot_ns=slot_ns,
        **{
            name: np.zeros((2, slots), dtype=kind)
            for name, kind in (("silent_until_ns", np.int64), ("planned", bool), ("strain", np.float32))
        },
        broke=np.stack([at_ten, np.zeros(slots)]).astype(np.float32),
        measured=np.ones((2, slots), dtype=np.float32),
        arrived_ns=np.tile(starts + slot_ns + 60 * SECOND_NS, (2, 1)),
        rehearsed=np.full((2, slots), np.nan, dtype=np.float32),
    )
    start = T0 + 49 * DAY_NS + 10 * HOUR_NS
    found = said(track, 2 * HOUR_NS, start - 2 * HOUR_NS).hour
    assert found.tolist() == pytest.approx([0.6829, 0.0], abs=1e-4)


def test_a_sound_line_keeps_the_models_chance() -> None:
    """Nothing is taken from it, and no chance is made up where the model has none."""
    assert within(sound()) == [0.99, 0.99]
    assert np.isnan(within(sound(), np.nan)).all()


def test_a_fault_is_held_against_a_meeting_by_its_age() -> None:
    """Broken for three slots, half an hour before: (900 + 900) / (900 + 900 + 1800) to the power of 0.4 of it lasts."""
    track = broken(sound(), slice(NEWEST - 2, NEWEST + 1))
    assert within(track) == pytest.approx([1 - 0.5**0.4, 0.99])
    assert within(broken(sound(), slice(NEWEST - 2, NEWEST + 1), 0.6))[0] == pytest.approx(1 - 0.6 * 0.5**0.4)
    assert within(broken(sound(), slice(NEWEST, NEWEST + 1), 0.4)) == [0.99, 0.99]


def test_silence_is_never_ready() -> None:
    """Two slots without a word hide a fault by half; dark is not ready soon before a meeting; a slot that comes late was silence until then."""
    quiet = slice(NEWEST - 1, NEWEST + 1)
    lasts = (1500 / 3300) ** 0.4
    assert within(missing(sound(), quiet))[0] == pytest.approx(1 - 0.5 * lasts)
    dark = missing(sound(), quiet, dark=True)
    assert within(dark)[0] == within(dark, lead_ns=12 * HOUR_NS)[0] == 0.59
    assert within(dark, 0.2)[0] == 0.2, "below not ready the model stands"
    assert within(dark, lead_ns=13 * HOUR_NS)[0] == 0.89
    assert within(dark, 0.7, lead_ns=13 * HOUR_NS)[0] == 0.7, (
        "the model knows whether offices come back by then"
    )
    assert within(missing(sound(), slice(NEWEST, NEWEST + 1)), 0.99, DAY_NS)[0] == 0.89
    late = sound().arrived_ns.copy()
    late[0, NEWEST] += HOUR_NS
    assert within(replace(sound(), arrived_ns=late), 0.99, DAY_NS) == [0.89, 0.99]


def test_between_two_samples_the_newest_slot_is_the_last_that_was_due() -> None:
    """A source that measures every ten minutes is not silent in the slot between; a fault in its last sample is seen."""
    due = np.ones((2, DAYS * DAY), dtype=bool)
    between = slice(NEWEST % 2, None, 2)
    due[:, between] = False
    sampled = replace(missing(sound(), between), due=due)
    assert within(missing(sound(), between))[0] < 0.9
    assert within(sampled)[0] == 0.99
    assert within(broken(sampled, slice(NEWEST - 1, NEWEST)))[0] < 0.6


@pytest.mark.parametrize(("bad", "caps"), [(1, False), (3, True)])
def test_a_plain_hour_of_samples_must_be_proved(bad: int, *, caps: bool) -> None:
    """One bad sample of twelve in each of four weeks may be chance, three are none."""
    hour = NOW_DAY * DAY + 12 * 12
    slots = np.concatenate(
        [np.arange(hour - 7 * week * DAY, hour - 7 * week * DAY + bad) for week in range(1, 5)]
    )
    track = broken(sound(), slots)
    assert within(track, lead_ns=2 * HOUR_NS)[0] < 0.6, "of all windows, a slot is a twelfth of the hour"
    sampled = replace(track, windows=np.ones(track.broke.shape, dtype=np.uint8))
    assert (within(sampled, lead_ns=2 * HOUR_NS)[0] < 0.6) is caps


@pytest.mark.parametrize(("weeks", "caps"), [((1, 2, 3, 4), True), ((1, 2, 3), True), ((1, 2), False)])
def test_an_hour_that_nearly_always_failed_is_not_promised(weeks: tuple[int, ...], *, caps: bool) -> None:
    """Three of four weeks cap the chance of that hour of the week, two do not; the hour after it is left alone."""
    hour = NOW_DAY * DAY + 12 * 12
    slots = np.concatenate([np.arange(hour - week * 7 * DAY, hour - week * 7 * DAY + 12) for week in weeks])
    track = broken(sound(), slots)
    assert (within(track, lead_ns=2 * HOUR_NS)[0] < 0.6) is caps
    assert (within(track, 0.3, lead_ns=2 * HOUR_NS)[0]) == 0.3, (
        "how far below not ready is the model's to say"
    )
    assert within(track, lead_ns=3 * HOUR_NS)[0] == 0.99


def rehearsed(track: Track, slot: int, share: float) -> Track:
    """The first line's rehearsal that ended in a slot held so much of the ladder."""
    held = track.rehearsed.copy()
    held[0, slot] = share
    return replace(track, rehearsed=held)


def test_what_broke_in_the_rehearsal_breaks_as_faults_last() -> None:
    """An hour and a half before the meeting: (900 / (900 + 5400)) to the power of 0.4; one that held, or of the day before, says nothing."""
    slot = NOW_DAY * DAY + 9 * 12 - 1
    track = rehearsed(sound(), slot, 2 / 3)
    assert within(track) == pytest.approx([1 - (900 / 6300) ** 0.4, 0.99])
    assert within(rehearsed(track, slot + 3, 1.0)) == [0.99, 0.99], "the newest counts"
    assert within(rehearsed(sound(), slot, 1.0)) == [0.99, 0.99]
    assert within(track, now_ns=NOW_NS + DAY_NS) == [0.99, 0.99]
    closes_ns = T0 + (slot + 1) * SLOT_NS + MINUTE_NS
    assert within(track, now_ns=closes_ns)[0] < 0.99
    assert within(track, now_ns=closes_ns - 1) == [0.99, 0.99], "not known yet"
    late = track.arrived_ns.copy()
    late[0, slot] = NOW_NS + 1
    assert within(replace(track, arrived_ns=late)) == within(track), (
        "it comes by itself, not with the figures"
    )


def test_trouble_that_is_usual_at_this_hour_does_not_last() -> None:
    """What breaks every day at ten weighs less on a meeting at noon than the same for the first time."""
    ten = np.concatenate([np.arange(day * DAY + 114, day * DAY + 119) for day in range(NOW_DAY)])
    now = np.arange(NEWEST - 2, NEWEST + 1)
    at_ten = NOW_NS - 300 * SECOND_NS
    usual = broken(sound(), np.concatenate([ten, now - 1]))
    first = broken(sound(), now - 1)
    assert (
        within(usual, lead_ns=2 * HOUR_NS, now_ns=at_ten)[0]
        > within(first, lead_ns=2 * HOUR_NS, now_ns=at_ten)[0] + 0.1
    )


def test_of_a_line_that_is_new_nothing_is_usual() -> None:
    """What breaks every day at ten is an excuse once seven days have shown it, as it is now and not only on history."""
    ten = np.concatenate([np.arange(day * DAY + 114, day * DAY + 119) for day in range(NOW_DAY)])
    at_ten = NOW_NS - 300 * SECOND_NS
    usual = broken(sound(), np.concatenate([ten, np.arange(NEWEST - 3, NEWEST)]))

    def known_for(days: int) -> float:
        new = missing(usual, slice(0, (NOW_DAY - days) * DAY))
        return float(said(new, 2 * HOUR_NS, at_ten).lasting[0])

    unexcused = [known_for(days) for days in (5, 6)]
    assert known_for(7) < min(unexcused) - 0.1


def test_what_had_not_arrived_changes_no_bit() -> None:
    """Everything that arrives after the ask is turned upside down: the rails stay, and would not if it had arrived."""
    track = broken(sound(), np.arange(0, DAYS * DAY, 7))
    later = track.arrived_ns > NOW_NS
    upset = replace(
        track,
        broke=np.where(later, 1.0 - track.broke, track.broke).astype(np.float32),
        measured=np.where(later, np.float32(0.3), track.measured),
        strain=np.where(later, np.float32(9.0), track.strain),
        silent_until_ns=np.where(later, NEVER, track.silent_until_ns),
        rehearsed=np.where(later, np.float32(0.1), track.rehearsed),
    )
    before, after = said(track), said(upset)
    for name in ("lasting", "hidden", "hour", "rehearsed", "heard"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
    moved = said(upset, now_ns=NOW_NS + HOUR_NS)
    assert not np.array_equal(moved.lasting, said(track, now_ns=NOW_NS + HOUR_NS).lasting)


def test_a_fault_of_now_takes_only_ready_from_meetings_that_are_not_near() -> None:
    """Within twelve hours it counts as faults last; a day ahead the line is at risk at most, and below that the model stands."""
    old = broken(sound(), slice(NEWEST - 71, NEWEST + 1))
    assert within(old, lead_ns=12 * HOUR_NS)[0] < 0.6
    assert within(old, lead_ns=DAY_NS) == [0.89, 0.99]
    assert within(old, 0.7, lead_ns=DAY_NS)[0] == 0.7


def daily(track: Track, days: int, first: int, last: int) -> Track:
    """The first line breaks on each of the `days` before today in those slots of the day, and today up to now."""
    before = [np.arange(day * DAY + first, day * DAY + last) for day in range(NOW_DAY - days, NOW_DAY)]
    return broken(track, np.concatenate([*before, np.arange(NOW_DAY * DAY + first, NEWEST + 1)]))


def test_a_fault_that_was_always_over_by_then_is_not_held_against_the_meeting() -> None:
    """Broken from 9:10 to 10:10 every day: after 20 such days the meeting of 10:30 held on all of them; one that begins before the usual end did not, and without such days there is the law."""
    law = (900 + 2700) / (900 + 2700 + 1800)
    law **= 0.4
    first, last = 110, 122
    assert said(daily(sound(), 0, NEWEST - 8 - NOW_DAY * DAY, last)).lasting[0] == pytest.approx(law)
    track = daily(sound(), 20, first, last)
    counted = said(track)
    assert counted.lasting[0] == pytest.approx(law * 6 / 26)
    assert counted.lasting[1] == 0.0
    meeting_within = said(track, lead_ns=0)
    assert meeting_within.lasting[0] == 1.0, "on all days the fault broke more than 5 % of an hour from now"
    few = said(daily(sound(), 2, first, last))
    assert within(daily(sound(), 2, first, last))[0] < 0.6, "two days prove little"
    assert few.lasting[0] == pytest.approx(law * 6 / 8)


def test_only_a_fault_that_was_as_long_and_as_bad_speaks_for_the_line() -> None:
    """Faults that were over sooner, or were less than half as bad, say nothing of this one; one that stayed speaks against it, never below the law."""
    law = (3600 / 5400) ** 0.4
    today = np.arange(NEWEST - 8, NEWEST + 1)
    short = np.concatenate([np.arange(d * DAY + 110, d * DAY + 116) for d in range(5, NOW_DAY)])
    assert said(broken(broken(sound(), short), today)).lasting[0] == pytest.approx(law)
    track = daily(sound(), 20, 110, 122)
    strain = track.strain.copy()
    strain[0, : NOW_DAY * DAY] = 1.9
    assert said(replace(track, strain=strain)).lasting[0] == pytest.approx(law), "twice as bad as ever"
    strain[0, : NOW_DAY * DAY] = 2.0
    assert said(replace(track, strain=strain)).lasting[0] < 0.3
    stayed = daily(sound(), 20, 110, 160)
    assert said(stayed).lasting[0] == pytest.approx(law)


def test_what_came_late_of_earlier_faults_counts_from_when_it_came() -> None:
    """A case is told by what had arrived: what comes later is as what never does, and turning it over changes no bit."""
    track = daily(sound(), 20, 110, 122)
    law = (3600 / 5400) ** 0.4
    case = slice((NOW_DAY - 10) * DAY + 126, (NOW_DAY - 10) * DAY + 138)
    for hidden, cases in ((slice(case.start, case.start + 1), 20), (case, 19)):
        arrived = track.arrived_ns.copy()
        arrived[0, hidden] = NOW_NS + 1
        late = replace(track, arrived_ns=arrived)
        assert said(late).lasting[0] == pytest.approx(law * 6 / (6 + cases))
        assert said(late).lasting[0] == said(missing(track, hidden)).lasting[0]
        broke = track.broke.copy()
        broke[0, hidden] = 1.0
        assert said(replace(late, broke=broke)).lasting[0] == said(late).lasting[0]
        assert said(replace(track, broke=broke)).lasting[0] > said(track).lasting[0]
    silent = replace(late, silent_until_ns=np.where(arrived > NOW_NS, arrived, 0))
    assert said(silent).lasting[0] == said(missing(track, case, dark=True)).lasting[0] > said(late).lasting[0]
