"""The heat map, office by hour of the day, as inline SVG: shade for the eye, a title on each cell for everybody else."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from reports.figures import HOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CELL: Final = 22
_ROW: Final = 20
_LEFT: Final = 190
_TOP: Final = 22
_FULL: Final = 0.25
"""A quarter of the hour below the profile gets the darkest shade."""


def heat_map(
    rows: Sequence[tuple[str, Sequence[float]]], label: Callable[[str, int, float], str], title: str
) -> str:
    """SVG of rows (name, 24 shares); `label` gives a cell's words. Shares are 0..1, NaN where nothing was measured."""
    width, height = _LEFT + HOURS * _CELL, _TOP + len(rows) * _ROW
    parts = [
        (
            f'<svg class="heat" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'aria-label="{escape(title)}">'
        )
    ]
    parts += [
        f'<text x="{_LEFT + hour * _CELL + _CELL / 2:g}" y="14" class="hour">{hour}</text>'
        for hour in range(0, HOURS, 3)
    ]
    for i, (name, shares) in enumerate(rows):
        y = _TOP + i * _ROW
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 14}" class="name">{escape(name)}</text>')
        parts += [_cell(hour, y, share, label(name, hour, share)) for hour, share in enumerate(shares)]
    parts.append("</svg>")
    return "".join(parts)


def _cell(hour: int, y: int, share: float, label: str) -> str:
    x = _LEFT + hour * _CELL
    if math.isnan(share):
        shade = 'class="blank"'
    elif share == 0:
        shade = 'class="good"'
    else:
        shade = f'class="bad" fill-opacity="{0.15 + 0.85 * min(share / _FULL, 1):.2f}"'
    return (
        f'<rect x="{x}" y="{y}" width="{_CELL - 2}" height="{_ROW - 2}" rx="2" {shade}>'
        f"<title>{escape(label)}</title></rect>"
    )
