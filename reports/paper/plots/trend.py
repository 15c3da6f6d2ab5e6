"""A figure over the weeks: a bar a week; a week of which nothing is known is an empty, dashed place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reports.paper.plots.picture import HALF_MM, HEIGHT_MM, Picture, drawing, svg_of
from reports.paper.tones import BLUE, INK, SOFT
from telemetry.words import say
from telemetry.words.format import decimal, significant

if TYPE_CHECKING:
    from reports.document import Trend


def draw_trend(block: Trend, language: str) -> Picture:
    """Bars, the newest one dark, each with its figure above it."""
    known = [(at, value) for at, value in enumerate(block.values) if not math.isnan(value)]
    top = max([value for _, value in known] + [block.mark or 0.0, 1e-9])
    with drawing(HALF_MM, HEIGHT_MM, block.name) as (figure, axes):
        newest = len(block.values) - 1
        for at, value in known:
            axes.bar(at, value, width=0.7, color=BLUE, alpha=1.0 if at == newest else 0.55)
            axes.annotate(
                _short(language, value),
                (at, value),
                (0, 1.5),
                textcoords="offset points",
                ha="center",
                fontsize=6.5,
            )
        for at in set(range(len(block.values))) - {at for at, _ in known}:
            axes.bar(
                at, top * 0.08, width=0.7, fill=False, edgecolor=SOFT, linestyle=(0, (2, 2)), linewidth=0.6
            )
        if block.mark is not None:
            axes.axhline(block.mark, color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        axes.set_xticks(range(len(block.labels)), block.labels, fontsize=6.5)
        axes.set_xlim(-0.6, len(block.labels) - 0.4)
        axes.set_ylim(0, top * 1.18)
        axes.set_ylabel(block.unit)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="x", length=0)
        svg = svg_of(figure)
    said = [
        f"{label}: {'–' if math.isnan(value) else _short(language, value)}"
        for label, value in zip(block.labels, block.values, strict=True)
    ]
    alt = say(language, "paper.alt_trend", what=block.caption or block.unit, values=", ".join(said))
    return Picture(svg=svg, alt=alt, caption=block.caption, is_half=True)


def _short(language: str, value: float) -> str:
    return decimal(language, significant(value))
