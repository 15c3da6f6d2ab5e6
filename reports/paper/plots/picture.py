"""A plot as it goes into the page and the paper: SVG that is the same for the same data, and words for who cannot see it."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from reports.paper.fonts import DEVANAGARI, LATIN, truetype_files
from reports.paper.tones import INK, LINE, SOFT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

MM: Final = 1 / 25.4
"""Inches."""
WIDE_MM: Final = 178.0
"""The width of the text on A4."""
HALF_MM: Final = 87.0
HEIGHT_MM: Final = 54.0
"""Of a half picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn plot."""

    svg: str
    alt: str
    caption: str
    is_half: bool
    """Half as wide as the text: two of them stand side by side."""


@cache
def _know_fonts() -> None:
    for file in truetype_files():
        font_manager.fontManager.addfont(file)


@contextmanager
def drawing(width_mm: float, height_mm: float, name: str) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure of this size with one pair of axes, in the look of the house; `name` seeds the ids in the SVG."""
    _know_fonts()
    look: Any = {
        "font.family": [LATIN, DEVANAGARI],
        "font.size": 8,
        "svg.fonttype": "path",
        "svg.hashsalt": name,
        "text.color": INK,
        "axes.edgecolor": SOFT,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.6,
        "axes.axisbelow": True,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "grid.color": LINE,
        "grid.linewidth": 0.5,
        "hatch.linewidth": 0.5,
    }
    with mpl.rc_context(look):
        figure = Figure(figsize=(width_mm * MM, height_mm * MM), layout="constrained")
        yield figure, figure.add_subplot()


def svg_of(figure: Figure) -> str:
    """The figure as SVG without a date, on no ground."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()
