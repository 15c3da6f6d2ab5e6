"""Putting the picture together from what was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.wall.picture.gatherings import failing, gatherings, rehearsed, today_and_tomorrow
from dashboards.wall.picture.incidents import incidents
from dashboards.wall.picture.model import Degraded, Held, Picture, Pulse
from dashboards.wall.picture.reasons import why
from dashboards.wall.picture.tiles import Known, next_verdicts, presence_of, tile
from dashboards.wall.picture.times import meeting_key, ms
from telemetry.windows import SECOND_NS, SILENT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.config import Config
    from dashboards.wall.live.recent import Recent
    from dashboards.wall.picture.model import Track
    from dashboards.wall.sources import Failures
    from telemetry.access import IncidentMark
    from telemetry.alerting import Alert
    from telemetry.control import Presence
    from telemetry.decisions import Flag, Incident, Outcome, Verdict
    from telemetry.rehearsing import RehearsalRecord
    from telemetry.state.held_back import HeldBack


@dataclass(frozen=True, slots=True)
class Decided:
    """What the state database said when it was last read."""

    verdicts: Sequence[Verdict] = ()
    outcomes: Sequence[Outcome] = ()
    """Of the meetings of today and tomorrow, as the verdicts."""
    flags: Sequence[Flag] = ()
    incidents: Sequence[Incident] = ()
    alerts: Sequence[Alert] = ()
    """Those that are open."""
    marks: Sequence[IncidentMark] = ()
    """Who has taken up one of the incidents."""
    rehearsal: RehearsalRecord | None = None
    """The one that waits or is going on."""
    presence: Mapping[tuple[str, str], Presence] = field(default_factory=dict)
    pulses: Mapping[str, int] = field(default_factory=dict)
    """Role to the time (ns) of its last beat."""
    track: Track | None = None
    held: HeldBack | None = None
    failed: Failures = field(default_factory=dict)
    """Who has failed a meeting that runs; reckoned from the store, not read."""


@dataclass(frozen=True, slots=True)
class Troubles:
    """What stands in the way of a whole and fresh picture; empty where nothing does."""

    reading: str = ""
    """Why the databases cannot be read."""
    refused: str = ""
    """What is wrong with a changed file."""


_NONE = Troubles()


def compose(
    config: Config, decided: Decided, recent: Recent, now_ns: int, troubles: Troubles = _NONE
) -> Picture:
    """The picture as of `now_ns`."""
    sites = config.registry.by_id
    start_ns, end_ns = today_and_tomorrow(now_ns, config.settings.deployment.timezone)
    occurrences = config.calendar.occurrences(start_ns, end_ns)
    meetings = gatherings(occurrences, decided.verdicts, sites, now_ns, decided.outcomes)
    standing = [v for v in decided.verdicts if meeting_key(v.meeting, v.occurrence_ns) in meetings]
    rehearsed(meetings, decided.rehearsal)
    failing(meetings, decided.failed, now_ns)
    nearest = next_verdicts(standing, now_ns)
    presence = presence_of(decided.presence)
    flagged = _by_site(decided.flags)
    dark_after_ns = int(config.settings.watch.dark_after_s * SECOND_NS)
    silent_before_ns = now_ns - min(dark_after_ns, SILENT_NS)
    return Picture(
        tiles={
            site.id: tile(
                site,
                Known(nearest.get(site.id), flagged.get(site.id, ()), presence.get(site.id)),
                recent,
                silent_before_ns,
            )
            for site in config.registry.sites
        },
        meetings=meetings,
        flags={_flag_key(flag): _degraded(flag) for flag in decided.flags if flag.site in sites},
        incidents=incidents(decided.incidents, decided.alerts, decided.marks, sites),
        pulses={role: Pulse(role=role, at_ms=ms(at_ns)) for role, at_ns in decided.pulses.items()},
        track=decided.track,
        held=None if decided.held is None else Held(n=decided.held.count, since_ms=ms(decided.held.since_ns)),
        trouble=troubles.reading,
        refused=troubles.refused,
    )


def _by_site(flags: Sequence[Flag]) -> dict[str, list[Flag]]:
    grouped: dict[str, list[Flag]] = {}
    for flag in flags:
        grouped.setdefault(flag.site, []).append(flag)
    return grouped


def _flag_key(flag: Flag) -> str:
    return f"{flag.site} {flag.path} {flag.reason.code}"


def _degraded(flag: Flag) -> Degraded:
    return Degraded(
        site=flag.site,
        path=flag.path,
        why=why(flag.reason),
        since_ms=ms(flag.since_ns),
        severe=flag.severe,
    )
