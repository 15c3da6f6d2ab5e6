"""Each probe's plan from the meeting calendar: a low rate always, a high one around the meetings it is invited to.

Pure: configuration and time in, plans out. Plans are computed for the hour that `now_ns` lies in, so that
within an hour they change only when the calendar or the list of sites does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from config.reach import parse_check
from telemetry.control import Busy, Plan, PlannedEnd, PlannedReach, Rate
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from config.calendar import Calendar
    from config.config import Config
    from config.meetings import Occurrence
    from config.settings import Headquarters, Probing
    from config.sites import Site

    Spans = Mapping[str, list[tuple[int, int]]]
    """By end, spans `(from_ns, until_ns)`; end "" is every end."""

AHEAD_NS: Final = 26 * HOUR_NS
"""How far a plan reaches: a day, and time to notice that no new one comes."""
MAX_RATES: Final = 200
"""Spans in one plan; a calendar with more is cut off there, and `valid_until_ns` with it."""


def plan_everyone(config: Config, now_ns: int) -> dict[str, Plan]:
    """The plan of every linked site, by site id."""
    margin_ns = round(config.settings.rehearsal.margin_min * 60 * SECOND_NS)
    from_ns = now_ns - now_ns % HOUR_NS
    until_ns = from_ns + AHEAD_NS
    probing = config.settings.probing
    ends = planned_ends(config.headquarters)
    spans = _spans(config.calendar, (from_ns, until_ns), probing, {end.end for end in ends})
    meetings = meeting_spans(config.calendar, (from_ns - margin_ns, until_ns + margin_ns), margin_ns)
    own_edges = {region.id: region.reach_edges for region in config.settings.regions}
    return {
        site.id: asking(
            site_plan(spans.get(site.id, {}), ends, probing, until_ns, meetings.get(site.id, ())),
            planned_reach(site, own_edges.get(site.region) or config.settings.reach.edges),
            config.settings.reach.every_s,
        )
        for site in config.registry.linked()
    }


def asking(plan: Plan, reach: tuple[PlannedReach, ...], every_s: float) -> Plan:
    """The plan with these questions; without any the same, so that nobody is told anew."""
    return structs.replace(plan, reach=reach, reach_every_s=every_s) if reach else plan


def planned_reach(site: Site, edges: tuple[str, ...]) -> tuple[PlannedReach, ...]:
    """What an office asks after: its room's device, and the meeting platform's edge."""
    room = (PlannedReach(target="room", ask=str(parse_check(text))) for text in site.room_device)
    edge = (PlannedReach(target="edge", ask=str(parse_check(text))) for text in edges)
    return (*room, *edge)


def meeting_spans(
    calendar: Calendar, span_ns: tuple[int, int], margin_ns: int
) -> dict[str, list[tuple[int, int]]]:
    """By site, its meetings within a span, each with a margin on both sides: when it must not rehearse."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for occurrence in _upcoming(calendar, *span_ns):
        for site in occurrence.meeting.invited:
            spans.setdefault(site, []).append(
                (max(0, occurrence.starts_ns - margin_ns), occurrence.ends_ns + margin_ns)
            )
    return {site: merge(own) for site, own in spans.items()}


def planned_ends(headquarters: Mapping[str, Headquarters]) -> tuple[PlannedEnd, ...]:
    """Every headquarters that has a reflector to measure to."""
    return tuple(
        PlannedEnd(end=name, reflectors=place.reflectors)
        for name, place in headquarters.items()
        if place.reflectors
    )


def site_plan(
    spans: Spans,
    ends: tuple[PlannedEnd, ...],
    probing: Probing,
    until_ns: int,
    meetings: Sequence[tuple[int, int]] = (),
) -> Plan:
    """One site's plan from the spans around its meetings; overlapping ones towards one end become one."""
    rates = sorted(
        (
            Rate(from_ns=a, until_ns=b, rate_pps=probing.meeting_pps, end=end)
            for end, own in spans.items()
            for a, b in merge(own)
        ),
        key=lambda rate: (rate.from_ns, rate.end),
    )
    if len(rates) > MAX_RATES:
        until_ns = rates[MAX_RATES].from_ns
    if len(meetings) > MAX_RATES:
        until_ns = min(until_ns, meetings[MAX_RATES][0])
    return Plan(
        valid_until_ns=until_ns,
        base_rate_pps=probing.base_pps,
        dscp=probing.dscp,
        ends=ends,
        rates=tuple(rates[:MAX_RATES]),
        busy=tuple(Busy(from_ns=a, until_ns=b) for a, b in meetings[:MAX_RATES]),
    )


def merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that touch or overlap, joined; in rising order."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def _spans(
    calendar: Calendar, span_ns: tuple[int, int], probing: Probing, ends: Collection[str]
) -> dict[str, dict[str, list[tuple[int, int]]]]:
    """By site and end, from so long before each meeting that the site is invited to through its end.

    A meeting that is connected to none of the measured ends raises the rate towards all of them (end "").
    """
    from_ns, until_ns = span_ns
    lead_ns = round(probing.meeting_lead_min * 60 * SECOND_NS)
    spans: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for occurrence in _upcoming(calendar, from_ns, until_ns + lead_ns):
        span = (max(0, occurrence.starts_ns - lead_ns), occurrence.ends_ns)
        end = occurrence.meeting.end if occurrence.meeting.end in ends else ""
        for site in occurrence.meeting.invited:
            spans.setdefault(site, {}).setdefault(end, []).append(span)
    return spans


def _upcoming(calendar: Calendar, from_ns: int, until_ns: int) -> list[Occurrence]:
    return [o for o in calendar.occurrences(from_ns, until_ns) if o.ends_ns > o.starts_ns]
