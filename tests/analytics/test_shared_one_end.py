"""A fault of one end that is named after headquarters while the other end is ill as well, and after that by its own name again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from analytics.lines import Lines
from analytics.shared.factors import factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import follow
from analytics.shared.membership import look
from analytics.shared.one_end import alone_since
from analytics.shared.sighting import Sighting
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.shared.opened import Open

ENDS = ("state", "national")
LINES = Lines(tuple(f"s{i:02d}" for i in range(24)), tuple(f"main.{end}" for end in ENDS))
FACTORS = factors(
    LINES, [f"p{i % 4}" for i in range(24)], [f"r{i // 6}" for i in range(24)], np.ones(24, dtype=bool)
)
START = 1_795_392_000 * SECOND_NS
LOOK_S = 15
STATE, NATIONAL, WHOLE = "end:state", "end:national", "headquarters"


class Ill(NamedTuple):
    """An end whose lines to all offices are bad, in seconds after `START`; to the first `offices` only."""

    end: str
    from_s: int
    until_s: int
    offices: int = 24


class Story(NamedTuple):
    """What was told of it: the names and when each was given, and its record, in seconds after `START`."""

    names: tuple[tuple[int, str], ...]
    since_s: int
    until_s: int | None


def seen(spells: Iterable[Ill], now_s: int) -> Sighting:
    """A line is bad from its beginning until it is well."""
    since, until = (np.zeros(LINES.shape, dtype=np.int64) for _ in range(2))
    for one in spells:
        if one.from_s <= now_s < one.until_s:
            since[: one.offices, ENDS.index(one.end)] = START + one.from_s * SECOND_NS
            until[: one.offices, ENDS.index(one.end)] = START + now_s * SECOND_NS
    known = np.ones(LINES.shape, dtype=bool)
    return Sighting(known, since > 0, np.zeros_like(known), since, ill_until_ns=until)


def told_of(*spells: Ill, until_s: int) -> list[Story]:
    """Every incident that was told, in the order of its beginning, watched until so many seconds after `START`."""
    opened: tuple[Open, ...] = ()
    last: dict[str, Open] = {}
    names: dict[str, list[tuple[int, str]]] = {}
    over: dict[str, int] = {}
    for now_s in range(0, until_s, LOOK_S):
        sighting = seen(spells, now_s)
        said = follow(opened, shared_faults(FACTORS, sighting), sighting, FACTORS, START + now_s * SECOND_NS)
        opened = said.open
        over |= {one.id: (until_ns - START) // SECOND_NS for one, until_ns in said.ended}
        for one in (one for one in opened if one.told_ns is not None):
            theirs, name = names.setdefault(one.id, []), str(one.factor)
            if not theirs or theirs[-1][1] != name:
                theirs.append((now_s, name))
            last[one.id] = one
    return [
        Story(tuple(names[id_]), (one.since_ns - START) // SECOND_NS, over.get(id_))
        for id_, one in last.items()
    ]


def named(story: Story) -> list[str]:
    return [name for _, name in story.names]


@pytest.mark.parametrize(("from_s", "lasts_s"), [(90, 60), (210, 150), (600, 240)])
def test_after_a_short_trouble_at_the_other_end_it_is_that_of_its_own_again(
    from_s: int, lasts_s: int
) -> None:
    """One incident from first to last, with the times of the end whose fault it is."""
    other = Ill("national", from_s, from_s + lasts_s)
    (one,) = told_of(Ill("state", 0, 2400), other, until_s=2700)
    assert named(one) == [STATE, WHOLE, STATE]
    assert (one.since_s, one.until_s) == (0, 2400 - LOOK_S)
    (_, (ill_s, _), (back_s, _)) = one.names
    assert ill_s <= from_s + LOOK_S
    assert 60 <= back_s - other.until_s <= 90


def test_of_two_that_were_ill_from_the_start_the_one_that_is_left_gives_the_name() -> None:
    """It is dated by the end that is ill, at both of its ends."""
    (one,) = told_of(Ill("state", 0, 1500), Ill("national", 0, 300), until_s=1800)
    assert (named(one), one.since_s, one.until_s) == ([WHOLE, STATE], 0, 1500 - LOOK_S)


def test_what_was_the_other_ends_before_is_no_part_of_its_time() -> None:
    """National fell ill first, and is well again: what is left began with state."""
    (one,) = told_of(Ill("national", 0, 450), Ill("state", 210, 1500), until_s=1800)
    assert (named(one), one.since_s, one.until_s) == ([NATIONAL, WHOLE, STATE], 210, 1500 - LOOK_S)


def test_one_that_is_over_before_it_had_its_name_back_ends_with_its_last_line() -> None:
    """Of headquarters' fault the lines to one end are the last to heal, half a minute after the others."""
    (one,) = told_of(Ill("state", 0, 930), Ill("national", 0, 900), until_s=1200)
    assert (named(one), one.since_s, one.until_s) == ([WHOLE], 0, 930 - LOOK_S)


def test_the_name_does_not_come_and_go_with_an_end_that_does() -> None:
    """National is bad for 90 s of every five minutes: each time that the name went back it waits twice as long to do so again."""
    often = [Ill("national", 300 * number, 300 * number + 90) for number in range(1, 9)]
    (one,) = told_of(Ill("state", 0, 3600), *often, until_s=3900)
    assert named(one) == [STATE, WHOLE, STATE, WHOLE, STATE, WHOLE, STATE]
    waited_s = [
        back_s - often[number].until_s for number, (back_s, _) in zip((0, 1, 7), one.names[2::2], strict=True)
    ]
    assert waited_s == [60, 120, 240]


@pytest.mark.parametrize(("offices", "is_alone"), [(12, False), (11, True)])
def test_an_end_where_half_of_its_offices_still_suffer_is_not_well(offices: int, is_alone: bool) -> None:
    """That nothing is found of it any more does not say that its lines are."""
    both, state = (Ill("state", 0, 2400), Ill("national", 0, 300)), (Ill("state", 0, 2400),)
    opened: tuple[Open, ...] = ()
    for now_s in (0, LOOK_S):
        sighting = seen(both, now_s)
        opened = follow(
            opened, shared_faults(FACTORS, sighting), sighting, FACTORS, START + now_s * SECOND_NS
        ).open
    (whole,), (left,) = opened, shared_faults(FACTORS, seen(state, 300))
    now = look(seen((*state, Ill("national", 0, 2400, offices)), 300), FACTORS, [])
    assert (str(whole.factor), str(left.factor)) == (WHOLE, STATE)
    assert (alone_since(whole, left, now, START) == START) is is_alone
