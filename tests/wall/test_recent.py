"""The ring of the last two hours."""

from __future__ import annotations

import numpy as np
import pytest

from dashboards.wall.live.recent import SLOTS, WINDOWS, Recent
from telemetry.store.tables import RollupTable, StreamTable
from telemetry.windows import HOUR_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

NOW_NS = 1_795_495_670_000_000_000
SLOT = NOW_NS - NOW_NS % SLOT_NS


def windows(
    starts: list[int], lost: float, rtt: float = 20.0, site: str = "a", path: str = "main.x"
) -> StreamTable:
    n = len(starts)
    columns = {
        "site": np.zeros(n, np.int32),
        "probe": np.zeros(n, np.int32),
        "path": np.zeros(n, np.int32),
        "start_ns": np.array(starts, np.int64),
        "sent": np.full(n, 100),
        "lost": np.full(n, lost),
        "rtt_p95_ms": np.full(n, rtt),
    }
    return StreamTable((site,), ("p1",), (path,), columns, {})


def drawn(recent: Recent, site: str = "a", path: str = "main.x") -> np.ndarray:
    line = recent.sparkline(site, path)
    assert line is not None
    return line


def test_a_slot_is_the_mean_of_its_windows() -> None:
    """Loss and round trip of a five-minute step are the means of what arrived of it; the rest are gaps."""
    recent = Recent()
    recent.advance(NOW_NS)
    recent.take_windows(windows([SLOT, SLOT + WINDOW_NS], 0, 10.0))
    recent.take_windows(windows([SLOT + 2 * WINDOW_NS], 6, 40.0))
    loss, rtt = drawn(recent)
    assert loss[-1] == pytest.approx(0.02)
    assert rtt[-1] == pytest.approx(20.0)
    assert np.isnan(loss[:-1]).all()


def test_the_same_window_twice_counts_once() -> None:
    """A window that is read twice is put in the same place."""
    recent = Recent()
    recent.advance(NOW_NS)
    for _ in range(2):
        recent.take_windows(windows([SLOT], 50))
    recent.take_windows(windows([SLOT + WINDOW_NS], 0))
    assert drawn(recent)[0, -1] == pytest.approx(0.25)


def test_time_passes_through_the_ring() -> None:
    """An hour later the same step stands an hour farther back; after two hours it is gone."""
    recent = Recent()
    recent.advance(NOW_NS)
    recent.take_windows(windows([SLOT], 10))
    recent.advance(NOW_NS + HOUR_NS)
    assert drawn(recent)[0, SLOTS - 1 - 12] == pytest.approx(0.1)
    recent.advance(NOW_NS + 2 * HOUR_NS)
    assert np.isnan(drawn(recent)).all()


def test_a_leap_of_days_empties_the_ring() -> None:
    """After a long sleep nothing old is taken for new."""
    recent = Recent()
    recent.advance(NOW_NS)
    recent.take_windows(windows([SLOT - i * WINDOW_NS for i in range(WINDOWS - WINDOWS_PER_SLOT)], 10))
    recent.advance(NOW_NS + 50 * HOUR_NS)
    assert np.isnan(drawn(recent)).all()


def test_what_is_too_old_or_from_the_future_is_left_out() -> None:
    """A back-filled window of last week does not overwrite the present."""
    recent = Recent()
    recent.advance(NOW_NS)
    recent.take_windows(windows([SLOT], 10))
    recent.take_windows(windows([SLOT - 2 * HOUR_NS, SLOT + SLOT_NS], 90))
    assert drawn(recent)[0, -1] == pytest.approx(0.1)
    assert np.isnan(drawn(recent)[0, :-1]).all()


def test_newest_is_the_end_of_the_latest_window() -> None:
    """Late windows do not make the newest older."""
    recent = Recent()
    recent.advance(NOW_NS)
    assert recent.take_windows(windows([SLOT, SLOT + WINDOW_NS], 0)) == {"a"}
    recent.take_windows(windows([SLOT - WINDOW_NS], 0))
    assert recent.newest_ns("a") == SLOT + 2 * WINDOW_NS
    assert recent.newest_ns("b") is None


def test_rollups_and_windows_draw_the_same() -> None:
    """A slot from a roll-up's window values equals the slot from its windows."""
    starts = [SLOT - SLOT_NS + i * WINDOW_NS for i in range(WINDOWS_PER_SLOT)]
    by_windows, by_rollup = Recent(), Recent()
    for recent in (by_windows, by_rollup):
        recent.advance(NOW_NS)
    by_windows.take_windows(windows(starts, 3, 25.0))
    row = np.full((1, WINDOWS_PER_SLOT), 1.0, np.float32)
    by_rollup.take_rollups(
        RollupTable(
            ("a",),
            ("p1",),
            ("main.x",),
            {
                **{name: np.zeros(1, np.int32) for name in ("site", "probe", "path")},
                "slot_ns": np.array([SLOT - SLOT_NS]),
            },
            {"sent": row * 100, "lost": row * 3, "rtt_p95_ms": row * 25},
            {},
        )
    )
    np.testing.assert_allclose(drawn(by_windows), drawn(by_rollup), rtol=1e-6)


def test_lines_do_not_mix() -> None:
    """Each site and path has its own row, also past the first growth of the ring."""
    recent = Recent()
    recent.advance(NOW_NS)
    for i in range(150):
        recent.take_windows(windows([SLOT], i % 7, site=f"s{i}", path=f"main.{i % 3}"))
    for i in range(150):
        assert drawn(recent, f"s{i}", f"main.{i % 3}")[0, -1] == pytest.approx((i % 7) / 100)
    assert recent.paths("s4") == ["main.1"]
    assert recent.sparkline("s4", "main.0") is None


def test_a_window_in_which_nothing_was_sent_is_a_gap() -> None:
    """Nought of nought is no loss ratio."""
    recent = Recent()
    recent.advance(NOW_NS)
    table = windows([SLOT], 0, float("nan"))
    table.columns["sent"][:] = 0  # type: ignore[index]
    recent.take_windows(table)
    assert np.isnan(drawn(recent)).all()
