"""Contours of a field on a grid: marching squares, and corner cutting to smooth them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# For each of the 16 cases of a square's corners (above the level: bit 0 top left, 1 top right, 2 bottom right,
# 3 bottom left), the edges (0 top, 1 right, 2 bottom, 3 left) that a line joins; what is above lies on its left.
_JOINS: Final[tuple[tuple[tuple[int, int], ...], ...]] = (
    (),
    ((0, 3),),
    ((1, 0),),
    ((1, 3),),
    ((2, 1),),
    ((0, 3), (2, 1)),
    ((2, 0),),
    ((2, 3),),
    ((3, 2),),
    ((0, 2),),
    ((1, 0), (3, 2)),
    ((1, 2),),
    ((3, 1),),
    ((0, 1),),
    ((3, 0),),
    (),
)
Edge = tuple[int, int, int]
"""An edge of the grid: row, column, and 0 for the one to the right of that node, 1 for the one below it."""


def rings(field: NDArray[np.float64], level: float) -> list[NDArray[np.float64]]:
    """Closed lines where `field` crosses `level`, longest first; each (n, 2) as x (column), y (row).

    The field is taken to be below the level beyond its border.
    """
    padded = np.pad(field, 1, constant_values=level - 1.0)
    following = _segments(padded >= level)
    found = []
    while following:
        start, edge = following.popitem()
        line = [start]
        while edge != start:
            line.append(edge)
            edge = following.pop(edge)
        found.append(np.array([_crossing(padded, level, e) for e in line]) - 1.0)
    return sorted(found, key=len, reverse=True)


def _segments(above: NDArray[np.bool_]) -> dict[Edge, Edge]:
    case = above[:-1, :-1] * 1 + above[:-1, 1:] * 2 + above[1:, 1:] * 4 + above[1:, :-1] * 8
    following: dict[Edge, Edge] = {}
    for row, column in zip(*np.nonzero((case > 0) & (case < 15)), strict=True):
        r, c = int(row), int(column)
        edges: tuple[Edge, ...] = ((r, c, 0), (r, c + 1, 1), (r + 1, c, 0), (r, c, 1))
        for start, end in _JOINS[case[r, c]]:
            following[edges[start]] = edges[end]
    return following


def _crossing(field: NDArray[np.float64], level: float, edge: Edge) -> tuple[float, float]:
    row, column, down = edge
    here = field[row, column]
    there = field[row + 1, column] if down else field[row, column + 1]
    part = float((level - here) / (there - here)) if np.isfinite(here + there) else 0.5
    return (float(column), row + part) if down else (column + part, float(row))


def smoothed(ring: NDArray[np.float64], passes: int = 2, every: int = 3) -> NDArray[np.float64]:
    """Every third point of a ring with its corners cut (Chaikin), so that the grid no longer shows."""
    line = ring[:: every if len(ring) > 4 * every else 1]
    for _ in range(passes):
        ahead = np.roll(line, -1, axis=0)
        line = np.stack((0.75 * line + 0.25 * ahead, 0.25 * line + 0.75 * ahead), axis=1).reshape(-1, 2)
    return line
