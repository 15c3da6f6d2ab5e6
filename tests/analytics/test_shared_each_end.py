"""A fault that begins at one end and grows to all of headquarters: each end has its own beginning, and the evidence stays that which named it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pytest

from analytics.ground import Standing
from analytics.lines import Lines
from analytics.shared.factors import factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import follow
from analytics.shared.opened import recalled
from analytics.shared.sighting import Sighting
from analytics.shared.told import with_shared
from telemetry.decisions import Reason, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.shared.opened import Open
    from telemetry.decisions import Incident

ENDS = ("state", "national")
SITES = tuple(f"s{i:02d}" for i in range(24))
LINES = Lines(SITES, tuple(f"main.{end}" for end in ENDS))
FACTORS = factors(
    LINES, [f"p{i % 4}" for i in range(24)], [f"r{i // 6}" for i in range(24)], np.ones(24, dtype=bool)
)
START = 1_795_392_000 * SECOND_NS
LOOK_S = 15
STATE, NATIONAL = "state", "national"


class Ill(NamedTuple):
    """Lines of some offices to an end, bad from then until then, in seconds after `START`."""

    end: str
    from_s: int
    until_s: int = 10_000
    offices: slice = slice(None)


def seen(spells: Iterable[Ill], now_s: int) -> Sighting:
    since = np.zeros(LINES.shape, dtype=np.int64)
    for one in spells:
        if one.from_s <= now_s < one.until_s:
            since[one.offices, ENDS.index(one.end)] = START + one.from_s * SECOND_NS
    known = np.ones(LINES.shape, dtype=bool)
    return Sighting(known, since > 0, np.zeros_like(known), since)


def looked(spells: Iterable[Ill], until_s: int, opened: tuple[Open, ...] = (), from_s: int = 0) -> Open:
    """The one fault that is open after looks every `LOOK_S` seconds."""
    spells = tuple(spells)
    for now_s in range(from_s, until_s + 1, LOOK_S):
        sighting = seen(spells, now_s)
        found = shared_faults(FACTORS, sighting)
        opened = follow(opened, found, sighting, FACTORS, START + now_s * SECOND_NS).open
    (one,) = opened
    return one


def told(one: Open) -> Incident:
    said = one.incident(SITES)
    assert said is not None
    return said


def reason_at(incident: Incident, end: str, own_s: int, over_s: int | None = None) -> Reason:
    """What leads the verdict of the first office with a meeting at an end, whose line broke at a time (and was well again)."""
    ground = SimpleNamespace(lines=LINES, incidents=(incident,))
    path = f"main.{end}"
    case = SimpleNamespace(
        ground=ground, site=0, path_name=path, standing=Standing.NOT_READY, path=ENDS.index(end)
    )
    until_ns = None if over_s is None else START + over_s * SECOND_NS
    own = Reason(code=ReasonCode.OUTAGE, path=path, since_ns=START + own_s * SECOND_NS, until_ns=until_ns)
    return with_shared(cast("Any", case), [own])[0]


def after_s(at_ns: int | None) -> int:
    assert at_ns is not None
    return (at_ns - START) // SECOND_NS


GREW = (Ill(STATE, 0), Ill(NATIONAL, 960))


def test_an_office_is_told_when_its_own_end_began_to_suffer() -> None:
    """State broke at 05:42, national at 05:58: one fault of headquarters since 05:42, and no meeting at national has suffered since then."""
    incident = told(looked(GREW, 1200))
    assert (str(incident.factor), after_s(incident.since_ns)) == ("headquarters", 0)
    for end, own_s, since_s in ((STATE, 0, 0), (NATIONAL, 960, 960), (NATIONAL, 1100, 960)):
        said = reason_at(incident, end, own_s)
        assert (said.code, after_s(said.since_ns)) == (ReasonCode.SHARED_FAULT, since_s)


def test_what_was_over_at_an_end_before_the_fault_came_there_is_not_of_it() -> None:
    """A break at national at 05:50 that lasted a minute is the office's own, though state was broken then."""
    incident = told(looked(GREW, 1200))
    assert reason_at(incident, NATIONAL, 480, 540).code is ReasonCode.OUTAGE
    assert reason_at(incident, STATE, 480, 540).code is ReasonCode.SHARED_FAULT


def test_an_ends_beginning_stays_when_its_lines_pause_and_break_again() -> None:
    """Flags begin anew then; the fault at that end did not."""
    paused = (Ill(STATE, 0), Ill(NATIONAL, 960, 1200), Ill(NATIONAL, 1230))
    assert after_s(told(looked(paused, 1500)).since_at_ns(NATIONAL)) == 960


def test_few_that_had_trouble_of_their_own_at_an_end_do_not_date_it() -> None:
    """Three offices lost national by themselves, each at its time, all others with the fault at 05:58."""
    few = [Ill(NATIONAL, at_s, offices=slice(one, one + 1)) for one, at_s in ((0, 120), (9, 480), (17, 795))]
    rest = [Ill(NATIONAL, 960, offices=slice(one, one + 1)) for one in range(24) if one not in {0, 9, 17}]
    assert after_s(told(looked((Ill(STATE, 0), *few, *rest), 1200)).since_at_ns(NATIONAL)) == 960


def test_both_ends_at_once_began_with_the_fault() -> None:
    """A window apart is one moment."""
    incident = told(looked((Ill(STATE, 0), Ill(NATIONAL, LOOK_S)), 300))
    assert {one.end: one.since_ns for one in incident.ends} == dict.fromkeys(ENDS, incident.since_ns)


def test_the_ends_beginnings_outlive_a_restart() -> None:
    """They are kept with the incident, and what is seen after it does not date them anew."""
    before = told(looked(GREW, 1200))
    again = (Ill(STATE, 1230), Ill(NATIONAL, 1230))
    after = told(looked(again, 1500, (recalled(before, SITES),), 1230))
    assert (after.id, after.ends) == (before.id, before.ends)
    assert after_s(after.since_at_ns(NATIONAL)) == 960


@pytest.mark.parametrize("more_s", [300, 900])
def test_the_evidence_that_is_kept_is_that_which_named_the_fault(more_s: int) -> None:
    """Five of six offices of a region are cut off, then the sixth, and elsewhere two; at a later and surer look one of the two shows on half of its lines only."""
    hit = slice(0, 6)
    elsewhere = [Ill(end, -3600, offices=slice(one, one + 1)) for one in (10, 20) for end in ENDS]
    first = [Ill(end, 0, offices=slice(0, 5)) for end in ENDS]
    named = looked((*elsewhere, *first), 60)
    assert (str(named.factor), named.evidence.suffer, named.evidence.others_suffer) == ("region:r0", 5, 2)
    spells = (*elsewhere[:3], *(Ill(end, 0, offices=hit) for end in ENDS))
    later = looked(spells, 60 + more_s, (named,), 75)
    assert later.evidence.log_odds > named.evidence.log_odds
    assert (later.evidence.suffer, later.evidence.members) == (6, 6)
    assert (later.evidence.others_suffer, later.evidence.others) == (2, 18)
