"""The plots: what stands side by side, what is left out and said, and words for who cannot see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from reports.document import HeatMap, Reliability, RollOut, Trend
from reports.paper.pieces import Pictures, pieces
from reports.paper.plots.draw import draw
from reports.paper.plots.heat import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.document import Document


def test_two_half_pictures_stand_side_by_side(make_document: Callable[..., Document]) -> None:
    """The trend and the roll-out share a line; the heat map has its own, and so has the last one."""
    shared = [len(piece.pictures) for piece in pieces(make_document()) if isinstance(piece, Pictures)]
    assert shared == [2, 1, 1]


def test_a_large_heat_map_goes_over_pages_and_says_what_it_leaves_out() -> None:
    """Two pictures of 92 rows, and how many offices are in the table only."""
    rows = MOST_ROWS + 8
    found = draw(HeatMap("h", ("अ",) * rows, ("00",), ((0.2,),) * rows, "नीचे"), "en")
    assert len(found) == 2
    assert found[0].caption == ""
    assert found[1].caption == "नीचे 8 more offices are in the table."


def test_words_stand_for_the_picture() -> None:
    """The worst fields of the heat map, each week of a trend with its gap, the pairs of the reliability plot."""
    heat = draw(HeatMap("h", ("Agra", "Etah"), ("00", "18"), ((0.0, 0.31), (math.nan, 0.0)), "c", "l"), "en")
    assert heat[0].alt == "l Worst: Agra, 18: 31\u00a0%"
    trend = draw(Trend("t", ("W1", "W2"), (80.0, math.nan), "%", "Held"), "en")
    assert trend[0].alt == "Held by week: W1: 80, W2: –"
    said = draw(Reliability("r", (0.9,), (0.8,), (40,), (0.7,), (0.9,), "a", "b"), "en")
    assert "90\u00a0% → 80\u00a0% (40)" in said[0].alt
    linked = draw(RollOut("o", ("1",), (56,), 92), "en")
    assert linked[0].alt.startswith("56 of 92 offices")


@pytest.mark.parametrize(
    "block",
    [
        Trend("t", (), (), "%"),
        Trend("t", ("W1",), (math.nan,), "%"),
        RollOut("o", (), (), 0),
        Reliability("r", (), (), (), (), (), "a", "b"),
        HeatMap("h", ("Agra",), ("00",), ((math.nan,),)),
    ],
)
def test_nothing_to_show_is_no_error(block: Trend | RollOut | Reliability | HeatMap) -> None:
    """A first week has no trend and no forecasts yet."""
    assert draw(block, "hi")[0].svg.lstrip().startswith("<?xml")


def test_an_empty_heat_map_is_no_picture() -> None:
    """Without offices there is nothing to draw."""
    assert draw(HeatMap("h", (), ("00",), ()), "hi") == []
