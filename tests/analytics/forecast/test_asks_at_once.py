"""However long the asked spans are, no more slots are laid out at a time than fit; and it changes nothing of what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.forecast import coming, course, features, seen
from analytics.forecast.track import Asks, Track
from telemetry.windows import DAY_NS, HOUR_NS
from tests.analytics.forecast.tracks import arrived_track

if TYPE_CHECKING:
    import pytest

DAYS, DAY = 34, 288


def history() -> Track:
    """Three lines that break now and then."""
    rng, shape = np.random.default_rng(4), (3, DAYS * DAY)
    broke = np.where(rng.random(shape) < 0.1, rng.integers(0, 21, shape) / 20, 0.0).astype(np.float32)
    groups = {"provider": np.zeros(3, dtype=np.int32)}
    return arrived_track(broke, broke + np.float32(0.2), groups=groups)


def whole_days(track: Track, many: int) -> Asks:
    """Events that last a day, of the three lines in turn, at a few times."""
    start = track.start_ns + 30 * DAY_NS + np.arange(many) % 7 * HOUR_NS
    return Asks(np.arange(many) % 3, start - HOUR_NS, start, start + DAY_NS)


def test_events_of_a_whole_day_take_no_more_room_than_many_short_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Six hundred of them look at 4.8 million slots of the days before; no look is at more than fit, all are answered."""
    track, looked, look = history(), [], seen.look

    def counted(of: Track, line: Any, slot: Any, now_ns: Any) -> Any:
        looked.append(slot.size)
        return look(of, line, slot, now_ns)

    for module in (features, coming, course):
        monkeypatch.setattr(module, "look", counted)
    asks = whole_days(track, 600)
    found = features.facts(track, asks)
    assert max(looked) <= seen.SLOTS_AT_ONCE < sum(looked)
    few = features.facts(track, asks.rows(slice(21)))
    for name in few.names:
        np.testing.assert_array_equal(found.of([name])[588:], few.of([name])[:12], err_msg=name)


def test_an_ask_is_never_cut() -> None:
    """Also one that looks at more than that by itself."""
    assert list(seen.asks_at_once(2, 2 * seen.SLOTS_AT_ONCE)) == [slice(0, 1), slice(1, 2)]
    assert list(seen.asks_at_once(2000, 1)) == [slice(0, 1024), slice(1024, 2048)]
    assert list(seen.asks_at_once(0, 12)) == [slice(0, 1024)]
