"""Rehearsals by themselves: so long before each meeting, once, only of the profiles that are named; then as any other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from collector.rehearsing.service import LATE_NS, PLAN, Rehearsals
from config.load import load_config
from telemetry.clock import ManualClock
from telemetry.control import Presence
from telemetry.rehearsing import RehearsalState
from telemetry.state.db import StateDb
from telemetry.windows import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = 1_764_072_000 * SECOND_NS  # 2025-11-25 12:00 UTC
LEAD_NS = 45 * MINUTE_NS
EVENT = """BEGIN:VEVENT
UID:{uid}
SUMMARY:{uid}
DTSTART:20251125T{hour:02}0000Z
DTEND:20251125T{hour:02}3000Z
ATTENDEE:site:agra
X-TATPAR-PROFILE:{profile}
X-TATPAR-END:state
END:VEVENT
"""


class Hub:
    """The leader's duty, its clock and its state."""

    def __init__(self, folder: Path, more: str = "") -> None:
        (folder / "sites.csv").write_text(
            "id,name_en,name_hi,region,lat,lon,status,provider\nagra,Agra,आगरा,braj,27.0,78.0,linked,a\n",
            encoding="utf-8",
        )
        events = EVENT.format(uid="noon", hour=12, profile="video-720p")
        events += EVENT.format(uid="two", hour=14, profile="audio")
        text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\n{events}END:VCALENDAR\n"
        (folder / "meetings").mkdir()
        (folder / "meetings" / "m.ics").write_text(text.replace("\n", "\r\n"), encoding="utf-8")
        (folder / "tatpar.toml").write_text(f"[rehearsal]\nplan_min = 45\n{more}", encoding="utf-8")
        self.clock, self.state = ManualClock(NOON - 3 * LEAD_NS), StateDb(folder / "state.db")
        self.state.set_presence("agra", "p1", Presence(online=True, since_ns=1), 1)
        live = SimpleNamespace(current=load_config(folder / "tatpar.toml"))
        ground: Any = SimpleNamespace(state=self.state, live=live, clock=self.clock)
        self._duty = Rehearsals(ground)

    def look(self, at_ns: int) -> list[str]:
        """A look at a time; the meetings that were ever asked for, newest first."""
        self.clock.advance(at_ns - self.clock.now_ns())
        self._duty._look()
        return [one.request.meeting for one in self.state.rehearsals(9)]

    def over(self) -> None:
        """What goes on has come to its end."""
        record = self.state.open_rehearsal()
        assert record is not None
        ended = structs.replace(record, state=RehearsalState.DONE, ended_ns=self.clock.now_ns())
        self.state.put_rehearsal(ended)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path)
    yield made
    made.state.close()


def test_each_meeting_once_at_its_time(hub: Hub) -> None:
    """Not a second before; by the plan's name; not again when it is over; then the next meeting's."""
    due_ns = NOON - LEAD_NS
    assert hub.look(due_ns - SECOND_NS) == []
    assert hub.look(due_ns) == ["noon"]
    record = hub.state.open_rehearsal()
    assert record is not None
    assert (record.request.who, record.state) == (PLAN, RehearsalState.WAITING)
    hub.look(due_ns + SECOND_NS)
    begun = hub.state.open_rehearsal()
    assert begun is not None
    assert (begun.state, begun.rungs) == (RehearsalState.RUNNING, ("audio", "video-360p", "video-720p"))
    (order,) = hub.state.commands(9)
    assert (order.site, order.command.verb, order.who) == ("agra", "rehearse", PLAN)
    hub.over()
    assert hub.look(due_ns + MINUTE_NS) == ["noon"]
    assert hub.look(due_ns + 120 * MINUTE_NS) == ["two", "noon"]


def test_what_is_too_late_is_left_out(hub: Hub) -> None:
    """A hub that was down at the time: ten minutes later it is not made up for."""
    assert hub.look(NOON - LEAD_NS + LATE_NS) == []
    assert hub.look(NOON + 120 * MINUTE_NS - LEAD_NS) == ["two"]


def test_only_the_profiles_that_are_named(tmp_path: Path) -> None:
    """The audio meeting is rehearsed, the other is not."""
    hub = Hub(tmp_path, 'plan_profiles = ["audio"]\n')
    assert hub.look(NOON - LEAD_NS) == []
    assert hub.look(NOON + 120 * MINUTE_NS - LEAD_NS) == ["two"]
    hub.state.close()
