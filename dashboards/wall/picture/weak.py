"""The offices that will not hold a meeting that runs or comes next: what must be done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.sites import SiteStatus
from dashboards.wall.picture.model import Shade, Weak
from dashboards.wall.picture.reasons import down_beside, shown_chance, why
from dashboards.wall.picture.tiles import shade_of
from dashboards.wall.picture.times import meeting_key
from telemetry.decisions import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.meetings import Occurrence
    from config.sites import Site
    from telemetry.decisions import Verdict

MOST: Final = 200
"""So many of the worst are told of one meeting; its count says how many there are."""
WORST_FIRST: Final = (Shade.DARK, Shade.NOT_READY, Shade.AT_RISK, Shade.UNKNOWN)


def next_occurrence(occurrences: Iterable[Occurrence], now_ns: int) -> Occurrence | None:
    """The meeting that starts next; when none does, the one that runs."""

    def order(one: Occurrence) -> tuple[int, str]:
        return one.starts_ns, meeting_key(one.meeting.uid, one.recurrence_ns)

    open_ones = [one for one in occurrences if one.ends_ns > now_ns]
    return min((one for one in open_ones if one.starts_ns > now_ns), key=order, default=None) or min(
        open_ones, key=order, default=None
    )


def weak(
    occurrence: Occurrence, verdicts: Mapping[str, Verdict], sites: Mapping[str, Site]
) -> tuple[Weak, ...]:
    """The invited and linked offices that are not ready for it, worst first: state, probability, id."""
    invited = [sites[site] for site in occurrence.meeting.invited if site in sites]
    found = [_weak(site.id, verdicts.get(site.id)) for site in invited if site.status is SiteStatus.LINKED]
    flagged = [one for one in found if one.shade in WORST_FIRST]
    return tuple(sorted(flagged, key=_order)[:MOST])


def _weak(site: str, verdict: Verdict | None) -> Weak:
    if verdict is None:
        return Weak(site=site, shade=Shade.UNKNOWN)
    return Weak(
        site=site,
        shade=shade_of(verdict),
        probability=shown_chance(verdict.probability),
        why=why(verdict.reasons[0]) if verdict.reasons else None,
        down=down_beside(verdict.reasons),
        action="" if verdict.action is Action.NONE else verdict.action.value,
    )


def _order(one: Weak) -> tuple[int, float, str]:
    return WORST_FIRST.index(one.shade), -1.0 if one.probability is None else one.probability, one.site
