"""`tatpar ready --at TIME --or TIME`: what to expect at either time, how many offices hold, and which differ."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import click
import numpy as np

from analytics.ground import Standing
from analytics.lines import Lines
from analytics.readiness import expect
from analytics.verdicts import verdicts
from config.meetings import Meeting, Occurrence
from config.settings_file import timezone_of
from config.text import one_of
from tatpar.columns import table
from tatpar.decided import decided
from tatpar.json_time import as_json as json_text
from tatpar.json_time import rfc3339
from tatpar.options import failed, wrong_input
from tatpar.watching.contact import Contact
from tatpar.watching.current import Current
from tatpar.watching.foreseeing import prepare_tracks
from tatpar.watching.learning import model_in_force
from tatpar.watching.lost_contact import lost_windows
from tatpar.watching.offices import prepare
from tatpar.watching.past import PastReader
from tatpar.watching.ring import RING_WINDOWS, WindowRing
from telemetry.state.errors import StateError
from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader, store_file
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS
from telemetry.words import say, say_reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analytics.ground import Ground
    from config.config import Config
    from telemetry.decisions import Verdict
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import StoreReader

FARTHEST_NS: Final = 14 * DAY_NS
"""The longest lead that the model is fitted for."""
DIFFERS: Final = 0.05
"""Chances that lie so far apart are told."""
DEFAULT_MINUTES: Final = 60.0
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked: one or two times, and what kind of meeting."""

    times: tuple[str, ...]
    uid: str | None
    minutes: float | None
    end: str | None
    profile: str | None


@dataclass(frozen=True, slots=True)
class _Expected:
    """What one time promises: the verdicts by office, and the expected number that hold."""

    occurrence: Occurrence
    verdicts: dict[str, Verdict]
    holding: float

    def count(self, state: Standing) -> int:
        return sum(verdict.state.value == state.name.lower() for verdict in self.verdicts.values())


def answer(config: Config, data_dir: Path, question: Question, language: str, *, as_json: bool) -> None:
    """Work it out and print it."""
    now_ns = time.time_ns()
    occurrences = _occurrences(config, question, now_ns)
    if not store_file(config.settings.store, data_dir).exists():
        wrong_input(f"{data_dir}: no store there; name the folder of a Tatpar with --data")
    try:
        with (
            decided(data_dir) as state,
            closing(open_reader(config.settings.store, data_dir)) as reader,
        ):
            ground = _ground(config, reader, state, occurrences, now_ns)
    except (StoreError, StateError) as error:
        failed(f"tatpar ready: {error}")
    found = [_expected(ground, occurrence) for occurrence in occurrences]
    if as_json:
        click.echo(json_text(_plain(found, ground)))
    else:
        click.echo("\n".join(_lines(config, found, language)))


def _occurrences(config: Config, question: Question, now_ns: int) -> list[Occurrence]:
    settings, meeting = config.settings.meetings, None
    length_ns = round((question.minutes or DEFAULT_MINUTES) * 60 * SECOND_NS)
    if question.uid is not None:
        known = {each.uid: each for each in config.calendar.meetings}
        meeting = known.get(question.uid)
        if meeting is None:
            names = ", ".join(known) or "none"
            wrong_input(f"--meeting: no meeting has the UID {question.uid!r}; write one of: {names}")
        coming = config.calendar.occurrences(now_ns, now_ns + 31 * DAY_NS)
        next_one = next((each for each in coming if each.meeting.uid == meeting.uid), None)
        if next_one is not None and question.minutes is None:
            length_ns = next_one.ends_ns - next_one.starts_ns
    end = question.end or (meeting.end if meeting else settings.default_end)
    profile = question.profile or (meeting.profile if meeting else settings.default_profile)
    if end not in config.headquarters and end not in config.registry.by_id:
        wrong_input(f'--end: there is no headquarters "{end}"; {one_of(end, config.headquarters)}')
    if profile not in config.profiles:
        wrong_input(f'--profile: there is no call profile "{profile}"; {one_of(profile, config.profiles)}')
    invited = meeting.invited if meeting else tuple(config.registry.by_id)
    asked = Meeting(uid=question.uid or "", title="", invited=invited, end=end, profile=profile)
    options = ("--at", "--or")
    starts = [_time(config, name, text, now_ns) for name, text in zip(options, question.times, strict=False)]
    return [
        Occurrence(meeting=asked, recurrence_ns=at_ns, starts_ns=at_ns, ends_ns=at_ns + length_ns)
        for at_ns in starts
    ]


