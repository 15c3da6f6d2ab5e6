"""Outages out of windows, also those shorter than one: when they began and ended, and that no other loss is taken for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.flapping import COMES_AND_GOES, flapping, no_outages
from lab.line.impairment import Impairment
from telemetry.windows import SECOND_NS, WINDOW_NS
from tests.analytics.lossy_lines import lossy_line

if TYPE_CHECKING:
    from analytics.flapping import Flapping
    from tests.analytics.conftest import Bench

HALF_AN_HOUR = 120
EVERY_THREE_MINUTES = tuple((40.0 + 171.0 * i + 7.0 * i % 15, 20.0) for i in range(10))


def seconds(made: Bench, windows: int, at_ns: int | None) -> float | None:
    """Since the first of so many windows."""
    return None if at_ns is None else (at_ns - made.t0 + windows * WINDOW_NS) / SECOND_NS


def told(recent: object) -> Flapping:
    return flapping(recent, no_outages(recent.lines.shape))  # type: ignore[attr-defined, arg-type]


@pytest.mark.parametrize("pps", [10, 50])
@pytest.mark.parametrize("begins_s", [60.0, 62.0, 67.0, 71.0, 73.5])
def test_an_outage_of_twenty_seconds_is_found_wherever_it_lies_on_the_grid(
    made: Bench, begins_s: float, pps: int
) -> None:
    """In two of three places no window lost everything; its times are those of the packets."""
    recent = lossy_line(made, 40, outages_s=[(begins_s, 20.0)], pps=pps)
    (found,) = recent.outages.of_line(0, 0)
    assert seconds(made, 40, found.since_ns) == pytest.approx(begins_s, abs=0.11)
    assert seconds(made, 40, found.until_ns) == pytest.approx(begins_s + 20.0, abs=0.11)
    assert found.lost_ns == pytest.approx(20 * SECOND_NS, abs=0.21 * SECOND_NS)


def test_within_one_window_its_length_is_known_and_not_its_place(made: Bench) -> None:
    """Told from the window's beginning to its end, and as long as nothing came through."""
    recent = lossy_line(made, 40, outages_s=[(64.0, 6.0)])
    (found,) = recent.outages.of_line(0, 0)
    assert (seconds(made, 40, found.since_ns), seconds(made, 40, found.until_ns)) == (60.0, 75.0)
    assert found.lost_ns == 6 * SECOND_NS


@pytest.mark.parametrize(("begins_s", "unseen"), [(0.0, True), (4.0, False), (60.0, False)])
def test_what_fills_the_first_window_may_have_begun_before_it(
    made: Bench, begins_s: float, *, unseen: bool
) -> None:
    """Where something came through first, within the first window too, the beginning was seen."""
    recent = lossy_line(made, 40, outages_s=[(begins_s, 50.0)])
    (found,) = recent.outages.of_line(0, 0)
    assert found.unseen == unseen
    assert seconds(made, 40, found.since_ns) == pytest.approx(begins_s, abs=0.11)


@pytest.mark.parametrize(("begins_s", "lasts"), [(592.0, True), (586.0, False), (560.0, True)])
def test_whether_it_lasts_is_told_by_what_nobody_knows_the_way_of(
    made: Bench, begins_s: float, *, lasts: bool
) -> None:
    """What was lost to a window's end, and stays without a reply from later, is not over; eight seconds within it are."""
    recent = lossy_line(made, 40, outages_s=[(begins_s, 8.0 if begins_s > 570.0 else 60.0)])
    (found,) = recent.outages.of_line(0, 0)
    assert (found.until_ns is None) == lasts
    assert not lasts or seconds(made, 40, found.since_ns) == pytest.approx(begins_s, abs=0.11)
    assert recent.outages.lasting.tolist() == [[lasts, lasts]]


@pytest.mark.parametrize("pps", [10, 50])
def test_ten_outages_in_half_an_hour_are_ten(made: Bench, pps: int) -> None:
    """The examiner's morning: the line comes and goes, since the first of them."""
    recent = lossy_line(made, HALF_AN_HOUR, outages_s=EVERY_THREE_MINUTES, pps=pps)
    found = told(recent)
    assert found.count.tolist() == [[10, 10]]
    assert seconds(made, HALF_AN_HOUR, int(found.since_ns[0, 0])) == pytest.approx(40.0, abs=0.11)


def test_what_is_back_for_ten_seconds_only_is_counted_too(made: Bench) -> None:
    """Up for ten seconds, down for ten: no two windows in a row are sound, and still it is not one long outage."""
    recent = lossy_line(made, 40, outages_s=[(300.0 + 20.0 * i, 10.0) for i in range(12)])
    assert told(recent).count[0, 0] >= COMES_AND_GOES
    assert recent.outages.of_line(0, 0)[-1].until_ns is not None


LOSSY = {
    "random, of all shares": [Impairment(loss_ratio=share) for share in (0.001, 0.02, 0.1, 0.3, 0.6, 0.9)],
    "bursts (Gilbert and Elliott)": [
        Impairment(loss_ratio=share, loss_burst_ms=burst_ms, loss_density=density)
        for share in (0.005, 0.03, 0.2)
        for burst_ms in (100.0, 400.0, 1000.0)
        for density in (0.5, 1.0)
        if share < density
    ],
    "a full bottleneck": [
        Impairment(rate_bps=rate, queue_ms=queue) for rate in (8_000.0, 15_000.0) for queue in (50.0, 400.0)
    ],
}


@pytest.mark.parametrize("kind", LOSSY)
@pytest.mark.parametrize("pps", [10, 50])
def test_no_other_loss_is_called_flapping(made: Bench, kind: str, pps: int) -> None:
    """Half an hour each of steady loss, of bursts, and of a bottleneck that overflows: they lose, and none comes and goes."""
    for number, state in enumerate(LOSSY[kind]):
        recent = lossy_line(made, HALF_AN_HOUR, state, pps=pps, seed=f"{kind}{number}")
        assert recent.counts.lost[0, 0].any(), state
        assert not (told(recent).count >= COMES_AND_GOES).any(), state


def test_a_line_that_loses_much_between_its_outages_is_a_lossy_one(made: Bench) -> None:
    """Bursts all the time and three outages: what the call suffers from is the loss; each outage is found all the same."""
    bursts = Impairment(loss_ratio=0.1, loss_burst_ms=300.0)
    recent = lossy_line(made, HALF_AN_HOUR, bursts, outages_s=EVERY_THREE_MINUTES[:3])
    assert len(recent.outages.of_line(0, 0)) == 3
    assert told(recent).count.tolist() == [[0, 0]]


def test_where_nobody_counted_runs_only_what_lost_everything_is_down(made: Bench) -> None:
    """Windows of an older store have no runs: they are judged as before."""
    recent = lossy_line(made, 40, outages_s=[(60.0, 30.0), (97.0, 10.0)])
    values = {name: np.array(value) for name, value in recent.values.items() if name != "longest_loss_run"}
    found = made.recent(values).outages
    assert np.flatnonzero(found.down[0, 0]).tolist() == [4, 5]
    assert len(found.of_line(0, 0)) == 1
