"""Offices linked over time: steps up to today, against all that there are to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.ticker import MaxNLocator

from reports.paper.plots.picture import HALF_MM, HEIGHT_MM, Picture, drawing, svg_of
from reports.paper.tones import BLUE, INK
from telemetry.words import say
from telemetry.words.format import count

if TYPE_CHECKING:
    from reports.document import RollOut

TICKS: Final = 4


def draw_roll_out(block: RollOut, language: str) -> Picture:
    """A filled step line below the line of the total."""
    at = np.arange(len(block.days))
    with drawing(HALF_MM, HEIGHT_MM, block.name) as (figure, axes):
        axes.fill_between(at, block.linked, step="post", color=BLUE, alpha=0.25, linewidth=0)
        axes.step(at, block.linked, where="post", color=BLUE, linewidth=1.4)
        axes.axhline(block.total, color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        if block.linked:
            axes.plot(at[-1], block.linked[-1], "o", color=BLUE, markersize=4)
            axes.annotate(
                count(language, block.linked[-1]), (float(at[-1]), block.linked[-1]), (-3, 3), ha="right", fontsize=8,
                fontweight="bold", textcoords="offset points",
            )  # fmt: skip
        axes.annotate(
            count(language, block.total), (0, block.total), (0, 2), textcoords="offset points", fontsize=7
        )
        ticks = np.unique(np.linspace(0, max(len(at) - 1, 0), TICKS).round().astype(int))
        axes.set_xticks(ticks, [block.days[tick] for tick in ticks] if len(at) else [], fontsize=6.5)
        axes.set_ylim(0, max(block.total, 1) * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        svg = svg_of(figure)
    linked = block.linked[-1] if block.linked else 0
    alt = say(language, "paper.alt_roll_out", linked=linked, total=block.total, caption=block.caption)
    return Picture(svg=svg, alt=alt, caption=block.caption, is_half=True)
