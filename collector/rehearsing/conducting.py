"""One look at a rehearsal: what it is now, and what its offices are to be told. Pure, so that a crash loses nothing.

All that is known stands in the record. A stage's orders are in it before they are sent; whoever takes over sends those
that are missing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from collector.plans import meeting_spans
from collector.rehearsing.rungs import rungs_of
from collector.rehearsing.stages import hub_result, stage_result, stage_size
from telemetry.rehearsal_reasons import WhyNot, is_known
from telemetry.rehearsing import (
    HubResult,
    OfficeProgress,
    OfficeState,
    RehearsalOrder,
    RehearsalState,
)
from telemetry.windows import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.config import Config
    from config.meetings import Occurrence
    from telemetry.rehearsing import RehearsalRecord, RungWanted

AHEAD_NS: Final = 6 * SECOND_NS
"""From a stage's orders to its start: they must be there, and the door have been knocked at."""
SLACK_S: Final = 5.0
"""A rung may take so much longer than its load: the step agreed on, the figures asked for, perhaps a second try."""
HEARD_NS: Final = 20 * SECOND_NS
"""After a stage's time is over its offices have so long to say how it went."""
CLOCK_NS: Final = 2 * SECOND_NS
"""An office whose clock is further off cannot start in the same second."""
REHEARSE: Final = "rehearse"
STOP: Final = "rehearse-stop"


@dataclass(frozen=True, slots=True)
class Order:
    """A command to be sent."""

    id: str
    site: str
    probe: str
    verb: str
    arguments: dict[str, str]
    expires_ns: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What a probe said to a command: whether it obeys, its words, when that was heard."""

    ok: bool
    detail: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the hub knows at a look."""

    now_ns: int
    config: Config
    online: Mapping[str, str]
    """Site -> one of its probes that is on line."""
    answered: Callable[[str], Answered | None]
    """By the id of a command."""
    stage_now_ns: int | None = None
    """Now, by the time of the running stage, which no step of the clock moves; None: as `now_ns`."""

    @property
    def in_stage_ns(self) -> int:
        """What the running stage is waited for by."""
        return self.now_ns if self.stage_now_ns is None else self.stage_now_ns


@dataclass(frozen=True, slots=True)
class Move:
    """The record as it is from now on, and the orders that go with it."""

    record: RehearsalRecord
    orders: tuple[Order, ...] = ()


def advance(record: RehearsalRecord, facts: Facts) -> Move:
    """One look."""
    if record.state is RehearsalState.WAITING:
        return _begun(record, facts)
    if record.stop_ns is not None:
        return _stopped(record, facts)
    before = record
    record = structs.replace(record, offices=tuple(_heard(one, record, facts) for one in record.offices))
    stage = len(record.starts_ns)
    pairs = zip(record.offices, before.offices, strict=True)
    off = [now for now, was in pairs if now.state is not was.state and now.why.startswith(WhyNot.CLOCK)]
    halts = _halts(record, off, facts)
    if any(one.stage == stage and not one.state.is_over for one in record.offices):
        return Move(record, halts)
    move = _next_stage(_with_result(record, stage, facts), facts)
    return Move(move.record, (*halts, *move.orders))


def missing_orders(record: RehearsalRecord, facts: Facts) -> list[Order]:
    """The orders of the running stage, for whoever finds that one was never written down."""
    if not record.starts_ns or facts.in_stage_ns > record.starts_ns[-1]:
        return []
    running = [o for o in record.offices if o.stage == len(record.starts_ns) and o.command]
    ladder = _ladder(record, facts.config)
    path = _path(record, facts.config)
    return [_order(record, one, ladder, path) for one in running] if ladder and path else []


