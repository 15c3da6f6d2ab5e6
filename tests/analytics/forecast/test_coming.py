"""What is coming: usual strain and today's load, and what announced days did before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.forecast.announced import announced
from analytics.forecast.coming import coming
from analytics.forecast.course import course
from analytics.forecast.features import facts
from analytics.forecast.track import Asks, Track
from telemetry.line_slots import NEVER
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track, silent_until

DAY = 288
DAYS = 12
FIRST = 20_000 * DAY


def evenings(load: float) -> Track:
    """Two lines: strained from slot 216 to 276 of each day, by 0.8, on the last day by `load` times that; and a quiet one."""
    t = np.arange(DAYS * DAY)
    height = np.interp(t % DAY, [210, 246, 276], [0.0, 0.8, 0.0]) * np.where(t // DAY == DAYS - 1, load, 1.0)
    strain = np.stack([0.1 + height, np.full(len(t), 0.1)]).astype(np.float32)
    return arrived_track(np.zeros(strain.shape), strain, FIRST, MINUTE_NS)


def evening_asks(track: Track, lead_min: int = 60) -> Asks:
    """Both lines, an hour at the height of the last evening."""
    start = np.full(2, track.start_ns + (DAYS - 1) * DAY_NS + 240 * SLOT_NS)
    return Asks(np.arange(2), start - lead_min * MINUTE_NS, start, start + HOUR_NS)


def test_what_is_announced_ends_with_the_track() -> None:
    """Works over its last slots say nothing of a meeting three days on, nor of one before its first slot."""
    track = evenings(1.0)
    planned = track.planned.copy()
    planned[:, -160:] = planned[:, :160] = True
    track = replace(track, planned=planned)
    end = track.start_ns + DAYS * DAY_NS
    start = np.array([end + 3 * DAY_NS, track.start_ns - 3 * DAY_NS, end - 2 * HOUR_NS])
    asks = Asks(np.zeros(3, dtype=np.int64), start - HOUR_NS, start, start + HOUR_NS)
    found = announced(track, asks)
    assert found["planned"].tolist() == [0.0, 0.0, 1.0]
    assert found["planned_long"].tolist() == [0.0, 0.0, 1.0]
    for name in ("planned_record", "planned_up", "planned_down"):
        assert found[name][:2].tolist() == [0.0, 0.0], name


def ahead(track: Track, asks: Asks) -> dict[str, np.ndarray]:
    """All figures of what lies ahead."""
    return coming(track, asks) | course(track, asks) | announced(track, asks)


def test_the_usual_strain_of_the_span_is_told_whatever_today_is() -> None:
    """An evening that begins half as strong again leaves the usual as it is; the quiet line's is quiet."""
    usual, strong = (coming(evenings(load), evening_asks(evenings(load))) for load in (1.0, 1.5))
    assert usual["span_strain"][0] > 0.7
    assert strong["span_strain"][0] == pytest.approx(usual["span_strain"][0])
    assert strong["span_strain"][1] == pytest.approx(0.1, abs=0.01)


def test_todays_load_tells_of_the_next_hours_only() -> None:
    """Above the usual it counts twice over, below it once; a day ahead hardly at all."""
    weak, usual, strong = (coming(evenings(load), evening_asks(evenings(load))) for load in (0.5, 1.0, 1.5))
    assert abs(usual["load"][0]) < 0.02
    assert strong["load"][0] > 0.2
    assert strong["load_over"][0] == pytest.approx(strong["load"][0])
    assert weak["load"][0] < -0.2
    assert weak["load_over"][0] == 0.0
    track = evenings(1.5)
    asks = evening_asks(track)
    later = coming(track, replace(asks, start_ns=asks.start_ns + DAY_NS, end_ns=asks.end_ns + DAY_NS))
    assert 0.0 < later["load"][0] < 0.1 * strong["load"][0]


def test_little_trouble_in_many_slots_counts_as_trouble() -> None:
    """Slots of which a tenth broke are touched as those that broke throughout."""
    track = evenings(1.0)
    broke = track.broke.copy()
    broke[0, -DAY + 200 : -DAY + 228] = 0.1
    known = facts(replace(track, broke=broke), evening_asks(track))
    found = dict(zip(known.names, known.figures.T, strict=True))
    assert found["touched_quarter"].tolist() == [1.0, 0.0]
    assert found["touched_hour"].tolist() == [1.0, 0.0]


def test_an_office_that_closes_on_holidays_is_known_by_it() -> None:
    """After a holiday on which it was dark, the next announced day finds it out, and not the one that stayed up; works are no day."""
    track = evenings(1.0)
    planned, broke, measured = track.planned.copy(), track.broke.copy(), track.measured.copy()
    for day in (3, DAYS - 1):
        planned[:, day * DAY : (day + 1) * DAY] = True
    broke[0, 3 * DAY : 4 * DAY], measured[0, 3 * DAY : 4 * DAY] = np.nan, 0.0
    asks = evening_asks(track, lead_min=1440)
    until_ns = silent_until(np.ones_like(planned), measured, track.arrived_ns)
    dark = replace(track, planned=planned, broke=broke, measured=measured, silent_until_ns=until_ns)
    found = announced(dark, asks)
    assert found["planned_long"].tolist() == [1.0, 1.0]
    assert found["planned_record"][0] > 2.0
    assert found["planned_record"][1] < -2.0
    works = track.planned.copy()
    works[:, (DAYS - 1) * DAY + 238 : (DAYS - 1) * DAY + 250] = True
    assert announced(replace(track, planned=works), asks)["planned_long"].tolist() == [0.0, 0.0]


def test_an_ask_is_answered_alike_alone_and_among_others() -> None:
    """A longer span asked beside it changes no figure of an ask."""
    track = evenings(1.5)
    asks = evening_asks(track)
    longer = replace(asks, end_ns=asks.end_ns + np.array([0, 3 * HOUR_NS]))
    alone, among = ahead(track, asks), ahead(track, longer)
    assert {name: values[0] for name, values in alone.items()} == {name: v[0] for name, v in among.items()}


def test_what_had_not_arrived_changes_no_bit() -> None:
    """Everything that ends or arrives after the ask is turned upside down: the figures stay."""
    track = evenings(1.0)
    asks = evening_asks(track)
    before = ahead(track, asks)
    late = track.arrived_ns > asks.now_ns[0]
    upset = replace(
        track,
        broke=np.where(late, np.float32(1.0), track.broke),
        strain=np.where(late, np.float32(9.0), track.strain),
        silent_until_ns=np.where(late, NEVER, track.silent_until_ns),
    )
    assert late.any()
    after = ahead(upset, asks)
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name], err_msg=name)