def _time(config: Config, name: str, text: str, now_ns: int) -> int:
    """A time that lies ahead: of the day (the next one), or with its date; local unless it has an offset."""
    zone = timezone_of(config.settings)
    now = datetime.fromtimestamp(now_ns // SECOND_NS, zone)
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        when = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        when += timedelta(days=1) if when <= now else timedelta(0)
    else:
        try:
            when = datetime.fromisoformat(text.strip())
        except ValueError:
            wrong_input(f"{name}: {text!r} is no time; write 11:00, or 2026-11-26T11:00")
        when = when if when.tzinfo else when.replace(tzinfo=zone)
    at_ns = int(when.timestamp()) * SECOND_NS
    if not now_ns < at_ns <= now_ns + FARTHEST_NS:
        wrong_input(f"{name}: {text} does not lie within the next 14 days; write a time that does")
    return at_ns


def _ground(
    config: Config, reader: StoreReader, state: StateDb, occurrences: Sequence[Occurrence], now_ns: int
) -> Ground:
    """What the watch would stand on now, worked out beside it; nothing is written."""
    offices = prepare(config, occurrences)
    ring = WindowRing(Lines(offices.sites, offices.usual_paths), now_ns)
    span = Selection(now_ns - RING_WINDOWS * WINDOW_NS, now_ns)
    ring.take(reader.streams(span, histograms=False), now_ns)
    current = Current(offices, ring, state, Contact(now_ns))
    pasts = PastReader(
        reader,
        lambda sites, hours: lost_windows(state, sites, hours),
        lambda done, of: click.echo(f"history of {done} of {of} offices read", err=True),
    )
    past = pasts.load(current.shape(), now_ns)
    current.see(now_ns)
    ahead_ns = max(each.ends_ns for each in occurrences)
    prepared = prepare_tracks(past, offices, state, now_ns, until_ns=ahead_ns)
    return current.ground(past, prepared, model_in_force(state), now_ns)


def _expected(ground: Ground, occurrence: Occurrence) -> _Expected:
    """Of the linked offices that are invited. A dark office without a number is expected to fail."""
    place, expectation = ground.lines.site_index, expect(ground, occurrence)
    rows = [place[s] for s in occurrence.meeting.invited if s in place and ground.linked[place[s]]]
    said = verdicts(ground, occurrence, expectation, rows)
    holding = float(np.nansum(expectation.probability[rows]))
    return _Expected(occurrence, {verdict.site: verdict for verdict in said}, holding)


def _differing(found: Sequence[_Expected]) -> list[str]:
    """Offices whose state or chance differs, the widest apart first."""
    if len(found) < 2:
        return []
    one, two = (each.verdicts for each in found)
    apart = {
        site: abs((one[site].probability or 0.0) - (two[site].probability or 0.0))
        for site in one
        if one[site].state is not two[site].state
        or abs((one[site].probability or 0.0) - (two[site].probability or 0.0)) >= DIFFERS
    }
    return sorted(apart, key=lambda site: (-apart[site], site))


def _plain(found: Sequence[_Expected], ground: Ground) -> dict[str, object]:
    ranked = sorted(found, key=lambda each: -each.holding)
    better = len(found) > 1 and ranked[0].holding - ranked[1].holding >= DIFFERS
    return {
        "as_of": rfc3339(ground.now_ns),
        "model": ground.foresight.name,
        "end": found[0].occurrence.meeting.end,
        "profile": found[0].occurrence.meeting.profile,
        "times": [
            {
                "starts": rfc3339(each.occurrence.starts_ns),
                "ends": rfc3339(each.occurrence.ends_ns),
                "offices": len(each.verdicts),
                "expected_to_hold": round(each.holding, 2),
                **{state.name.lower(): each.count(state) for state in reversed(Standing)},
            }
            for each in found
        ],
        "better": rfc3339(ranked[0].occurrence.starts_ns) if better else None,
        "differs": [
            {
                "site": site,
                "states": [each.verdicts[site].state.value for each in found],
                "chances": [each.verdicts[site].probability for each in found],
            }
            for site in _differing(found)
        ],
    }


def _lines(config: Config, found: Sequence[_Expected], language: str) -> list[str]:
    zone = timezone_of(config.settings)
    when = [say(language, "table.when", zone=zone, at=each.occurrence.starts_ns) for each in found]
    out = [
        say(
            language, "table.time", zone=zone, when=text, until=each.occurrence.ends_ns,
            expected=f"{each.holding:.1f}", offices=len(each.verdicts), ready=each.count(Standing.READY),
            at_risk=each.count(Standing.AT_RISK), not_ready=each.count(Standing.NOT_READY),
            unknown=each.count(Standing.UNKNOWN),
        )
        for text, each in zip(when, found, strict=True)
    ]  # fmt: skip
    if len(found) < 2:
        return out
    best = max(range(len(found)), key=lambda index: found[index].holding)
    more = found[best].holding - found[1 - best].holding
    if more < DIFFERS:
        out.append(say(language, "table.same"))
    else:
        out.append(say(language, "table.better", when=when[best], more=f"{more:.1f}"))
    sites = _differing(found)
    if sites:
        head = [say(language, "table.office"), *when, say(language, "table.why")]
        rows = [_row(config, found, site, language) for site in sites]
        out += ["", say(language, "table.differs"), *table(head, rows)]
    return out


def _row(config: Config, found: Sequence[_Expected], site: str, language: str) -> list[str]:
    both = [each.verdicts[site] for each in found]
    worse = min(both, key=lambda verdict: verdict.probability or 0.0)
    chances = [
        say(language, f"state.{verdict.state.value}")
        if verdict.probability is None
        else say(language, "backtest.share", share=verdict.probability)
        for verdict in both
    ]
    zone = timezone_of(config.settings)
    why = say_reason(language, worse.reasons[0], zone=zone) if worse.reasons else ""
    return [config.registry.by_id[site].name(language), *chances, why]