def _begun(record: RehearsalRecord, facts: Facts) -> Move:
    config, request = facts.config, record.request
    occurrence = _occurrence(record, config)
    if occurrence is None:
        return _over(record, facts, RehearsalState.REFUSED, WhyNot.NO_MEETING)
    ladder = _ladder(record, config)
    if not ladder:
        return _over(record, facts, RehearsalState.REFUSED, WhyNot.NO_PROFILE)
    wanted = request.sites or occurrence.meeting.invited
    linked = {site.id for site in config.registry.linked()}
    offices = [
        OfficeProgress(site=site, probe=facts.online.get(site, "p1"))
        if site in facts.online
        else OfficeProgress(site=site, probe="p1", state=OfficeState.SILENT, why=WhyNot.OFF_LINE)
        for site in wanted
        if site in linked
    ]
    if not offices:
        return _over(record, facts, RehearsalState.REFUSED, WhyNot.NO_OFFICES)
    begun = structs.replace(
        record,
        state=RehearsalState.RUNNING,
        begun_ns=facts.now_ns,
        path=_path(record, config),
        rungs=tuple(rung.name for rung in ladder),
        rung_s=config.settings.rehearsal.rung_s,
        offices=tuple(offices),
        hub=HubResult(),
    )
    return _next_stage(begun, facts)


