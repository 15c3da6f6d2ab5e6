"""What an office claims may be false, but neither keeps a rehearsal open for ever nor makes its record unreadable."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec import structs

from collector.enrolment.orders import Orders
from collector.mqtt import Sending
from collector.rehearsing.claims import absurdity
from collector.rehearsing.stages import stage_result
from telemetry.clock import ManualClock
from telemetry.control import Command
from telemetry.rehearsing import (
    OfficeProgress,
    OfficeState,
    RehearsalOrder,
    RehearsalRecord,
    RungWanted,
    StageResult,
    new_request,
    said_by,
)
from telemetry.state.commands import CommandRow
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from pathlib import Path


def test_an_office_cannot_say_that_it_waits(tmp_path: Path) -> None:
    """The hub waits for offices that run, by their time; for one that said `waiting` it waited for ever."""
    request = new_request(meeting="all", recurrence_ns=0, who="x", now_ns=1)
    running = OfficeProgress(site="agra", probe="p1", state=OfficeState.RUNNING, stage=1)
    with closing(StateDb(tmp_path / "state.db")) as state:
        state.ask_rehearsal(request)
        state.put_rehearsal(RehearsalRecord(request=request, offices=(running,)))
        waits = structs.replace(running, state=OfficeState.WAITING, step=5)
        assert not state.note_rehearsing(request.id, "agra", "p1", waits)
        assert state.note_rehearsing(request.id, "agra", "p1", structs.replace(running, step=6))


def test_absurd_rates_leave_a_record_that_can_be_read() -> None:
    """Two offices that each claim the most that a field holds: their sum is held too."""
    top = RungWanted(name="audio", up_bps=1e5, down_bps=1e5, frames_per_s=50.0)
    office = OfficeProgress(site="agra", probe="p1", state=OfficeState.HELD, up_bps=1e13, down_bps=1e13)
    result = stage_result(1, 1, [office, office], top)
    assert msgspec.json.decode(msgspec.json.encode(result), type=StageResult) == result


RUNGS = tuple(
    RungWanted(name=name, up_bps=rate, down_bps=2 * rate, frames_per_s=30.0)
    for name, rate in (("audio", 1e5), ("video", 1e6))
)
HELD = OfficeProgress(
    site="agra",
    probe="p1",
    state=OfficeState.HELD,
    rung_up="video",
    rung_down="video",
    up_bps=1.1e6,
    down_bps=2e6,
    step=3,
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"state": OfficeState.RUNNING, "rung": "video", "rung_up": "audio", "rung_down": ""}, ""),
        ({"state": OfficeState.BROKE, "rung_up": "", "rung_down": "audio", "up_bps": None}, ""),
        ({"rung_up": "nonsense"}, "'nonsense'"),
        ({"state": OfficeState.RUNNING, "rung": "nonsense"}, "'nonsense'"),
        ({"rung_down": "audio"}, "not the last rung"),
        ({"rung_up": ""}, "not the last rung"),
        ({"up_bps": 1e12}, "1e+12 bit/s up"),
        ({"state": OfficeState.BROKE, "rung_up": "audio", "down_bps": 3.1e6}, "bit/s down"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_of_the_order(changes: dict[str, Any], said: str) -> None:
    """Rungs that are none, `held` below the top, more than could be sent."""
    order = RehearsalOrder(id="r1", path="main.state", start_ns=1, rung_s=1.0, rungs=RUNGS)
    found = absurdity(order, structs.replace(HELD, **changes))
    assert (said in found, bool(found)) == (True, bool(said))


def test_an_absurd_claim_is_thrown_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted and said, and the office's record stays as it was; one without an order likewise; a true one counts."""
    request = new_request(meeting="all", recurrence_ns=0, who="x", now_ns=1)
    order = RehearsalOrder(id=request.id, path="main.state", start_ns=1, rung_s=1.0, rungs=RUNGS)
    running = OfficeProgress(site="agra", probe="p1", state=OfficeState.RUNNING, stage=1, command="c1")
    command = Command(verb="rehearse", arguments={"order": msgspec.json.encode(order).decode()}, id="c1")
    with closing(StateDb(tmp_path / "state.db")) as state:
        state.ask_rehearsal(request)
        state.put_rehearsal(RehearsalRecord(request=request, offices=(running,)))
        ground: Any = SimpleNamespace(state=state, clock=ManualClock(5))
        orders = Orders(ground, lambda *_: Sending.HELD)

        def says(said: OfficeProgress) -> OfficeProgress:
            answered: Any = SimpleNamespace(site="agra", probe="p1", answer=said_by(request.id, said))
            orders._note_one(answered)
            record = state.rehearsal(request.id)
            assert record is not None
            return record.offices[0]

        assert says(HELD) == running
        state.put_command(CommandRow("c1", "agra", "p1", "x", 1, 9, command))
        assert says(structs.replace(HELD, rung_up="nonsense", up_bps=1e12)) == running
        assert [one.event for one in caplog.records] == ["rehearsal.absurd"] * 2  # type: ignore[attr-defined]
        assert (orders.counters.claims_absurd, orders.counters.told) == (2, 0)
        assert says(HELD).state is OfficeState.HELD
        assert (orders.counters.claims_absurd, orders.counters.told) == (2, 1)
