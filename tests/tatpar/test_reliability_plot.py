"""The picture of a back-test: every count can be read."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from analytics.forecast.report import Score
from analytics.forecast.scoring import Reliability
from tatpar.backtesting import plot
from tatpar.backtesting.figures import Figures, Horizon, Lead

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def horizon(name: str, *points: tuple[float, float, int]) -> Horizon:
    """Points as chance said, share that held, and how many forecasts."""
    said, held, counts = zip(*points, strict=True)
    score = Score(forecasts=sum(counts), failed=1, reliability=Reliability(counts, said, held))
    return Horizon(horizon=name, with_a_number=1.0, score=score, model_alone=score, regions={})


def test_no_count_is_printed_over_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points that lie near each other, some with their count to the right and some to the left; each stays in its panel."""
    panels = (
        horizon("T-30m", (0.05, 0.02, 40), (0.84, 0.95, 27), (0.97, 0.96, 3618)),
        horizon("T-10m", (0.76, 0.96, 1111), (0.84, 0.96, 2727), (0.88, 0.96, 999), (0.97, 0.97, 3618)),
    )
    figures = Figures(
        pairs=1, failed=1, hours_as_meetings=0, refits_ns=(), horizons=panels,
        lead=Lead(failed=0, by_horizon={}, never=None),
    )  # fmt: skip
    kept: list[Any] = []
    close = plot.plt.close
    monkeypatch.setattr(plot.plt, "close", kept.append)
    plot.draw(figures, "title", tmp_path / "p.png")
    (figure,) = kept
    for panel, drawn in zip(panels, figure.axes, strict=True):
        counts = [one for one in drawn.texts if one.get_text().replace(",", "").isdigit()]
        assert len(counts) == len(panel.score.reliability.counts)  # type: ignore[union-attr]
        boxes = [one.get_window_extent() for one in counts]
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        assert all(drawn.get_window_extent().y0 < box.y0 for box in boxes)
    close(figure)
