"""What was said against what came true: on the dotted line every promise was kept as often as it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.ticker import PercentFormatter

from reports.paper.plots.picture import Picture, drawing, svg_of
from reports.paper.tones import BLUE, SOFT
from telemetry.words import say
from telemetry.words.format import percent

if TYPE_CHECKING:
    from reports.document import Reliability

WIDTH_MM: Final = 87.0
HEIGHT_MM: Final = 74.0


def draw_reliability(block: Reliability, language: str) -> Picture:
    """Points as large as their number of forecasts, with the interval of each."""
    said, true = np.asarray(block.said), np.asarray(block.came_true)
    with drawing(WIDTH_MM, HEIGHT_MM, block.name) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8, linestyle=(0, (1, 2)))
        if len(said):
            axes.vlines(said, block.low, block.high, color=BLUE, linewidth=1.0)
            axes.scatter(
                said,
                true,
                s=10 + 90 * np.asarray(block.count) / max(block.count),
                color=BLUE,
                zorder=3,
                clip_on=False,
            )
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        axes.set_xlabel(block.said_label)
        axes.set_ylabel(block.true_label)
        axes.grid()
        axes.spines[["top", "right"]].set_visible(False)
        svg = svg_of(figure)
    pairs = [
        f"{percent(language, s)} → {percent(language, t)} ({n})"
        for s, t, n in zip(block.said, block.came_true, block.count, strict=True)
    ]
    alt = say(language, "paper.alt_reliability", values=", ".join(pairs) or "–")
    return Picture(svg=svg, alt=alt, caption=block.caption, is_half=True)
