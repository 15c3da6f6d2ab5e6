"""A rehearsal as people at a terminal read it, in Hindi or English, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from config.settings_file import timezone_of
from tatpar.terminal.columns import table
from tatpar.terminal.json_time import rfc3339
from tatpar.terminal.listed import listed
from telemetry.rehearsing import OfficeState
from telemetry.words import say
from telemetry.words.format import rate, short_moment
from telemetry.words.rehearsals import BETWEEN, say_rehearsal_why

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.config import Config
    from telemetry.rehearsing import HubResult, OfficeProgress, RehearsalRecord, RehearsalState, StageResult

_NONE = "–"
_OFFICE = ("office", "stage", "state", "held_up", "held_down", "up", "down", "why")
_STAGE = ("stage", "offices", "up", "down", "common")
_LIST = ("asked", "meeting", "by", "state", "held", "why")


def progress_line(record: RehearsalRecord, language: str) -> str:
    """How far it is, in one line."""
    counts = {state: sum(one.state is state for one in record.offices) for state in OfficeState}
    parts = [f"{count} {_office_state(language, state)}" for state, count in counts.items() if count]
    running = sorted({one.rung for one in record.offices if one.state is OfficeState.RUNNING and one.rung})
    stage = len(record.starts_ns)
    what = f"{say(language, 'rehearsal.col_stage')} {stage}" if stage else _state(language, record.state)
    said = [what, ", ".join(parts), ", ".join(running)]
    return " · ".join(part for part in said if part)


def report_lines(record: RehearsalRecord, config: Config, language: str) -> list[str]:
    """Each office, then each stage, then the hub."""
    offices = sorted(record.offices, key=lambda one: one.stage)
    lines = table(_heads(language, _OFFICE), [_row(one, config, language) for one in offices])
    hub = record.hub
    return lines if hub is None or not hub.stages else [*lines, "", *_hub_lines(hub, language)]


def list_lines(records: Iterable[RehearsalRecord], config: Config, language: str) -> list[str]:
    """The last rehearsals, a line each, by local time; where there was none, how to make one."""
    zone = timezone_of(config.settings)
    titles = {meeting.uid: meeting.name(language) for meeting in config.calendar.meetings}
    rows = [
        [
            short_moment(language, one.request.asked_ns, zone),
            one.request.id,
            titles.get(one.request.meeting, one.request.meeting),
            one.request.who,
            _state(language, one.state),
            say(language, "rehearsal.of", got=str(_held(one)), wanted=str(len(one.offices))),
            say_rehearsal_why(language, one.why) or _NONE,
        ]
        for one in records
    ]
    asked, *others = _heads(language, _LIST)
    return listed((asked, "id", *others), rows, language, "rehearsals")


def state_and_why(record: RehearsalRecord, language: str) -> str:
    """How the whole of it ended."""
    why = say_rehearsal_why(language, record.why)
    return ": ".join(part for part in (_state(language, record.state), why) if part)


def plain(record: RehearsalRecord) -> dict[str, object]:
    """As JSON, times in RFC 3339."""
    found: dict[str, object] = msgspec.to_builtins(record)
    for name in ("begun_ns", "stop_ns", "ended_ns"):
        value = getattr(record, name)
        found.pop(name, None)
        found[name.removesuffix("_ns")] = None if value is None else rfc3339(value)
    found.pop("starts_ns", None)
    found["starts"] = [rfc3339(one) for one in record.starts_ns]
    return found


def _row(one: OfficeProgress, config: Config, language: str) -> list[str]:
    site = config.registry.by_id.get(one.site)
    return [
        site.name(language) if site is not None else one.site,
        str(one.stage) if one.stage else _NONE,
        _office_state(language, one.state),
        _profile(one.rung_up, config, language),
        _profile(one.rung_down, config, language),
        _rate(language, one.up_bps),
        _rate(language, one.down_bps),
        BETWEEN.join(said for line in (one.why, one.note) if (said := say_rehearsal_why(language, line)))
        or _NONE,
    ]


def _profile(rung: str, config: Config, language: str) -> str:
    """Its name; the id when the profiles do not hold it any more."""
    found = config.profiles.get(rung)
    return found.name(language) if found is not None else rung or _NONE


def _hub_lines(hub: HubResult, language: str) -> list[str]:
    lines = table(_heads(language, _STAGE), [_stage_row(one, language) for one in hub.stages])
    up, down = _rate(language, hub.took_up_bps), _rate(language, hub.took_down_bps)
    took = [say(language, "rehearsal.hub_took", up=up, down=down)]
    if hub.common_from:
        took.append(say(language, "rehearsal.hub_common", n=hub.common_from))
    return [*lines, "", "; ".join(took)]


def _stage_row(one: StageResult, language: str) -> list[str]:
    pairs = (one.got_up_bps, one.wanted_up_bps), (one.got_down_bps, one.wanted_down_bps)
    rates = [
        say(language, "rehearsal.of", got=_rate(language, got), wanted=_rate(language, wanted))
        for got, wanted in pairs
    ]
    common = say(language, "rehearsal.yes" if one.is_common else "rehearsal.no")
    return [str(one.number), str(one.offices), *rates, common]


def _held(record: RehearsalRecord) -> int:
    return sum(office.state is OfficeState.HELD for office in record.offices)


def _heads(language: str, names: Sequence[str]) -> list[str]:
    return [say(language, f"rehearsal.col_{name}") for name in names]


def _state(language: str, state: RehearsalState) -> str:
    return say(language, f"views.rehearsal_{state.value}")


def _office_state(language: str, state: OfficeState) -> str:
    return say(language, f"views.rehearsed_{state.value}")


def _rate(language: str, bps: float | None) -> str:
    return _NONE if bps is None else rate(language, bps)
