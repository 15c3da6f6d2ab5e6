"""The hub's part: stages below its capacity, everybody in the same second, nobody during a meeting, no crash loses anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec import structs

from collector.rehearsing.conducting import Answered, Facts, Move, advance, missing_orders
from collector.rehearsing.service import _clock_off_ns
from collector.rehearsing.stage_clock import StageClock
from collector.rehearsing.stages import hub_result, stage_result, stage_size
from config.load import load_config
from telemetry.clock import ManualClock
from telemetry.control import Command
from telemetry.rehearsing import (
    OfficeProgress,
    OfficeState,
    RehearsalOrder,
    RehearsalRecord,
    RehearsalState,
    RungWanted,
    StageResult,
    new_request,
)
from telemetry.state.commands import CommandRow
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config

NOW = 1_764_050_400 * SECOND_NS  # 2025-11-25 06:00 UTC
EVENT = """BEGIN:VEVENT
UID:{uid}
SUMMARY:{uid}
DTSTART:{start}
DTEND:{end}
ATTENDEE:{who}
X-TATPAR-PROFILE:video-720p
X-TATPAR-END:state
END:VEVENT
"""
SITES = [f"site-{n:02d}" for n in range(12)]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Twelve offices; one meeting of all at noon; one office has another one right now."""
    heads = "id,name_en,name_hi,region,lat,lon,status,provider"
    rows = [f"{site},{site},{site},braj,27.0,78.0,linked,provider-a" for site in SITES]
    (tmp_path / "sites.csv").write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    (tmp_path / "meetings").mkdir()
    events = EVENT.format(uid="all", start="20251125T120000Z", end="20251125T130000Z", who="all")
    events += EVENT.format(uid="now", start="20251125T055000Z", end="20251125T063000Z", who="site:site-03")
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\n{events}END:VCALENDAR\n"
    (tmp_path / "meetings" / "all.ics").write_text(text.replace("\n", "\r\n"), encoding="utf-8")
    (tmp_path / "tatpar.toml").write_text("[rehearsal]\nhub_capacity_bps = 10_000_000\n", encoding="utf-8")
    return load_config(tmp_path / "tatpar.toml")


@pytest.fixture
def facts(config: Config) -> Facts:
    online = {site: "p1" for site in SITES if site != "site-05"}
    return Facts(NOW, config, online, lambda _: Answered(ok=True, detail="", at_ns=NOW))


@pytest.fixture
def asked(config: Config) -> RehearsalRecord:
    (one,) = [o for o in config.calendar.occurrences(NOW, NOW + DAY_NS) if o.meeting.uid == "all"]
    request = new_request(meeting="all", recurrence_ns=one.recurrence_ns, who="asha", now_ns=NOW)
    return RehearsalRecord(request=request)


def played(record: RehearsalRecord, broken: set[str] = frozenset()) -> RehearsalRecord:  # type: ignore[assignment]
    """All who run have said their last word."""

    def over(one: OfficeProgress) -> OfficeProgress:
        if one.state is not OfficeState.RUNNING:
            return one
        broke = one.site in broken
        rung = "video-360p" if broke else "video-720p"
        return structs.replace(
            one, state=OfficeState.BROKE if broke else OfficeState.HELD, step=9, rung_up=rung,
            rung_down="video-720p", up_bps=5e5 if broke else 1.2e6, down_bps=1.2e6,
        )  # fmt: skip

    return structs.replace(record, offices=tuple(over(one) for one in record.offices))


def by_state(record: RehearsalRecord) -> dict[OfficeState, list[str]]:
    return {
        state: [one.site for one in record.offices if one.state is state]
        for state in OfficeState
        if any(one.state is state for one in record.offices)
    }


