"""The heat map: a row an office, a column an hour of the day; the darker, the more of the hour was below the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from reports.paper.plots.picture import WIDE_MM, Picture, drawing, svg_of
from reports.paper.tones import BAD, LINE
from telemetry.words import say
from telemetry.words.format import percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reports.document import HeatMap

FULL_SHARE: Final = 0.25
"""A quarter of the hour gets the darkest shade."""
ROWS_A_PICTURE: Final = 46
"""As many as stand legibly on a page."""
MOST_ROWS: Final = 92
"""Of a larger fleet the first are drawn; the table has them all."""
_ROW_MM: Final = 4.6
_SHADES: Final = LinearSegmentedColormap.from_list("below", ["#f7efe9", "#e9a178", BAD, "#4a1500"])


def draw_heat(block: HeatMap, language: str) -> list[Picture]:
    """As many pictures as it takes; empty when there is no row."""
    rows = min(len(block.rows), MOST_ROWS)
    return [
        _part(block, language, first, min(first + ROWS_A_PICTURE, rows))
        for first in range(0, rows, ROWS_A_PICTURE)
    ]


def _part(block: HeatMap, language: str, first: int, last: int) -> Picture:
    shares = np.asarray(block.shares[first:last], dtype=float)
    with drawing(WIDE_MM, 9 + _ROW_MM * (last - first), f"{block.name}-{first}") as (figure, axes):
        axes.pcolormesh(
            np.clip(shares, 0, FULL_SHARE),
            cmap=_SHADES,
            vmin=0,
            vmax=FULL_SHARE,
            edgecolor="white",
            linewidth=0.6,
        )
        for row, column in np.argwhere(np.isnan(shares)):
            axes.plot([column + 0.3, column + 0.7], [row + 0.5, row + 0.5], color=LINE, linewidth=1)
        axes.set_xticks(np.arange(len(block.columns)) + 0.5, block.columns, fontsize=7)
        axes.set_yticks(np.arange(last - first) + 0.5, block.rows[first:last], fontsize=7.5)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.invert_yaxis()
        for spine in axes.spines.values():
            spine.set_visible(False)
        svg = svg_of(figure)
    is_last = last == min(len(block.rows), MOST_ROWS)
    words = [block.caption] if is_last else []
    if is_last and last < len(block.rows):
        words.append(say(language, "paper.rows_more", n=len(block.rows) - last))
    return Picture(
        svg=svg,
        alt=_alt(block, shares, language, first),
        caption=" ".join(filter(None, words)),
        is_half=False,
    )


def _alt(block: HeatMap, shares: NDArray[np.float64], language: str, first: int) -> str:
    """The three worst fields in words; the table beside has all of them."""
    if not np.isfinite(shares).any():
        return block.legend or block.caption
    order = np.argsort(-np.nan_to_num(shares, nan=-1.0), axis=None, kind="stable")[:3]
    places = [divmod(int(at), shares.shape[1]) for at in order]
    worst = [
        f"{block.rows[first + row]}, {block.columns[column]}: {percent(language, float(shares[row, column]))}"
        for row, column in places
        if shares[row, column] > 0
    ]
    return say(language, "paper.alt_heat", what=block.legend or block.caption, worst="; ".join(worst) or "–")
