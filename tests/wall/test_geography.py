"""The ground of the map: where offices lie, their cells, the outline."""

from __future__ import annotations

import numpy as np
import pytest

from config.load import load_config
from config.sites import Site, SiteStatus
from dashboards.wall.contour import rings, smoothed
from dashboards.wall.geography import ground


def office(name: str, lat: float, lon: float) -> Site:
    return Site(id=name, name_en=name, name_hi=name, region="r", lat=lat, lon=lon, status=SiteStatus.LINKED)


def inside(ring: tuple[float, ...], x: float, y: float) -> bool:
    """Even-odd rule."""
    corners = np.array(ring).reshape(-1, 2)
    ahead = np.roll(corners, -1, axis=0)
    crosses = (corners[:, 1] > y) != (ahead[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = corners[:, 0] + (y - corners[:, 1]) / (ahead[:, 1] - corners[:, 1]) * (
            ahead[:, 0] - corners[:, 0]
        )
    return bool(np.count_nonzero(crosses & (x < at)) % 2)


def test_north_is_up_and_east_is_right() -> None:
    """Positions keep their order on the plane, and degrees are as long in both directions."""
    plane = ground([office("south-west", 25, 78), office("north-east", 27, 80), office("middle", 26, 79)])
    (x1, y1), (x2, y2), (x3, y3) = plane.points
    assert x1 < x3 < x2
    assert y1 > y3 > y2
    assert x2 - x1 == pytest.approx(y1 - y2, abs=0.2)


def test_every_office_of_the_default_fleet_lies_inside_the_outline_and_its_own_cell() -> None:
    """The outline encloses all 92 offices in one ring; each cell holds its office."""
    plane = ground(load_config(None).registry.sites)
    assert len(plane.outline) == 1
    for (x, y), cell in zip(plane.points, plane.cells, strict=True):
        assert inside(plane.outline[0], x, y)
        assert inside(cell, x, y)


def test_the_outline_stays_on_the_plane() -> None:
    """Nothing of the ground is cut off at the border of the map."""
    plane = ground(load_config(None).registry.sites)
    corners = np.array(plane.outline[0]).reshape(-1, 2)
    assert corners.min() >= 0
    assert corners[:, 0].max() <= plane.width
    assert corners[:, 1].max() <= plane.height


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_small_fleet_has_a_ground_too(count: int) -> None:
    """No office, one, two on one spot, three: no crash, a point and a cell each."""
    plane = ground([office(f"o{i}", 26.0, 80.0 + (i == 2)) for i in range(count)])
    assert len(plane.points) == len(plane.cells) == count
    assert plane.width > 0
    assert plane.height > 0


def test_offices_at_one_address_have_a_cell_each() -> None:
    """Two offices in one building do not break the diagram."""
    plane = ground([office("a", 26, 80), office("b", 26, 80), office("c", 27, 81), office("d", 25, 79)])
    assert all(len(cell) >= 6 for cell in plane.cells)


def test_a_contour_of_a_disc_is_a_circle() -> None:
    """The ring keeps its distance from the middle within a tenth of a cell."""
    y, x = np.mgrid[0:60, 0:80]
    found = rings(20.0 - np.hypot(x - 40, y - 30), 0.0)
    assert len(found) == 1
    assert np.hypot(found[0][:, 0] - 40, found[0][:, 1] - 30) == pytest.approx(20.0, abs=0.1)


def test_a_hole_and_an_island_are_rings_of_their_own() -> None:
    """Each closed line is found once, the longest first."""
    y, x = np.mgrid[0:80, 0:120]
    ring = 6.0 - np.abs(np.hypot(x - 40, y - 40) - 25)
    island = 5.0 - np.hypot(x - 105, y - 40)
    found = rings(np.maximum(ring, island), 0.0)
    assert len(found) == 3
    assert len(found[0]) > len(found[1]) > len(found[2])


def test_smoothing_keeps_a_ring_near_its_place() -> None:
    """Corner cutting moves no point farther than the side that it cuts."""
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = 20 * np.stack((np.cos(turn), np.sin(turn)), axis=1)
    assert np.hypot(*smoothed(circle).T) == pytest.approx(20.0, abs=0.25)
