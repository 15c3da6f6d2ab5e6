"""Rehearsals as the hub keeps them: what was asked for, how far each office is, what the hub could take.

The wall and the command line only write a `RehearsalRequest` and read the `RehearsalRecord`; the leading collector
carries it out.
"""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from telemetry.control import Answer
from telemetry.messages import Bps, Count, Name, PathName, TimeNs

Line = Annotated[str, Meta(max_length=300)]
PLAN_KEYS: Final = "plan/"
"""Begins the keys of what the plan asks for; a person's must not, or it would stand in the place of a planned one."""


class RehearsalState(StrEnum):
    """Where a rehearsal as a whole stands."""

    WAITING = "waiting"
    """Asked for; nobody has taken it up yet."""
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    """It was not begun; `why` says what was against it."""
    ABORTED = "aborted"
    """It was stopped by a person, or broken off."""


class OfficeState(StrEnum):
    """Where one office stands."""

    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"
    """Both directions held the last rung, the meeting's profile."""
    BROKE = "broke"
    """A direction broke at some rung."""
    REFUSED = "refused"
    """The office did not begin: a meeting, a live call, no key, …; `why` says it."""
    ABORTED = "aborted"
    """It began and broke off: a live call, a command, trouble of the probe's own."""
    SILENT = "silent"
    """Nothing was heard of it in time."""

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""
        return self not in {OfficeState.WAITING, OfficeState.RUNNING}


class RehearsalRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody (or the plan) wants a meeting's offices to rehearse."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    key: Annotated[str, Meta(min_length=1, max_length=200)]
    """Asked again with the same key, it is the same rehearsal."""
    meeting: str
    """UID of the meeting."""
    recurrence_ns: int
    """Of its occurrence."""
    who: str
    """Whose wish it is: a person, or `plan`."""
    asked_ns: TimeNs
    sites: tuple[Name, ...] = ()
    """Only these of the invited offices; empty for all of them."""
    profile: str = ""
    """Climb to this call profile; empty for the meeting's own."""


def new_request(  # noqa: PLR0913 - who wants what
    *,
    meeting: str,
    recurrence_ns: int,
    who: str,
    now_ns: int,
    key: str = "",
    sites: tuple[str, ...] = (),
    profile: str = "",
) -> RehearsalRequest:
    """A request with an id of its own, to be handed to `StateDb.ask_rehearsal`; `key` is the caller's, if it may ask twice."""
    number = uuid.uuid4().hex[:16]
    return RehearsalRequest(
        id=number,
        key=key or number,
        meeting=meeting,
        recurrence_ns=recurrence_ns,
        who=who,
        asked_ns=now_ns,
        sites=sites,
        profile=profile,
    )


class OfficeProgress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one office is."""

    site: Name
    probe: Name
    stage: Count = 0
    """Number of the stage that it is in, from 1; 0 while it has none."""
    state: OfficeState = OfficeState.WAITING
    rung: str = ""
    """The rung that it is on (running)."""
    rung_up: str = ""
    """The highest rung that the way up has held; empty for none yet."""
    rung_down: str = ""
    up_bps: Bps | None = None
    """Received on the last rung, IP layer."""
    down_bps: Bps | None = None
    why: Line = ""
    """A line of `telemetry.rehearsal_reasons`."""
    note: Line = ""
    """What is to be known of its figures whether it held or not: `own-clock` or `far-clock`."""
    step: Count = 0
    """Counts what the office has said; an older word never takes the place of a newer."""
    command: str = ""
    """Id of the order that it was given."""


class StageResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hub carried in one stage, on the rung with the most traffic."""

    number: Count
    start_ns: TimeNs
    offices: Count
    wanted_up_bps: Bps = 0.0
    """What all of its offices send on the highest rung."""
    wanted_down_bps: Bps = 0.0
    got_up_bps: Bps = 0.0
    """What arrived, all offices together."""
    got_down_bps: Bps = 0.0
    broke_up: Count = 0
    """Offices whose way up broke."""
    broke_down: Count = 0
    is_common: bool = False
    """So many broke together that the hub, or what all share, is the likelier cause."""


class HubResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hub could take."""

    stages: tuple[StageResult, ...] = ()
    took_up_bps: Bps | None = None
    """The most that arrived at once in a stage."""
    took_down_bps: Bps | None = None
    common_from: Count | None = None
    """The first stage in which loss was common."""


class RehearsalRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rehearsal with all that is known of it; what readers see."""

    request: RehearsalRequest
    state: RehearsalState = RehearsalState.WAITING
    why: Line = ""
    begun_ns: TimeNs | None = None
    stop_ns: TimeNs | None = None
    """When a person asked it to stop."""
    ended_ns: TimeNs | None = None
    path: str = ""
    """The line of every office that is loaded, `<uplink>.<end>`."""
    rungs: tuple[str, ...] = ()
    """Ids of the call profiles, easiest first."""
    rung_s: float = 0.0
    starts_ns: tuple[TimeNs, ...] = ()
    """When each stage begins, at all of its offices in the same second."""
    offices: tuple[OfficeProgress, ...] = ()
    hub: HubResult | None = None


class LastRehearsal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an office's newest rehearsal that began came to."""

    site: Name
    rehearsal: str
    """Its id."""
    start_ns: TimeNs
    """When the office's load began."""
    state: OfficeState
    path: str
    rungs: tuple[str, ...]
    """Call profiles that were to be climbed, easiest first."""
    rung_up: str = ""
    """The highest that the way up held; empty for none."""
    rung_down: str = ""
    why: Line = ""


class RungWanted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of the ladder that an office is to climb: the load of a call profile, and the limits that break it."""

    name: Annotated[str, Meta(min_length=1, max_length=32)]
    """Id of the call profile."""
    up_bps: Annotated[float, Meta(gt=0.0, le=1e9)]
    """IP layer."""
    down_bps: Annotated[float, Meta(gt=0.0, le=1e9)]
    frames_per_s: Annotated[float, Meta(ge=1.0, le=200.0)]
    loss_ratio: float | None = None
    burst_loss_ratio: float | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None


class RehearsalOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one office is told, inside a signed command."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    path: PathName
    start_ns: TimeNs
    """Real time; all offices of a stage have the same."""
    rung_s: Annotated[float, Meta(ge=0.2, le=60.0)]
    rungs: Annotated[tuple[RungWanted, ...], Meta(min_length=1, max_length=8)]
    """Easiest first."""


PREFIX = "rehearsal:"
"""Begins the id of an answer that reports progress: nobody has asked for it, and the probe signs it like every other."""


def said_by(rehearsal_id: str, progress: OfficeProgress) -> Answer:
    """An office's word on how far it is, as it goes to the hub."""
    return Answer(ok=True, id=PREFIX + rehearsal_id, detail=msgspec.json.encode(progress).decode())


def heard_of(answer: Answer) -> tuple[str, OfficeProgress] | None:
    """The rehearsal and the progress that an answer tells of; None when it tells of none."""
    if not answer.id.startswith(PREFIX):
        return None
    try:
        return answer.id.removeprefix(PREFIX), msgspec.json.decode(answer.detail, type=OfficeProgress)
    except msgspec.MsgspecError:
        return None
