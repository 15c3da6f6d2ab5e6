"""Any plot of a document, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from reports.document import HeatMap, Reliability, RollOut, Trend
from reports.paper.plots.heat import draw_heat
from reports.paper.plots.reliability import draw_reliability
from reports.paper.plots.roll_out import draw_roll_out
from reports.paper.plots.trend import draw_trend

if TYPE_CHECKING:
    from reports.document import Block
    from reports.paper.plots.picture import Picture

Plot: TypeAlias = HeatMap | Reliability | RollOut | Trend


def is_plot(block: Block) -> bool:
    """Whether it is drawn."""
    return isinstance(block, HeatMap | Reliability | RollOut | Trend)


def draw(block: Block, language: str) -> list[Picture]:
    """The pictures of a plot, in order; none of anything else."""
    match block:
        case HeatMap():
            return draw_heat(block, language)
        case Reliability():
            return [draw_reliability(block, language)]
        case RollOut():
            return [draw_roll_out(block, language)]
        case Trend():
            return [draw_trend(block, language)]
    return []
