"""An office that has hardly been measured is said to be so, from its first window until it is known for a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS
from tests.watch.conftest import MONDAY

if TYPE_CHECKING:
    from tests.watch.conftest import Town


def test_the_first_minutes_are_told_as_such(town: Town) -> None:
    """From its first window on; the others have a past of two days, and nothing is said of them."""
    known = ("agra", "meerut", "unnao")
    town.remember(MONDAY - 2 * DAY_NS, MONDAY - 2 * DAY_NS + 26 * HOUR_NS, known)
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    for site in ("agra", "ballia"):  # so that something is said of them now that the past is read
        town.break_line(site, up=0.2)
    town.play(11 * 60)
    ballia, agra = town.verdict("ballia"), town.verdict("agra")
    assert agra.known_since_ns is None
    assert ballia.known_since_ns is not None
    assert abs(ballia.known_since_ns - MONDAY) <= 2 * WINDOW_NS
    known_ns = ballia.known_for_ns(town.now_ns)
    assert known_ns is not None
    assert 11 * 60 <= known_ns / SECOND_NS <= 13 * 60
    assert ballia.known_for_ns(MONDAY + DAY_NS + WINDOW_NS) is None


def test_who_is_no_newcomer_once_the_past_is_read_is_said_anew(town: Town) -> None:
    """Also of a line on which nothing else changes: while a past is read (again) every line looks new, and that would stand for good."""
    town.remember(MONDAY - 2 * DAY_NS, MONDAY - 2 * DAY_NS + 26 * HOUR_NS, ("agra", "meerut", "unnao"))
    town.play(60)
    agra = town.verdict("agra")
    assert agra.known_since_ns is not None, "nobody has read the past yet"
    town.watch.refresh_past(town.now_ns)
    town.play(30)
    again = town.verdict("agra")
    assert again.known_since_ns is None
    assert again.state is agra.state
    assert town.verdict("ballia").known_since_ns is not None
