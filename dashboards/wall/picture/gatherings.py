"""The meetings of today and tomorrow with what is expected of their offices."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import structs

from config.sites import SiteStatus
from dashboards.wall.picture.model import Came, Count, Gathering, Shade
from dashboards.wall.picture.reasons import shown, shown_chance, shown_ratio
from dashboards.wall.picture.tiles import shade_of
from dashboards.wall.picture.times import meeting_key, ms, recurrence_name
from dashboards.wall.picture.weak import next_occurrence, weak
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from config.meetings import Occurrence
    from config.sites import Site
    from dashboards.wall.sources import Failures
    from telemetry.decisions import Outcome, Verdict
    from telemetry.rehearsing import RehearsalRecord


def today_and_tomorrow(now_ns: int, timezone: str) -> tuple[int, int]:
    """From the midnight before `now_ns` to the second midnight after it, in the deployment's zone (ns)."""
    zone = ZoneInfo(timezone)
    here = datetime.fromtimestamp(now_ns // SECOND_NS, tz=UTC).astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    later = (midnight.replace(tzinfo=None) + timedelta(days=2)).replace(tzinfo=zone)
    return int(midnight.timestamp()) * SECOND_NS, int(later.timestamp()) * SECOND_NS


def by_occurrence(verdicts: Iterable[Verdict]) -> dict[tuple[str, int], dict[str, Verdict]]:
    """Verdicts by (UID, RECURRENCE-ID) and site."""
    grouped: dict[tuple[str, int], dict[str, Verdict]] = {}
    for verdict in verdicts:
        grouped.setdefault((verdict.meeting, verdict.occurrence_ns), {})[verdict.site] = verdict
    return grouped


def _outcomes_by_occurrence(outcomes: Iterable[Outcome]) -> dict[tuple[str, int], list[Outcome]]:
    grouped: dict[tuple[str, int], list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault((outcome.meeting, outcome.occurrence_ns), []).append(outcome)
    return grouped


def gathering(
    occurrence: Occurrence,
    verdicts: Mapping[str, Verdict],
    sites: Mapping[str, Site],
    outcomes: Collection[Outcome] = (),
) -> Gathering:
    """One occurrence with the count of its verdicts by site, and of its own outcomes where there are any."""
    meeting = occurrence.meeting
    invited = [sites[site] for site in meeting.invited if site in sites]
    shades = Counter(shade_at(site, verdicts.get(site.id)).value for site in invited)
    return Gathering(
        uid=meeting.uid,
        recurrence=recurrence_name(occurrence.recurrence_ns),
        hi=meeting.name("hi"),
        en=meeting.name("en"),
        starts_ms=ms(occurrence.starts_ns),
        ends_ms=ms(occurrence.ends_ns),
        end=meeting.end,
        profile=meeting.profile,
        linked=len(outcomes) or sum(site.status is SiteStatus.LINKED for site in invited),
        count=Count(**shades),
        came=Came(**Counter(one.state.value for one in outcomes)) if outcomes else None,
        stamp=_stamp(verdicts, outcomes),
    )


def gatherings(
    occurrences: Sequence[Occurrence],
    verdicts: Iterable[Verdict],
    sites: Mapping[str, Site],
    now_ns: int,
    outcomes: Iterable[Outcome] = (),
) -> dict[str, Gathering]:
    """All of them by key, in the order of their start; the one that comes next and those that run with their weak offices."""
    grouped, came = by_occurrence(verdicts), _outcomes_by_occurrence(outcomes)
    coming = next_occurrence(occurrences, now_ns)
    made = {}
    for occurrence in occurrences:
        one = occurrence.meeting.uid, occurrence.recurrence_ns
        said = grouped.get(one, {})
        told = gathering(occurrence, said, sites, came.get(one, ()))
        if occurrence is coming or occurrence.starts_ns <= now_ns < occurrence.ends_ns:
            told = structs.replace(told, weak=weak(occurrence, said, sites))
        made[meeting_key(*one)] = told
    return made


def rehearsed(meetings: dict[str, Gathering], rehearsal: RehearsalRecord | None) -> None:
    """Note the rehearsal that is going on with its meeting."""
    if rehearsal is None:
        return
    key = meeting_key(rehearsal.request.meeting, rehearsal.request.recurrence_ns)
    if key in meetings:
        meetings[key] = structs.replace(meetings[key], rehearsal=rehearsal.request.id)


def failing(meetings: dict[str, Gathering], failed: Failures, now_ns: int) -> None:
    """Note with each meeting that runs who has failed it already; of one that is over its outcomes tell."""
    for one, offices in failed.items():
        known = meetings.get(meeting_key(*one))
        if known is None or not offices or not known.starts_ms <= ms(now_ns) < known.ends_ms:
            continue
        shares = {site: shown_ratio(came.broken / came.windows) for site, came in sorted(offices.items())}
        told = {site: share for site, share in shares.items() if share is not None}
        meetings[meeting_key(*one)] = structs.replace(known, failed=told)


def shade_at(site: Site, verdict: Verdict | None) -> Shade:
    """What is said of an office that is invited to a meeting."""
    if site.status is not SiteStatus.LINKED:
        return Shade.PLANNED
    return Shade.UNKNOWN if verdict is None else shade_of(verdict)


def _stamp(verdicts: Mapping[str, Verdict], outcomes: Collection[Outcome]) -> str:
    """A short digest of what a page would show of these verdicts and outcomes."""
    text = ";".join(
        f"{site}={verdict.state}{shown_chance(verdict.probability)}{[(r.code, shown(r.value), r.factor) for r in verdict.reasons]}"
        for site, verdict in sorted(verdicts.items())
    )
    text += "".join(f";{one.site}:{one.state}{one.broken}" for one in outcomes)
    return blake2s(text.encode(), digest_size=6).hexdigest()