def test_in_growing_stages_at_the_same_second(asked: RehearsalRecord, facts: Facts) -> None:
    """A quarter of the capacity, half, all of it; every office of a stage has the same whole second."""
    move = advance(asked, facts)
    assert len(move.orders) == 2  # 2.5 of 10 Mbit/s at 1.2 each
    orders = [msgspec.json.decode(one.arguments["order"], type=RehearsalOrder) for one in move.orders]
    starts = {order.start_ns for order in orders}
    assert len(starts) == 1
    assert not starts.pop() % SECOND_NS
    assert orders[0].path == "main.state"
    assert [rung.name for rung in orders[0].rungs] == ["audio", "video-360p", "video-720p"]
    sizes = []
    while move.record.state is RehearsalState.RUNNING:
        sizes.append(len(move.orders))
        move = advance(played(move.record), facts)
    assert sizes == [2, 4, 4]
    record = move.record
    assert (record.state, record.ended_ns) == (RehearsalState.DONE, NOW)
    assert record.hub is not None
    assert record.hub.took_up_bps == pytest.approx(4.8e6)
    assert record.hub.common_from is None


def test_not_during_a_meeting_and_not_who_is_not_there(asked: RehearsalRecord, facts: Facts) -> None:
    """The office in a meeting is refused, the one off line is silent; both with the reason, neither is told anything."""
    move = advance(asked, facts)
    why = {one.site: (one.state, one.why) for one in move.record.offices}
    assert why["site-03"] == (OfficeState.REFUSED, "meeting")
    assert why["site-05"] == (OfficeState.SILENT, "off-line")
    assert not {"site-03", "site-05"} & {order.site for order in move.orders}


def test_the_whole_hub_is_refused_during_its_own_meeting(asked: RehearsalRecord, facts: Facts) -> None:
    """Four minutes before the meeting, within the margin, nobody begins."""
    late = replace(facts, now_ns=NOW + 6 * 3600 * SECOND_NS - 240 * SECOND_NS)
    record = advance(asked, late).record
    assert record.state is RehearsalState.DONE
    assert set(by_state(record)) == {OfficeState.REFUSED, OfficeState.SILENT}


def test_no_larger_stage_after_common_trouble(asked: RehearsalRecord, facts: Facts) -> None:
    """Three of four break the same way: the hub is the likelier cause, and the load does not grow."""
    second = advance(played(advance(asked, facts).record), facts)
    broken = {order.site for order in second.orders[:3]}
    third = advance(played(second.record, broken), facts)
    assert third.record.hub is not None
    assert third.record.hub.common_from == 2
    assert third.record.hub.stages[1].broke_up == 3
    assert len(third.orders) == 4


def test_a_stop_reaches_all_who_run(asked: RehearsalRecord, facts: Facts) -> None:
    """They are told, those who wait never begin."""
    running = advance(asked, facts)
    move = advance(structs.replace(running.record, stop_ns=NOW), facts)
    assert {one.site for one in move.orders} == {one.site for one in running.orders}
    assert {one.verb for one in move.orders} == {"rehearse-stop"}
    assert move.record.state is RehearsalState.ABORTED
    assert all(one.state.is_over for one in move.record.offices)


def test_refusals_wrong_clocks_and_silence(asked: RehearsalRecord, facts: Facts) -> None:
    """A refusal is the office's word; a clock that is off is stopped; no answer is silence."""
    running = advance(asked, facts)
    first, second = running.orders
    said = {
        first.id: Answered(ok=False, detail="live-call", at_ns=NOW),
        second.id: Answered(ok=False, detail="clock 7.0 s", at_ns=NOW),
    }
    move = advance(running.record, replace(facts, answered=said.get))
    why = {one.site: (one.state, one.why) for one in move.record.offices}
    assert why[first.site] == (OfficeState.REFUSED, "live-call")
    assert why[second.site] == (OfficeState.REFUSED, "clock 7.0 s")
    assert [one.site for one in move.orders if one.verb == "rehearse-stop"] == [second.site]
    quiet = replace(facts, now_ns=NOW + 3600 * SECOND_NS)
    silent = advance(running.record, quiet).record
    assert [one.why for one in silent.offices if one.stage == 1] == ["no-answer", "no-answer"]


