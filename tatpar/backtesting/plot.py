"""The reliability of a back-test as a picture: chance said against share that held, a panel a horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

    from tatpar.backtesting.figures import Figures, Horizon

INK, FAINT, POINT = "#1b2a38", "#b9c3cc", "#0b6fa4"
STEP = 2.0
"""So far at a time, in points, a count goes down that another one would hide."""


def draw(figures: Figures, title: str, file: Path) -> None:
    """Write the picture; the ending of the name says in which format.

    Raises:
        OSError: it cannot be written.
    """
    with mpl.rc_context({"svg.hashsalt": "tatpar", "font.size": 9}):
        figure, panels = plt.subplots(1, len(figures.horizons), figsize=(12, 3.9), sharey=True)
        counts = [_panel(panel, each) for panel, each in zip(panels, figures.horizons, strict=True)]
        panels[0].set_ylabel("share that held")
        figure.suptitle(title, fontsize=10, color=INK)
        figure.tight_layout()
        figure.draw_without_rendering()  # only then the panels are as square as they will be
        for labels in counts:
            _apart(labels)
        kept = {"Date": None} if file.suffix == ".svg" else {"Software": None}
        figure.savefig(file, dpi=120, metadata=kept)
        plt.close(figure)


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Nine-in-ten interval of a share of so many (Wilson 1927)."""
    z = 1.645
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return middle - half, middle + half


def _apart(labels: Sequence[Annotation]) -> None:
    """Lower what would be printed over another one, the highest first: below the diagonal there is room."""
    placed: list[Bbox] = []
    for label in sorted(labels, key=lambda each: each.get_window_extent().y0, reverse=True):
        while any(label.get_window_extent().overlaps(each) for each in placed):
            right, up = label.xyann
            label.xyann = (right, up - STEP)
        placed.append(label.get_window_extent().padded(1))  # letters are a hair wider where the picture is


def _panel(panel: Axes, of: Horizon) -> list[Annotation]:
    """Draw one horizon; the counts beside its points."""
    bins, score = of.score.reliability, of.score
    panel.plot([0, 1], [0, 1], color=FAINT, linewidth=1, zorder=1)
    panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xlabel="chance said")
    panel.set_title(f"{of.horizon}: {score.forecasts:,} forecasts", color=INK, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    if bins is None:
        panel.text(0.5, 0.5, "too few", ha="center", color=INK)
        return []
    there = [
        (said, came, count)
        for said, came, count in zip(bins.chance, bins.held, bins.counts, strict=True)
        if said is not None and came is not None
    ]
    labels: list[Annotation] = []
    for said, came, count in there:
        low, high = _wilson(came, count)
        panel.plot([said, said], [low, high], color=FAINT, linewidth=2, zorder=2)
        side = (5, -3) if said < 0.85 else (-5, -3)
        label = panel.annotate(
            f"{count:,}", (said, came), side, textcoords="offset points", fontsize=6.5, color=INK,
            ha="left" if said < 0.85 else "right",
        )  # fmt: skip
        labels.append(label)
    panel.plot([s for s, _, _ in there], [c for _, c, _ in there], "o", color=POINT, markersize=4.5, zorder=3)
    if score.calibration is not None:
        low, high = score.calibration.low, score.calibration.high
        note = f"calibration error {score.calibration.value:.3f}\n({low:.3f} to {high:.3f})"
        panel.text(0.98, 0.03, note, ha="right", fontsize=7.5, color=INK, transform=panel.transAxes)
    return labels
