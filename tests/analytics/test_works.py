"""Works and holidays at an office that is ready all the same: told, and no more than that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from analytics.readiness import expect
from analytics.works import touches
from tatpar.watching.spoken import Spoken
from telemetry.decisions import Action, ReasonCode, State
from tests.analytics.one_office import broken, verdict_of

if TYPE_CHECKING:
    from conftest import Bench

HOUR = 3600.0


def test_works_are_told_of_a_ready_office_whose_meeting_they_touch_and_change_nothing_else(
    made: Bench,
) -> None:
    """For as long as they touch it; those that are over before, or begin after, are not told."""
    ground = made.ground(broken(made, lost=0))
    plain = verdict_of(ground, made.occurrence(HOUR))
    assert (plain.state, plain.reasons, plain.action) == (State.READY, (), Action.NONE)
    (track, *_), meeting = ground.foresight.tracks, made.occurrence(HOUR)
    first = (meeting.starts_ns - track.start_ns) // track.slot_ns
    before, after, into = slice(first - 6, first), slice(first + 12, first + 18), slice(first - 6, first + 4)
    for slots, told_s in ((before, 0.0), (after, 0.0), (into, 1200.0)):
        for each in ground.foresight.tracks:
            each.planned[...] = False
            each.planned[:, slots] = True
        fresh = replace(ground, foresight=replace(ground.foresight, _said={}))
        found = verdict_of(fresh, made.occurrence(HOUR))
        assert found.state is State.READY
        assert [reason.value for reason in found.reasons] == ([told_s] if told_s else [])
        assert all(reason.code is ReasonCode.PLANNED for reason in found.reasons)
        assert found.action is (Action.WATCH if told_s else Action.NONE)
        assert touches(fresh, meeting, np.array([0, -1, 0])).tolist() == [bool(told_s), False, bool(told_s)]


def test_works_at_a_ready_office_are_news_when_they_are_announced_and_when_they_are_gone(made: Bench) -> None:
    """Though no number and no state moves."""
    ground, occurrence, spoken = made.ground(broken(made, lost=0)), made.occurrence(HOUR), Spoken()
    invited = structs.replace(occurrence.meeting, invited=ground.lines.sites)
    occurrence = structs.replace(occurrence, meeting=invited)
    found = expect(ground, occurrence)
    assert verdict_of(ground, occurrence, 1).state is State.READY
    assert spoken.news(ground, occurrence, found).tolist() == [0, 1, 2]
    line = len(ground.lines.paths)
    for announced, news in ((False, []), (True, [1]), (True, []), (False, [1])):
        for track in ground.foresight.tracks:
            track.planned[...] = False
            track.planned[line : 2 * line] = announced
        assert spoken.news(ground, occurrence, found).tolist() == news
