"""All that is asked of a track at once is answered as if each span had been asked alone, and each line is looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.forecast import features
from analytics.forecast.answers import Asked, Span, answers, asks_of_span
from analytics.forecast.features import digest, digests_until
from analytics.forecast.foresight import Foresight
from analytics.forecast.standpoints import standpoints
from analytics.forecast.track import Asks
from telemetry.windows import HOUR_NS, SLOT_NS
from tests.analytics.forecast.test_causal import FIRST, LINES, SLOTS, fit, history, questions

if TYPE_CHECKING:
    import pytest

NOW_NS = (FIRST + SLOTS - 300) * SLOT_NS
SHAPE, PATHS = (LINES // 2, 2), ((0, 1), (1,), (0,), (1, 0))
SPANS = [
    Span(
        limit_set,
        PATHS[number % 4],
        (NOW_NS + number * HOUR_NS, NOW_NS + (number + 1 + number % 2) * HOUR_NS),
    )
    for number in range(8)
    for limit_set in (1, 0)
]


def test_many_spans_at_once_are_told_as_each_alone_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen spans of two limit sets, on one path or both: one look at each line's day for each limit set, in place of sixteen."""
    tracks, days = (history(1), history(2)), []
    model = fit(tracks[0], *questions(tracks[0], 1))
    told = features.newest_told

    def counted(of: Any, line: Any, now_ns: Any) -> Any:
        days.append(line)
        return told(of, line, now_ns)

    monkeypatch.setattr(features, "newest_told", counted)
    foresight = Foresight(model, "fitted", tracks, digests_until(tracks, NOW_NS), NOW_NS)
    foresight.foresee(SHAPE, SPANS)
    assert [sorted(each) for each in days] == [list(range(LINES))] * 2
    for span in SPANS:
        alone = Foresight(model, "fitted", tracks, digests_until(tracks, NOW_NS), NOW_NS)
        asked = (span.limit_set, SHAPE, np.array(span.paths), span.span_ns)
        ours, theirs = foresight.of_span(*asked), alone.of_span(*asked)
        assert ours.holds.shape == (SHAPE[0], len(span.paths))
        for one, other in (
            (ours.holds, theirs.holds),
            (ours.costs, theirs.costs),
            *zip(ours.before, theirs.before, strict=True),
            *zip(ours.record, theirs.record, strict=True),
        ):
            assert one.tobytes() == other.tobytes()
    assert len(days) == 2 + len(SPANS), "what was foreseen is not asked again"


def test_however_few_asks_are_laid_out_at_a_time_a_line_is_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four spans of six lines, eight asks at a time: the spans of a line stand together."""
    track, seen = history(3), []
    model = fit(track, *questions(track, 3))
    spans = [asks_of_span(*SHAPE, NOW_NS, Span(0, (0, 1), span.span_ns)) for span in SPANS[:8:2]]
    whole = answers(model, Asked(track, digest(track)), spans)
    told = features.newest_told

    def counted(of: Any, line: Any, now_ns: Any) -> Any:
        seen.extend(line.tolist())
        return told(of, line, now_ns)

    monkeypatch.setattr(features, "newest_told", counted)
    monkeypatch.setattr(
        features, "asks_at_once", lambda asks, _: (slice(at, at + 8) for at in range(0, asks, 8))
    )
    few = answers(model, Asked(track, digest(track)), spans)
    assert sorted(seen) == list(range(LINES))
    for ours, theirs in zip(few, whole, strict=True):
        assert ours.chances.holds.tobytes() == theirs.chances.holds.tobytes()
        assert ours.chances.terms.tobytes() == theirs.chances.terms.tobytes()


def test_digests_of_tracks_together_are_those_of_each() -> None:
    """Hour by hour for all tracks at once: the same bits."""
    tracks = (history(4), history(5), history(6))
    for track, together in zip(tracks, digests_until(tracks, NOW_NS), strict=True):
        (alone,) = digests_until([track], NOW_NS)
        for name in ("clock", "plain", "level"):
            assert getattr(together.habits, name).tobytes() == getattr(alone.habits, name).tobytes()
        assert together.habits.level.std() > 0.0


def test_a_standpoint_is_one_line_at_one_time() -> None:
    """Not one line at two times, nor two lines at one."""
    line, now_ns = np.array([3, 1, 3, 1, 3]), np.array([20, 10, 10, 10, 20])
    seen = standpoints(Asks(line, now_ns, now_ns, now_ns + 1))
    assert sorted(zip(seen.line.tolist(), seen.now_ns.tolist(), strict=True)) == [(1, 10), (3, 10), (3, 20)]
    assert (seen.line[seen.of] == line).all()
    assert (seen.now_ns[seen.of] == now_ns).all()
