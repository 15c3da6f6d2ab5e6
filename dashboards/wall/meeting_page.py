"""One meeting in full: every invited office's verdict, how the forecast moved, and what came true beside what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from config.sites import SiteStatus
from dashboards.wall.picture.gatherings import gathering
from dashboards.wall.picture.model import Gathering, Shade, Why
from dashboards.wall.picture.reasons import shown_chance, why
from dashboards.wall.picture.tiles import WORST_FIRST, shade_of
from dashboards.wall.picture.times import ms
from dashboards.wall.picture.track import JUDGED, Score, favours, score
from dashboards.wall.site_calls import REHEARSED_NS
from dashboards.wall.web.answers import BadRequestError
from telemetry.attendance import attendance
from telemetry.decisions import Action, OutcomeState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.config import Config
    from config.meetings import Occurrence
    from config.sites import Site
    from dashboards.wall.sources import DecisionReader
    from telemetry.decisions import Forecast, Outcome, Verdict
    from telemetry.rehearsing import LastRehearsal

_SURPRISES_FIRST: Final = ("missed", "failed", "false_alarm", "", "unsettled", "excused", "held")


class Foreseen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A forecast as it was issued."""

    horizon: str
    issued_ms: int
    shade: Shade
    probability: float | None = None


class Rehearsed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an office's newest rehearsal came to: the highest call profile that each way held, and what broke."""

    at_ms: int
    up: str = ""
    down: str = ""
    why: str = ""


