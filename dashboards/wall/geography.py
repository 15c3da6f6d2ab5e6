"""The map without a map server: the offices' positions projected, their cells, and an outline around them all.

The projection is plate carrée (longitude and latitude straight onto the plane), so a place is where it is on
any such map. The ground is the Voronoi cell of each office; the outline encloses what lies near any office,
its bays closed, so that it reads as a territory without anybody's boundary files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import KDTree, Voronoi

from dashboards.wall.contour import rings, smoothed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from config.sites import Site

WIDTH: Final = 1000.0
"""Width of the plane; the height follows from the positions."""
_CELLS: Final = 220
_REACH: Final = 1.05
"""How far the ground reaches beyond an office, in typical distances between neighbours."""
_BAY: Final = 2.2
"""Bays narrower than this (same unit) are closed."""
_LEAST_SPAN_DEG: Final = 0.2
_NEIGHBOURS: Final = 64
"""So many of an office's neighbours are looked at for the nearest that is another town."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A plane of `width` × `height`: a point, and a cell as `x,y` pairs, for each site in order; outline rings."""

    width: float
    height: float
    points: tuple[tuple[float, float], ...]
    cells: tuple[tuple[float, ...], ...]
    outline: tuple[tuple[float, ...], ...]


def ground(sites: Sequence[Site]) -> Ground:
    """Lay out the sites; without any, an empty plane."""
    if not sites:
        return Ground(WIDTH, WIDTH * 0.6, (), (), ())
    degrees = np.array([(site.lon, -site.lat) for site in sites], dtype=np.float64)
    span = np.maximum(np.ptp(degrees, axis=0), _LEAST_SPAN_DEG)
    reach = _REACH * _spacing(degrees, float(max(span)))
    low = degrees.min(axis=0) - (span - np.ptp(degrees, axis=0)) / 2 - 1.3 * reach
    size = span + 2.6 * reach
    scale = WIDTH / size[0]
    points = (degrees - low) * scale
    height = float(size[1] * scale)
    return Ground(
        WIDTH,
        round(height, 1),
        tuple((round(float(x), 1), round(float(y), 1)) for x, y in points),
        _cells(points, height),
        _outline(points, height, float(reach * scale)),
    )


def _spacing(points: NDArray[np.float64], span: float) -> float:
    """Median distance to the nearest neighbour that is not the same town."""
    if len(points) < 3:
        return span / 4
    apart = np.asarray(KDTree(points).query(points, k=min(len(points), _NEIGHBOURS))[0])
    apart[apart < 0.02 * span] = np.inf
    nearest = apart.min(axis=1)
    finite = nearest[np.isfinite(nearest)]
    return float(np.median(finite)) if len(finite) else span / 4


def _cells(points: NDArray[np.float64], height: float) -> tuple[tuple[float, ...], ...]:
    """Voronoi cell of each point; far corner posts make every cell finite."""
    far = 6 * max(WIDTH, height)
    posts = np.array([(-far, -far), (WIDTH + far, -far), (-far, height + far), (WIDTH + far, height + far)])
    nudged = points + _nudges(len(points))
    diagram = Voronoi(np.vstack((nudged, posts)))
    cells = []
    for index in range(len(points)):
        corners = diagram.vertices[diagram.regions[diagram.point_region[index]]]
        angle = np.arctan2(*(corners - nudged[index]).T[::-1])
        cells.append(tuple(round(float(v), 1) for v in corners[np.argsort(angle)].ravel()))
    return tuple(cells)


def _nudges(count: int) -> NDArray[np.float64]:
    """Tiny fixed displacements, so that two offices at one address still have a cell each."""
    turn = np.arange(count) * 2.399963
    return 0.01 * np.stack((np.cos(turn), np.sin(turn)), axis=1)


def _outline(points: NDArray[np.float64], height: float, reach: float) -> tuple[tuple[float, ...], ...]:
    """Rings around all that lies within `reach` of a point, bays closed (a morphological closing)."""
    step = WIDTH / _CELLS
    margin = _BAY * reach
    xs = np.arange(-margin, WIDTH + margin, step)
    ys = np.arange(-margin, height + margin, step)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1)
    away = np.asarray(KDTree(points).query(grid)[0])
    beyond = distance_transform_edt(away > reach + (_BAY - 1) * reach) * step
    outside = distance_transform_edt(beyond == 0) * step - (_BAY - 1) * reach
    found = rings(outside, 0.0)
    return tuple(
        tuple(round(float(v), 1) for v in (smoothed(ring) * step - margin).ravel()) for ring in found
    )
