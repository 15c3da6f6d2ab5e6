"""A line that is back: what the slot that runs says of it, for how long it has only just come back, and that its fault is over for the figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.forecast.features import facts
from analytics.forecast.laid_over import LaidOver
from analytics.forecast.newest import FORGIVEN_WINDOWS, Laid, Now, put_newest
from analytics.forecast.returned import JUST_BACK_WINDOWS, back_since, just_back
from analytics.forecast.track import Asks, Track
from telemetry.line_slots import NEVER
from telemetry.windows import HOUR_NS, MINUTE_NS, SLOT_NS
from tests.analytics.forecast.test_forgiven import COVERED, LIMITS, NOW_NS, WINDOWS, rolled_up, windows
from tests.analytics.forecast.tracks import arrived_track

RUNNING = 288
"""The slot that runs, of `rolled_up`."""
STORED = 0.7
"""What the store has of the three slots before it."""
DAYS = 9


def laid(fault: slice, *, sound: bool = True, works: slice = slice(0)) -> tuple[Laid, Track]:
    """The newest windows, half of whose packets are lost in some, in a past without a fault; `works` were announced for some slots."""
    tracks = rolled_up()
    for track in tracks:
        track.broke[0, :RUNNING] = 0.0
        track.broke[0, RUNNING - 3 : RUNNING] = STORED
    tracks[0].planned[:, works] = True
    recent = windows(fault=False)
    recent.values["lost"][..., fault] = recent.values["up_lost"][..., fault] = 75
    now = Now(NOW_NS, np.zeros(1, dtype=bool), np.full((2, 1, 1), sound), COVERED)
    return put_newest(tracks, recent, LIMITS, now, LaidOver()), tracks[0]


def test_where_the_last_long_run_ends() -> None:
    """The first window after it; of short ones, of none, and of one that goes on nothing."""
    failed = np.zeros((5, 8), dtype=bool)
    failed[0, 1:4] = failed[1, 1:3] = failed[2, 4:] = failed[3, 0:3] = failed[3, 5:6] = True
    assert back_since(failed, 2).tolist() == [4, 0, 0, 3, 0]


def test_just_back_is_five_minutes() -> None:
    """Until a whole slot of windows came since."""
    since = np.array([0, WINDOWS - 1, WINDOWS - JUST_BACK_WINDOWS + 1, WINDOWS - JUST_BACK_WINDOWS])
    assert just_back(since, WINDOWS).tolist() == [False, True, True, False]


def test_of_the_running_slot_counts_what_came_since() -> None:
    """A fault of ten minutes that ended two minutes ago: the running slot is sound, the slots before it keep what they were."""
    found, track = laid(slice(WINDOWS - 48, WINDOWS - 8))
    assert found.just_back.all()
    assert track.broke[0, RUNNING] == 0.0
    assert track.strain[0, RUNNING] < 1.0
    assert track.broke[0, RUNNING - 3 : RUNNING] == pytest.approx(STORED)


def test_what_breaks_again_counts() -> None:
    """Two windows after the line came back are no part of the fault that it came back from."""
    found, track = laid(slice(WINDOWS - 48, WINDOWS - 8))
    both = np.r_[WINDOWS - 48 : WINDOWS - 8, WINDOWS - 4 : WINDOWS - 2]
    again, other = laid(both)  # type: ignore[arg-type] - an index of windows
    assert found.just_back.all()
    assert again.just_back.all()
    assert other.broke[0, RUNNING] > track.broke[0, RUNNING]


@pytest.mark.parametrize(
    ("fault", "sound", "works", "is_back"),
    [
        (slice(WINDOWS - 48, WINDOWS - 8), False, slice(0), False),
        (slice(WINDOWS - 48, WINDOWS), True, slice(0), False),
        (slice(WINDOWS - 8 - FORGIVEN_WINDOWS, WINDOWS - 8), True, slice(0), False),
        (slice(WINDOWS - 9 - FORGIVEN_WINDOWS, WINDOWS - 8), True, slice(0), True),
        (slice(WINDOWS - 80, WINDOWS - JUST_BACK_WINDOWS), True, slice(0), False),
        (slice(WINDOWS - 48, WINDOWS - 8), True, slice(RUNNING - 12, RUNNING), False),
    ],
)
def test_who_has_only_just_come_back(fault: slice, *, sound: bool, works: slice, is_back: bool) -> None:
    """Not who is still suspect or goes on failing, who was forgiven, who came back five minutes ago, or from announced works."""
    assert laid(fault, sound=sound, works=works)[0].just_back.all() == is_back


def figures(track: Track, now_ns: int) -> dict[str, float]:
    """Of the first line, asked ten minutes before an hour."""
    start = np.array([now_ns + 10 * MINUTE_NS])
    known = facts(track, Asks(np.zeros(1, dtype=np.int64), np.array([now_ns]), start, start + HOUR_NS))
    return dict(zip(known.names, known.figures[0], strict=True))


def past_with(broken: int, sound: int) -> Track:
    """Days of a sound line, then so many slots that broke, at twice the limit, and so many that did not; each known a minute after its end."""
    broke = np.zeros((1, DAYS * 288 + broken + sound))
    broke[0, DAYS * 288 : DAYS * 288 + broken] = 1.0
    return arrived_track(broke, np.where(broke > 0, 2.0, 0.2), late_ns=MINUTE_NS)


def test_a_slot_that_is_on_its_way_changes_no_figure_of_now() -> None:
    """The figures of now are those of the newest slot that is told: whether one more is about to come says nothing."""
    track = past_with(2, 3)
    told_ns = track.start_ns + (track.broke.shape[1] - 1) * SLOT_NS
    before = replace(track, arrived_ns=np.minimum(track.arrived_ns, told_ns))  # told the moment it ended
    one, other = figures(before, told_ns), figures(track, told_ns + SLOT_NS)
    for name in (
        "newest",
        "quarter",
        "touched_quarter",
        "silent",
        "dark",
        "missing_hour",
        "strain_near",
        "load",
    ):
        assert one[name] == pytest.approx(other[name], abs=0.02), name


def test_a_fault_that_is_over_is_no_load() -> None:
    """Today's load is what it is in the newest slot, when a fault is over; while it lasts it counts."""
    end = DAYS * 288
    lasting, over = past_with(2, 0), past_with(2, 1)
    assert figures(lasting, lasting.start_ns + (end + 2) * SLOT_NS + MINUTE_NS)["load_over"] > 0.5
    assert figures(over, over.start_ns + (end + 3) * SLOT_NS + MINUTE_NS)["load_over"] == 0.0


def test_an_office_that_is_heard_again_is_not_dark() -> None:
    """Two slots of silence, then one that is there: the day remembers it, now does not."""
    track = past_with(0, 3)
    end = track.broke.shape[1]
    gap = slice(end - 3, end - 1)
    for heard in (False, True):
        broke, measured = track.broke.copy(), track.measured.copy()
        lost = gap if heard else slice(end - 3, end)
        broke[:, lost], measured[:, lost] = np.nan, 0.0
        until_ns = np.where(measured > 0, 0, NEVER)
        silent = replace(track, broke=broke, measured=measured, silent_until_ns=until_ns)
        found = figures(silent, track.start_ns + end * SLOT_NS + MINUTE_NS)
        assert found["dark"] == (0.0 if heard else 1.0)
        assert bool(found["silent"] == 0.0) is heard
        assert found["dark_day"] > 0.0
