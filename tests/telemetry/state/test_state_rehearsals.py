"""Rehearsals in the state database: one at a time, asked once, and no word of an office is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from telemetry.rehearsing import (
    OfficeProgress,
    OfficeState,
    RehearsalRecord,
    RehearsalRequest,
    RehearsalState,
)
from telemetry.state.db import StateDb
from telemetry.state.rehearsals import Asked

if TYPE_CHECKING:
    from pathlib import Path


def request(number: int, key: str = "") -> RehearsalRequest:
    return RehearsalRequest(
        id=f"r{number}", key=key or f"k{number}", meeting="m@x", recurrence_ns=7, who="asha", asked_ns=number
    )


def with_office(state: StateDb, number: int = 1) -> RehearsalRecord:
    state.ask_rehearsal(request(number))
    office = OfficeProgress(site="agra", probe="p1", stage=2, command="c1")
    record = RehearsalRecord(
        request=request(number), state=RehearsalState.RUNNING, begun_ns=2, offices=(office,)
    )
    state.put_rehearsal(record)
    return record


def test_asked_twice_with_one_key_it_is_one_rehearsal(tmp_path: Path) -> None:
    """Somebody who presses the button twice starts one."""
    state = StateDb(tmp_path / "s.db")
    assert state.ask_rehearsal(request(1, "k")) == (Asked.NEW, "r1")
    assert state.ask_rehearsal(request(2, "k")) == (Asked.SAME, "r1")
    assert [one.request.id for one in state.rehearsals(9)] == ["r1"]


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second one is not begun while the first goes on, also when another process asks."""
    state, other = StateDb(tmp_path / "s.db"), StateDb(tmp_path / "s.db")
    record = with_office(state)
    assert other.ask_rehearsal(request(2)) == (Asked.BUSY, "r1")
    state.put_rehearsal(structs.replace(record, state=RehearsalState.DONE, ended_ns=9))
    assert state.open_rehearsal() is None
    assert other.ask_rehearsal(request(2)) == (Asked.NEW, "r2")


def test_what_an_office_says_only_goes_forward(tmp_path: Path) -> None:
    """A repeated or late answer changes nothing, and after the last word there is none."""
    state = StateDb(tmp_path / "s.db")
    with_office(state)
    said = OfficeProgress(
        site="forged", probe="x", state=OfficeState.RUNNING, rung="audio", step=2, command="c9"
    )
    assert state.note_rehearsing("r1", "agra", "p1", said)
    assert not state.note_rehearsing("r1", "agra", "p1", structs.replace(said, rung="older", step=1))
    assert not state.note_rehearsing("r1", "jhansi", "p1", said)
    assert not state.note_rehearsing("r1", "agra", "p2", structs.replace(said, step=8)), (
        "another probe of the office"
    )
    assert state.note_rehearsing(
        "r1", "agra", "p1", structs.replace(said, state=OfficeState.HELD, rung_up="audio", step=3)
    )
    assert not state.note_rehearsing(
        "r1", "agra", "p1", structs.replace(said, state=OfficeState.RUNNING, step=9)
    )
    (office,) = state.rehearsal("r1").offices  # type: ignore[union-attr]
    assert (office.site, office.probe, office.stage, office.command) == ("agra", "p1", 2, "c1")
    assert (office.state, office.rung_up) == (OfficeState.HELD, "audio")


def test_a_stop_outlives_what_the_collector_writes(tmp_path: Path) -> None:
    """The collector's record, written meanwhile, does not undo a person's stop."""
    state = StateDb(tmp_path / "s.db")
    record = with_office(state)
    assert state.stop_rehearsal("r1", 5)
    state.put_rehearsal(record)
    found = state.open_rehearsal()
    assert found is not None
    assert found.stop_ns == 5
    state.put_rehearsal(structs.replace(record, state=RehearsalState.ABORTED, ended_ns=6))
    assert not state.stop_rehearsal("r1", 7)
    state.put_rehearsal(structs.replace(record, state=RehearsalState.DONE, ended_ns=9))
    ended = state.rehearsals_of("m@x", 7)[0]
    assert (ended.state, ended.ended_ns) == (RehearsalState.ABORTED, 6)


def test_the_collectors_older_picture_takes_back_no_newer_word(tmp_path: Path) -> None:
    """The collector writes what it read a moment ago; the office has spoken meanwhile."""
    state = StateDb(tmp_path / "s.db")
    record = with_office(state)
    said = OfficeProgress(site="agra", probe="p1", state=OfficeState.RUNNING, rung="audio", step=1)
    assert state.note_rehearsing("r1", "agra", "p1", said)
    state.put_rehearsal(record)
    (office,) = state.rehearsal("r1").offices  # type: ignore[union-attr]
    assert office.rung == "audio"


def test_the_last_rehearsal_of_each_office(tmp_path: Path) -> None:
    """The newest that told something of an office: what was refused, not heard, or never began hides no older one."""
    state = StateDb(tmp_path / "s.db")
    rungs = ("audio", "video")
    agra = OfficeProgress(
        site="agra",
        probe="p1",
        stage=1,
        state=OfficeState.BROKE,
        rung_up="audio",
        rung_down="video",
        why="up loss",
    )
    etah = structs.replace(agra, site="etah", state=OfficeState.HELD, rung_up="video", why="")
    refused = structs.replace(agra, state=OfficeState.REFUSED, why="meeting")
    for number, offices in enumerate([(agra, etah), (refused, structs.replace(etah, rung_up="audio"))], 1):
        asked = structs.replace(request(number), asked_ns=number)
        assert state.ask_rehearsal(asked)[0] is Asked.NEW
        record = RehearsalRecord(request=asked, rungs=rungs, starts_ns=(100 * number,), offices=offices)
        state.put_rehearsal(record)
        state.put_rehearsal(structs.replace(record, state=RehearsalState.DONE, ended_ns=9))
    last = state.last_rehearsals(["agra", "etah", "mars"], 0)
    assert {site: (one.rehearsal, one.start_ns, one.rung_up) for site, one in last.items()} == {
        "agra": ("r1", 100, "audio"),
        "etah": ("r2", 200, "audio"),
    }
    assert (last["agra"].rung_down, last["agra"].why, last["agra"].rungs) == ("video", "up loss", rungs)
    assert state.last_rehearsals(["agra"], 2) == {}
    assert [one.request.id for one in state.rehearsals_since(2)] == ["r2"]