def _next_stage(record: RehearsalRecord, facts: Facts) -> Move:
    """Those who wait and have no meeting, as many as the hub takes; the end when nobody is left."""
    ladder, path = _ladder(record, facts.config), _path(record, facts.config)
    if not ladder or not path:
        return _over(record, facts, RehearsalState.ABORTED, WhyNot.NO_MEETING)
    start_ns = -(-(facts.now_ns + AHEAD_NS) // SECOND_NS) * SECOND_NS
    record = structs.replace(record, offices=_without_meetings(record, facts, start_ns, len(ladder)))
    waiting = [one.site for one in record.offices if one.state is OfficeState.WAITING]
    hub = record.hub or HubResult()
    if not waiting:
        return _over(record, facts, RehearsalState.DONE, "")
    most = max(max(rung.up_bps, rung.down_bps) for rung in ladder)
    size = stage_size(hub.stages, most, facts.config.settings.rehearsal.hub_capacity_bps)
    if not size:
        refused = [
            structs.replace(one, state=OfficeState.REFUSED, why=WhyNot.CAPACITY)
            if one.site in waiting
            else one
            for one in record.offices
        ]
        return _over(
            structs.replace(record, offices=tuple(refused)), facts, RehearsalState.REFUSED, WhyNot.CAPACITY
        )
    chosen = set(waiting[:size])
    number = len(record.starts_ns) + 1
    record = structs.replace(
        record,
        starts_ns=(*record.starts_ns, start_ns),
        offices=tuple(
            structs.replace(one, stage=number, state=OfficeState.RUNNING, command=uuid.uuid4().hex)
            if one.site in chosen
            else one
            for one in record.offices
        ),
    )
    told = tuple(_order(record, one, ladder, path) for one in record.offices if one.site in chosen)
    return Move(record, told)


def _without_meetings(
    record: RehearsalRecord, facts: Facts, start_ns: int, rungs: int
) -> tuple[OfficeProgress, ...]:
    """Offices that have a meeting in the time of the next stage, margins included, are refused."""
    end_ns = start_ns + round(rungs * (record.rung_s + SLACK_S) * SECOND_NS)
    margin_ns = round(facts.config.settings.rehearsal.margin_min * MINUTE_NS)
    around = (facts.now_ns - margin_ns, end_ns + margin_ns)
    meetings = meeting_spans(facts.config.calendar, around, margin_ns)
    return tuple(
        structs.replace(one, state=OfficeState.REFUSED, why=WhyNot.MEETING)
        if one.state is OfficeState.WAITING
        and any(a <= end_ns and start_ns < b for a, b in meetings.get(one.site, ()))
        else one
        for one in record.offices
    )


def _heard(one: OfficeProgress, record: RehearsalRecord, facts: Facts) -> OfficeProgress:
    """What an office's answer to its order, or its silence, says."""
    if one.state is not OfficeState.RUNNING:
        return one
    answer = facts.answered(one.command)
    if answer is not None and not answer.ok:
        return structs.replace(one, state=OfficeState.REFUSED, why=_refusal(answer.detail))
    start_ns = record.starts_ns[one.stage - 1]
    lasting = round(len(record.rungs) * (record.rung_s + SLACK_S) * SECOND_NS)
    if facts.in_stage_ns > start_ns + lasting + HEARD_NS or (
        answer is None and facts.in_stage_ns > start_ns + HEARD_NS
    ):
        return structs.replace(one, state=OfficeState.SILENT, why=WhyNot.NO_ANSWER, rung="")
    return one


def _refusal(said: str) -> str:
    """An office's own words, after a code that we know: an older probe answers that it knows no such command."""
    known = is_known(said.partition(" ")[0])
    return said[:200] if known else f"{WhyNot.NOT_OBEYED} {said}"[:200]


def _with_result(record: RehearsalRecord, stage: int, facts: Facts) -> RehearsalRecord:
    hub = record.hub or HubResult()
    if not stage or len(hub.stages) >= stage:
        return record
    top = _ladder(record, facts.config)[-1:]
    own = [one for one in record.offices if one.stage == stage]
    if not top:
        return record
    result = stage_result(stage, record.starts_ns[-1], own, top[0])
    return structs.replace(record, hub=hub_result((*hub.stages, result)))


def _stopped(record: RehearsalRecord, facts: Facts) -> Move:
    running = [one for one in record.offices if one.state is OfficeState.RUNNING]
    offices = tuple(
        one
        if one.state.is_over
        else structs.replace(one, state=OfficeState.ABORTED, why=WhyNot.STOPPED, rung="")
        for one in record.offices
    )
    over = _over(structs.replace(record, offices=offices), facts, RehearsalState.ABORTED, WhyNot.STOPPED)
    return Move(over.record, _halts(record, running, facts))


def _halts(record: RehearsalRecord, offices: list[OfficeProgress], facts: Facts) -> tuple[Order, ...]:
    """The orders that stop some offices."""
    arguments, until_ns = {"id": record.request.id}, facts.now_ns + 30 * SECOND_NS
    return tuple(Order(uuid.uuid4().hex, one.site, one.probe, STOP, arguments, until_ns) for one in offices)


def _over(record: RehearsalRecord, facts: Facts, state: RehearsalState, why: str) -> Move:
    return Move(structs.replace(record, state=state, why=why, ended_ns=facts.now_ns))


def _order(record: RehearsalRecord, one: OfficeProgress, ladder: tuple[RungWanted, ...], path: str) -> Order:
    start_ns = record.starts_ns[one.stage - 1]
    order = RehearsalOrder(
        id=record.request.id, path=path, start_ns=start_ns, rung_s=record.rung_s, rungs=ladder
    )
    arguments = {"order": msgspec.json.encode(order).decode()}
    return Order(one.command, one.site, one.probe, REHEARSE, arguments, start_ns + 2 * SECOND_NS)


def _occurrence(record: RehearsalRecord, config: Config) -> Occurrence | None:
    request = record.request
    return config.calendar.find(request.meeting, request.recurrence_ns, request.recurrence_ns)


def _ladder(record: RehearsalRecord, config: Config) -> tuple[RungWanted, ...]:
    occurrence = _occurrence(record, config)
    profile = record.request.profile or (occurrence.meeting.profile if occurrence else "")
    return rungs_of(config.profiles, profile) if profile in config.profiles else ()


def _path(record: RehearsalRecord, config: Config) -> str:
    """The line that the meeting will use: to its headquarters, or to the usual one when it connects to an office."""
    occurrence = _occurrence(record, config)
    if occurrence is None:
        return ""
    end = occurrence.meeting.end
    return f"main.{end if end in config.headquarters else config.settings.meetings.default_end}"
