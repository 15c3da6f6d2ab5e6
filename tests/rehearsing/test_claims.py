"""What an office claims may be false, but neither keeps a rehearsal open for ever nor makes its record unreadable."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from collector.rehearsing.stages import stage_result
from telemetry.rehearsing import (
    OfficeProgress,
    OfficeState,
    RehearsalRecord,
    RungWanted,
    StageResult,
    new_request,
)
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
