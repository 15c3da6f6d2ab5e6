"""Whether nobody is heard because headquarters takes nothing in: not while anything is, nor of offices that ended by their own word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.control import Presence
from telemetry.decisions import FactorKind
from tests.watch.conftest import Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRIED = ("agra", "meerut")
"""The first two offices of a roll-out; Ballia and Unnao are in the list and have never reported."""
WARM_S = 60
LONG_S = 200


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Town]:
    """The first day of a roll-out."""
    made = Town(tmp_path, linked=TRIED)
    made.play(WARM_S)
    yield made
    made.close()


def gone(town: Town, *sites: str, left: bool) -> None:
    """They are not heard any more: by their own word, or by the broker's last will."""
    town.offline.update(sites)
    for site in sites:
        town.state.set_presence(
            site, "p1", Presence(online=False, since_ns=town.now_ns, left=left), town.now_ns
        )


def shared(town: Town) -> list[FactorKind]:
    return [each.factor.kind for each in town.state.open_incidents()]


def test_offices_that_ended_in_order_are_no_fault_of_headquarters(begun: Town) -> None:
    """Both were tried with `--once`, which says goodbye: nothing is shared; each has no contact of its own."""
    gone(begun, *TRIED, left=True)
    begun.play(LONG_S, lambda: bool(shared(begun)))
    assert shared(begun) == []
    assert set(begun.flags()) == {(site, "dark") for site in TRIED}


def test_offices_that_went_without_a_word_are(begun: Town) -> None:
    """The same two, lost at once and nothing taken in: that is told as headquarters' own."""
    gone(begun, *TRIED, left=False)
    begun.play(LONG_S)
    assert shared(begun) == [FactorKind.HUB]


def test_one_that_stays_does_not_make_the_other_a_fault_of_headquarters(begun: Town) -> None:
    """One ended in order, the other was cut off: one office alone says nothing of headquarters."""
    gone(begun, "agra", left=True)
    gone(begun, "meerut", left=False)
    begun.play(LONG_S, lambda: bool(shared(begun)))
    assert shared(begun) == []


def test_nothing_is_claimed_while_anything_is_taken_in(begun: Town) -> None:
    """An office that is not linked yet reports beside the two that are lost: headquarters is at work. When that too is gone, it may be deaf."""
    begun.linked = (*TRIED, "jhansi")
    begun.play(30)
    gone(begun, *TRIED, left=False)
    begun.play(LONG_S, lambda: FactorKind.HUB in shared(begun))
    assert FactorKind.HUB not in shared(begun)
    gone(begun, "jhansi", left=False)
    begun.play(LONG_S, lambda: FactorKind.HUB in shared(begun))
    assert shared(begun) == [FactorKind.HUB]
