"""A tile for every office: the worst verdict of the meetings it is in, else that for its next one, or the state of its line when none is near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from config.sites import SiteStatus
from dashboards.wall.picture.model import Shade, Tile
from dashboards.wall.picture.reasons import down_beside, shown, shown_chance, shown_ratio, why
from dashboards.wall.picture.times import meeting_key, ms
from telemetry.decisions import MOVED_LEVELS, Action, ReasonCode, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.sites import Site
    from dashboards.wall.live.recent import Recent
    from telemetry.control import Presence
    from telemetry.decisions import Flag, Reason, Verdict

WORST_FIRST: Final = (
    Shade.DARK,
    Shade.NOT_READY,
    Shade.AT_RISK,
    Shade.UNKNOWN,
    Shade.READY,
    Shade.PLANNED,
)

_SHADES = {
    State.READY: Shade.READY,
    State.AT_RISK: Shade.AT_RISK,
    State.NOT_READY: Shade.NOT_READY,
    State.UNKNOWN: Shade.UNKNOWN,
}


def shade_of(verdict: Verdict) -> Shade:
    """The verdict's word; an office that is not ready because nothing is heard of it is dark."""
    if verdict.state is State.NOT_READY and any(r.code is ReasonCode.DARK for r in verdict.reasons):
        return Shade.DARK
    if any(r.code is ReasonCode.NOT_LINKED for r in verdict.reasons):
        return Shade.PLANNED
    return _SHADES[verdict.state]


def next_verdicts(verdicts: Iterable[Verdict], now_ns: int) -> dict[str, Verdict]:
    """For each site the worst of its verdicts on meetings that run; where none runs, the one on the meeting that comes first."""
    chosen: dict[str, Verdict] = {}
    for verdict in verdicts:
        if verdict.ends_ns <= now_ns:
            continue
        other = chosen.get(verdict.site)
        if other is None or _comes_before(verdict, other, now_ns):
            chosen[verdict.site] = verdict
    return chosen


def _comes_before(one: Verdict, other: Verdict, now_ns: int) -> bool:
    """Whether a tile tells of the one rather than of the other: of what runs before what comes, of the worse before the better."""
    if one.starts_ns <= now_ns and other.starts_ns <= now_ns:
        return _badness(one) < _badness(other)
    return one.starts_ns < other.starts_ns


def _badness(verdict: Verdict) -> tuple[int, float, int, str]:
    chance = -1.0 if verdict.probability is None else verdict.probability
    return WORST_FIRST.index(shade_of(verdict)), chance, verdict.starts_ns, verdict.meeting


def presence_of(presence: Mapping[tuple[str, str], Presence]) -> dict[str, Presence]:
    """One presence a site: online when any of its probes is; among equals the latest word."""
    chosen: dict[str, Presence] = {}
    for (site, _probe), said in presence.items():
        other = chosen.get(site)
        if other is None or (said.online, said.since_ns) > (other.online, other.since_ns):
            chosen[site] = said
    return chosen


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about one site beside its windows."""

    verdict: Verdict | None = None
    flags: Sequence[Flag] = ()
    presence: Presence | None = None


def tile(site: Site, known: Known, recent: Recent, silent_before_ns: int) -> Tile:
    """The tile of one site; its line is silent when nothing came since `silent_before_ns`."""
    verdict, flags, presence = known.verdict, known.flags, known.presence
    if site.status is not SiteStatus.LINKED:
        return Tile(shade=Shade.PLANNED)
    newest_ns = recent.newest_ns(site.id)
    path = _path(site.id, verdict, flags, recent)
    loss, rtt = _sparkline(recent, site.id, path)
    silent = newest_ns is None or newest_ns < silent_before_ns
    reason = _reason(verdict, flags)
    return Tile(
        shade=_line_shade(flags, presence, silent=silent) if verdict is None else shade_of(verdict),
        probability=None if verdict is None else shown_chance(verdict.probability),
        why=None if reason is None else why(reason),
        down=None if verdict is None else down_beside(verdict.reasons),
        action="" if verdict is None or verdict.action is Action.NONE else verdict.action.value,
        best="" if verdict is None else verdict.best_profile,
        path=path,
        meeting="" if verdict is None else meeting_key(verdict.meeting, verdict.occurrence_ns),
        online=None if presence is None else presence.online,
        presence_ms=None if presence is None else ms(presence.since_ns),
        newest_ms=None if newest_ns is None else ms(newest_ns),
        flags=len(flags),
        loss=loss,
        rtt=rtt,
    )


def _line_shade(flags: Sequence[Flag], presence: Presence | None, *, silent: bool) -> Shade:
    """Without a meeting in sight: what the line itself says."""
    if any(flag.reason.code is ReasonCode.DARK for flag in flags):
        return Shade.DARK
    if silent:
        return Shade.DARK if presence is not None and not presence.online else Shade.UNKNOWN
    faults = [flag for flag in flags if flag.reason.code not in MOVED_LEVELS]
    if faults:
        return Shade.NOT_READY if any(flag.severe for flag in faults) else Shade.AT_RISK
    return Shade.READY


def _reason(verdict: Verdict | None, flags: Sequence[Flag]) -> Reason | None:
    if verdict is not None:
        return verdict.reasons[0] if verdict.reasons else None
    worst = max(flags, key=lambda flag: flag.severe, default=None)
    return None if worst is None else worst.reason


def _path(site: str, verdict: Verdict | None, flags: Sequence[Flag], recent: Recent) -> str:
    if verdict is not None and verdict.path:
        return verdict.path
    if flags:
        return flags[0].path
    paths = recent.paths(site)
    return paths[0] if paths else ""


def _sparkline(
    recent: Recent, site: str, path: str
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    drawn = recent.sparkline(site, path) if path else None
    if drawn is None:
        return (), ()
    loss, rtt = drawn.tolist()
    return tuple(shown_ratio(value) for value in loss), tuple(shown(value) for value in rtt)