@pytest.mark.parametrize("hours", [1, -1])
def test_a_hub_whose_clock_is_set_waits_as_long_as_it_would_have(
    asked: RehearsalRecord, facts: Facts, hours: int
) -> None:
    """No office is given up early or waited for by the hour; the next stage starts by the clock as it is then."""
    clock = ManualClock(NOW)
    stage = StageClock(clock)

    def look(record: RehearsalRecord) -> Move:
        now_ns, stage_now_ns = stage.both_ns(record)
        move = advance(record, replace(facts, now_ns=now_ns, stage_now_ns=stage_now_ns))
        stage.moved(move.record)
        return move

    running = look(asked).record
    clock.step(hours * 3600 * SECOND_NS)
    clock.advance(10 * SECOND_NS)
    assert look(running).record == running, "nothing has happened"
    over = look(played(running)).record
    assert over.hub is not None
    assert over.hub.took_up_bps == pytest.approx(2 * 1.2e6)
    assert over.starts_ns[1] == NOW + (hours * 3600 + 16) * SECOND_NS
    clock.advance(300 * SECOND_NS)
    silent = look(over).record
    assert [one.state for one in silent.offices if one.stage == 2] == [OfficeState.SILENT] * 4


@pytest.mark.parametrize(
    ("sent_s", "clock_s", "answered_s", "off_s"),
    [
        (0, 0.1, 0.2, 0.0),
        (0, 7.0, 0.2, 6.8),
        (0, -7.0, 0.2, 7.0),
        (0, -0.1, -3600, 0.0),
        (0, 7.0, -3600, 7.0),
    ],
)
def test_how_far_an_offices_clock_is_off(
    sent_s: float, clock_s: float, answered_s: float, off_s: float
) -> None:
    """Between order and answer it is right, also when ours was set back between them."""
    at = [NOW + round(one * SECOND_NS) for one in (sent_s, clock_s, answered_s)]
    row = CommandRow(
        *("c", "agra", "p1", "asha", at[0], NOW + DAY_NS, Command(verb="rehearse")),
        sent_ns=at[0],
        answered_ns=at[2],
        ok=True,
        detail=f"clock_ns={at[1]}",
    )
    assert _clock_off_ns(row) == pytest.approx(off_s * SECOND_NS)


def test_whoever_takes_over_sends_what_is_missing(asked: RehearsalRecord, facts: Facts) -> None:
    """The orders are in the record before they are sent: after a crash they are the same."""
    move: Move = advance(asked, facts)
    again = msgspec.json.decode(msgspec.json.encode(move.record), type=RehearsalRecord)
    assert missing_orders(again, facts) == list(move.orders)
    assert not missing_orders(again, replace(facts, now_ns=NOW + 60 * SECOND_NS))
    assert advance(again, facts).orders == ()


def test_a_meeting_that_is_not_there_is_refused(asked: RehearsalRecord, facts: Facts) -> None:
    """So is a profile that no one has, and an office that is too much for the hub."""
    other = structs.replace(asked, request=structs.replace(asked.request, meeting="none"))
    assert advance(other, facts).record.why == "no-meeting"
    other = structs.replace(asked, request=structs.replace(asked.request, profile="none"))
    assert advance(other, facts).record.why == "no-profile"
    assert stage_size((), 20e6, 10e6) == 0


def test_what_the_hub_could_take() -> None:
    """Sums of what arrived; offices that were refused or silent are not held against it."""
    top = RungWanted(name="t", up_bps=1e6, down_bps=2e6, frames_per_s=30)
    held = OfficeProgress(
        site="a", probe="p", state=OfficeState.HELD, rung_up="t", rung_down="t", up_bps=1e6, down_bps=2e6
    )
    result = stage_result(1, 5, [held, structs.replace(held, state=OfficeState.SILENT)], top)
    assert (result.wanted_up_bps, result.got_down_bps, result.offices) == (1e6, 2e6, 2)
    assert hub_result([result, StageResult(number=2, start_ns=6, offices=1)]).took_down_bps == 2e6
    assert not any(one for one in [result.broke_up, result.broke_down, result.is_common])
