"""Lines over time for the charts, held against plain sums over the store's own rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analytics.quality.assumed import endpoints_of
from config.settings import Quality
from dashboards.wall.series import POINTS, series, step_for
from dashboards.wall.site_page import site_page
from telemetry.histogram import percentiles_ns
from telemetry.histogram_grid import BINS
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS, MS_NS, SLOT_NS, WINDOW_NS

NOW_NS = 1_795_495_670_000_000_000
PATH = "main.state"
HEARD = endpoints_of(Quality())


@pytest.mark.parametrize(
    ("span", "step"),
    [
        (HOUR_NS, WINDOW_NS),
        (6 * HOUR_NS, WINDOW_NS),
        (DAY_NS, SLOT_NS),
        (7 * DAY_NS, 2 * SLOT_NS),
        (28 * DAY_NS, 6 * SLOT_NS),
    ],
)
def test_a_step_keeps_the_chart_within_its_points(span: int, step: int) -> None:
    """Short spans show windows, long ones whole slots, never more than the bound."""
    assert step_for(NOW_NS - span, NOW_NS) == step
    for days in range(1, 800, 13):
        assert days * DAY_NS / step_for(NOW_NS - days * DAY_NS, NOW_NS) <= POINTS


def test_windows_are_shown_as_they_are_stored(fleet: Any) -> None:
    """On a short span each step is one window: its loss, its jitter, and the quantiles of its histogram."""
    start = NOW_NS - HOUR_NS
    drawn = series(fleet.reader, "rampur", PATH, start, NOW_NS, HEARD)
    rows = fleet.reader.streams(Selection(start - start % WINDOW_NS, NOW_NS, ("rampur",), (PATH,)))
    assert len(drawn.t_ms) == 241
    at = {int(t): i for i, t in enumerate(rows.columns["start_ns"] // MS_NS)}
    checked = 0
    for i, t in enumerate(drawn.t_ms):
        if t not in at:
            assert drawn.loss_up[i] is None
            continue
        row = at[t]
        up = rows.columns["up_lost"][row] / rows.columns["up_sent"][row]
        assert drawn.loss_up[i] == pytest.approx(up, abs=1e-6)
        assert drawn.rtt_ms["p50"][i] == pytest.approx(rows.columns["rtt_p50_ms"][row], rel=0.02)
        checked += 1
    assert checked > 230


def test_a_day_from_rollups_and_young_windows_is_whole(fleet: Any) -> None:
    """Each five-minute step equals the pooled windows of its slot, also where the roll-up is not made yet."""
    start = NOW_NS - DAY_NS
    start -= start % SLOT_NS
    drawn = series(fleet.reader, "rampur", PATH, start, NOW_NS, HEARD)
    assert drawn.step_ms * MS_NS == SLOT_NS
    rows = fleet.reader.streams(Selection(start, NOW_NS, ("rampur",), (PATH,)))
    slot = (rows.columns["start_ns"] - start) // SLOT_NS
    lost, sent = (np.bincount(slot, rows.columns[name], len(drawn.t_ms)) for name in ("up_lost", "up_sent"))
    expected = np.divide(lost, sent, out=np.full(len(sent), np.nan), where=sent > 0)
    np.testing.assert_allclose(np.array(drawn.loss_up, float), expected, atol=1e-6)
    ragged = rows.histograms["rtt_hist"]
    dense = np.zeros((len(drawn.t_ms), BINS), np.int64)
    np.add.at(dense, (np.repeat(slot, np.diff(ragged.offsets)), ragged.bins), ragged.counts)
    for name, p in (("p5", 0.05), ("p50", 0.5), ("p99", 0.99)):
        np.testing.assert_allclose(
            np.array(drawn.rtt_ms[name], float), percentiles_ns(dense, [p])[:, 0] / MS_NS, atol=1e-3
        )


def test_a_gap_stays_a_gap(fleet: Any) -> None:
    """An office without contact has steps without values, not zeros; an unknown path has none at all."""
    drawn = series(fleet.reader, "lalitpur", PATH, NOW_NS - HOUR_NS, NOW_NS, HEARD)
    tail = [i for i, t in enumerate(drawn.t_ms) if t * MS_NS > NOW_NS - 30 * 60_000 * MS_NS]
    for values in (drawn.loss_up, drawn.jitter_up_ms, drawn.bitrate_up_bps, drawn.rtt_ms["p50"]):
        assert all(values[i] is None for i in tail)
        assert values[0] is not None
    none = series(fleet.reader, "lalitpur", "main.nowhere", NOW_NS - HOUR_NS, NOW_NS, HEARD)
    assert set(none.loss_up) == {None}


def test_a_total_outage_has_loss_but_no_round_trip(fleet: Any) -> None:
    """Every packet lost is 100 % loss upwards and a gap in the round trip."""
    drawn = series(
        fleet.reader, "jhansi-city", PATH, NOW_NS - 10 * 60_000 * MS_NS, NOW_NS - 60_000 * MS_NS, HEARD
    )
    assert set(drawn.loss_up) == {1.0}
    assert set(drawn.loss_down) == {None}
    assert set(drawn.rtt_ms["p50"]) == {None}


def test_sound_follows_the_loss_of_its_direction(fleet: Any) -> None:
    """Rampur's loss is heard by the others, not at the office; an outage is no better than the model's worst."""
    drawn = series(fleet.reader, "rampur", PATH, NOW_NS - 10 * 60_000 * MS_NS, NOW_NS - 60_000 * MS_NS, HEARD)
    up, down = (np.array(values, float) for values in (drawn.mos_up, drawn.mos_down))
    assert np.nanmedian(up) < 3.8
    assert np.nanmedian(down) > 4.2
    assert (drawn.assumed.codec, drawn.assumed.proxy, drawn.assumed.scale) == ("opus", True, "MOS-CQEF")
    out = series(
        fleet.reader, "jhansi-city", PATH, NOW_NS - 10 * 60_000 * MS_NS, NOW_NS - 60_000 * MS_NS, HEARD
    )
    assert 1 < max(v for v in out.mos_up if v is not None) < 2
    assert set(out.mos_down) == {None}


def test_the_page_of_a_site_says_how_its_line_sounds(fleet: Any) -> None:
    """The newest window of each path, with what the estimate assumes; an upper bound is told as one."""
    sites = fleet.live.current.registry.by_id
    page = site_page(fleet.live.current, fleet.reader, fleet.state, sites["rampur"], NOW_NS)
    line = next(one for one in page.lines if one.path == PATH)
    assert line.mos_up is not None
    assert line.mos_down is not None
    assert line.mos_up < line.mos_down == 4.4
    assert not line.mos_up_at_most
    assert page.assumed.codec == "opus"
    dead = site_page(fleet.live.current, fleet.reader, fleet.state, sites["jhansi-city"], NOW_NS)
    line = next(one for one in dead.lines if one.path == PATH)
    assert line.mos_up_at_most
    assert line.mos_down is None
