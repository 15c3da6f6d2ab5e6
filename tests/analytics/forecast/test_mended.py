"""Lines that were mended: trouble is over once it has been away for longer than it ever was between its hours."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.forecast.features import facts
from analytics.forecast.mended import outlasted
from analytics.forecast.model import FIGURES
from analytics.forecast.track import Asks, Track
from tatpar.shipped.prior import shipped_prior
from telemetry.windows import HOUR_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track

DAYS = 30
BROKEN_DAYS = 28


def told(hours: str) -> float:
    """What is told of hours, oldest first: `x` failed, `.` held, `?` is not known."""
    newest_first = np.array([list(hours[::-1])])
    had = (newest_first != "?").astype(np.float32)
    return float(outlasted(had, (newest_first == "x").astype(np.float32))[0])


@pytest.mark.parametrize(
    ("hours", "ratio"),
    [
        ("xxxxx", 1.0),
        ("xxxxx...", 4.0),
        ("x..x.x.....", 6.0 / 3.0),
        ("x.....x..", 1.0),
        (".........xx...", 4.0),
        ("xxxxx.??..", 4.0),
        ("x.?.x.....", 6.0 / 3.0),
        ("..........", 1.0),
        ("??????????", 1.0),
    ],
)
def test_a_pause_is_held_against_the_longest_one_before(hours: str, ratio: float) -> None:
    """What came before the first failure is no pause; what is not known is passed over; a shorter pause says nothing."""
    assert told(hours) == pytest.approx(np.log(ratio))


def lines(failed: np.ndarray) -> Track:
    """Lines (N, H) hour by hour: in a failed hour half of each slot broke, at three times the limit."""
    fails = np.repeat(failed, HOUR_NS // SLOT_NS, axis=1)
    return arrived_track(np.where(fails, 0.5, 0.0), np.where(fails, 3.0, 0.3))


def asked(track: Track, hour: int, lead_ns: int) -> Asks:
    """Of each line an hour so much after the end of a given one."""
    many = len(track.broke)
    now_ns = np.full(many, track.start_ns + hour * HOUR_NS)
    return Asks(np.arange(many), now_ns, now_ns + lead_ns, now_ns + lead_ns + HOUR_NS)


def mended_and_resting() -> np.ndarray:
    """A line that failed in every hour of four weeks, and one that fails two days in four; both hold from then on."""
    failed = np.zeros((2, DAYS * 24), dtype=bool)
    failed[0, : BROKEN_DAYS * 24] = True
    failed[1, : BROKEN_DAYS * 24] = np.arange(BROKEN_DAYS * 24) // 48 % 2 == 1
    return failed


def test_a_day_after_weeks_of_failing_it_speaks_for_the_line_and_not_within_the_usual_pause() -> None:
    """A pause of a day is a record for the one and half of what is usual for the other."""
    track = lines(mended_and_resting())
    for hours, over in ((0, False), (6, True), (24, True)):
        known = facts(track, asked(track, BROKEN_DAYS * 24 + hours, 24 * HOUR_NS)).of(("mended",))[:, 0]
        assert (known[0] < -1.0) == over
        assert known[1] == 0.0


def test_the_record_of_failing_throughout_ends_with_it() -> None:
    """It stands while nothing held, and a day after the mend a twentieth of it is left."""
    track = lines(mended_and_resting())
    at = BROKEN_DAYS * 24
    before, after = (
        facts(track, asked(track, at + hours, HOUR_NS)).of(("throughout",))[0, 0] for hours in (0, 24)
    )
    assert before == pytest.approx(np.log((at + 0.5) / 0.5 / 9.0))
    assert 0.0 < after < before / 20.0


def test_the_shipped_model_forgets_a_line_that_was_mended() -> None:
    """A day after the mend the next day is told to hold, two days after it surely."""
    track, model = lines(mended_and_resting()), shipped_prior()
    fails = [
        1.0 - model.chances(track, asked(track, BROKEN_DAYS * 24 + hours, 24 * HOUR_NS)).holds
        for hours in (0, 24, 48)
    ]
    assert fails[0][0] > 0.95
    assert fails[1][0] < 0.2
    assert fails[2][0] < 0.1


def test_a_mended_line_is_never_told_to_be_the_worse_for_it() -> None:
    """The figure lies below 0, and its weights at all leads above."""
    model = shipped_prior()
    weights = np.array(model.weights)[:, FIGURES.index("mended")]
    assert (weights >= 0.0).all()
    assert weights.max() > 0.0