class Invited(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One invited office."""

    site: str
    shade: Shade
    probability: float | None = None
    why: tuple[Why, ...] = ()
    action: str = ""
    best: str = ""
    path: str = ""
    issued_ms: int | None = None
    forecasts: tuple[Foreseen, ...] = ()
    outcome: str = ""
    broken: int | None = None
    windows: int | None = None
    missing: int | None = None
    lost: int | None = None
    """Windows of 15 s in which every packet was lost."""
    unheard: int | None = None
    """Windows of 15 s without data while contact was lost."""
    broken_beside: int | None = None
    """Windows that broke beside those two; None where there was no outage."""
    came: str = ""
    """What was said half an hour before, against what came true: `right`, `missed` or `false_alarm`."""
    rehearsed: Rehearsed | None = None
    """Of the last four weeks; of a meeting that is over, none."""


class MeetingPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The occurrence and its offices: worst first, and once it is settled the surprises before all others."""

    meeting: Gathering
    invited: tuple[Invited, ...]
    score: Score | None = None
    rehearsal: str = ""
    """Id of the last rehearsal; empty: none."""


def meeting_page(
    config: Config, state: DecisionReader, uid: str, recurrence_ns: int, now_ns: int
) -> MeetingPage:
    """Read one occurrence; raises BadRequestError when the calendar has none of that name."""
    occurrence = _find(config, uid, recurrence_ns)
    start_ns = occurrence.starts_ns
    verdicts = {v.site: v for v in state.verdicts(start_ns, start_ns + 1) if _same(v, uid, recurrence_ns)}
    issued = [f for f in state.forecasts(start_ns, start_ns + 1) if _same(f.verdict, uid, recurrence_ns)]
    forecasts: dict[str, list[Forecast]] = {}
    for forecast in issued:
        forecasts.setdefault(forecast.verdict.site, []).append(forecast)
    outcomes = {o.site: o for o in state.outcomes(start_ns, start_ns + 1) if _same(o, uid, recurrence_ns)}
    sites = config.registry.by_id
    rehearsed = (
        {}
        if occurrence.ends_ns < now_ns
        else state.last_rehearsals(occurrence.meeting.invited, now_ns - REHEARSED_NS)
    )
    linked, planned = _by_line(occurrence, sites)
    invited = [
        structs.replace(
            _invited(site, verdicts.get(site), forecasts.get(site, ()), outcomes.get(site)),
            rehearsed=_rehearsed(rehearsed.get(site)),
        )
        for site in attendance(linked, outcomes, forecasts)
    ]
    invited += [Invited(site=site, shade=Shade.PLANNED) for site in planned if site not in outcomes]
    invited.sort(key=_order)
    return MeetingPage(
        meeting=gathering(occurrence, verdicts, sites, outcomes.values()),
        invited=tuple(invited),
        score=score(issued, outcomes.values()),
        rehearsal=next((one.request.id for one in state.rehearsals_of(uid, recurrence_ns)), ""),
    )


def _order(one: Invited) -> tuple[int, int, float]:
    surprise = _SURPRISES_FIRST.index(one.came if one.came in _SURPRISES_FIRST else one.outcome)
    return surprise, WORST_FIRST.index(one.shade), _chance(one)


def _find(config: Config, uid: str, recurrence_ns: int) -> Occurrence:
    occurrence = config.calendar.find(uid, recurrence_ns, near_ns=recurrence_ns)
    if occurrence is None:
        raise BadRequestError(
            f"the calendar has no such meeting: {uid[:80]!r}; it may have been cancelled, `tatpar meetings` lists them",
            404,
        )
    return occurrence


def _by_line(occurrence: Occurrence, sites: Mapping[str, Site]) -> tuple[list[str], list[str]]:
    """The invited offices that are linked now, and those that are still planned."""
    known = [sites[site] for site in occurrence.meeting.invited if site in sites]
    linked = [site.id for site in known if site.status is SiteStatus.LINKED]
    return linked, [site.id for site in known if site.status is not SiteStatus.LINKED]


def _same(record: Verdict | Outcome, uid: str, recurrence_ns: int) -> bool:
    return record.meeting == uid and record.occurrence_ns == recurrence_ns


def _foreseen(forecasts: Sequence[Forecast]) -> list[Foreseen]:
    return [
        Foreseen(
            horizon=forecast.horizon.value,
            issued_ms=ms(forecast.verdict.issued_ns),
            shade=shade_of(forecast.verdict),
            probability=shown_chance(forecast.verdict.probability),
        )
        for forecast in sorted(forecasts, key=lambda forecast: forecast.verdict.issued_ns)
    ]


def _invited(
    site: str, verdict: Verdict | None, forecasts: Sequence[Forecast], outcome: Outcome | None
) -> Invited:
    expected = Invited(site=site, shade=Shade.UNKNOWN) if verdict is None else _expected(verdict)
    expected = structs.replace(expected, forecasts=tuple(_foreseen(forecasts)))
    if outcome is None:
        return expected
    return structs.replace(
        expected,
        outcome=outcome.state.value,
        broken=outcome.broken,
        windows=outcome.windows,
        missing=outcome.missing or None,
        lost=outcome.lost or None,
        unheard=outcome.unheard or None,
        broken_beside=outcome.rest[0] if outcome.lost or outcome.unheard else None,
        came=_came(forecasts, outcome),
    )


def _rehearsed(last: LastRehearsal | None) -> Rehearsed | None:
    if last is None:
        return None
    return Rehearsed(at_ms=ms(last.start_ns), up=last.rung_up, down=last.rung_down, why=last.why)


def _came(forecasts: Sequence[Forecast], outcome: Outcome) -> str:
    """The judged forecast against the outcome; empty while it is not settled, or when nothing was said."""
    judged = next((f.verdict for f in forecasts if f.horizon is JUDGED), None)
    said = None if judged is None else favours(judged)
    if said is None or outcome.state not in {OutcomeState.HELD, OutcomeState.FAILED}:
        return ""
    held = outcome.state is OutcomeState.HELD
    if said == held:
        return "right"
    return "missed" if said else "false_alarm"


def _expected(verdict: Verdict) -> Invited:
    return Invited(
        site=verdict.site,
        shade=shade_of(verdict),
        probability=shown_chance(verdict.probability),
        why=tuple(why(reason) for reason in verdict.reasons),
        action="" if verdict.action is Action.NONE else verdict.action.value,
        best=verdict.best_profile,
        path=verdict.path,
        issued_ms=ms(verdict.issued_ns),
    )


def _chance(invited: Invited) -> float:
    return 1.0 if invited.probability is None else invited.probability
