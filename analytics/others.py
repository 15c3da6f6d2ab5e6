"""The trouble of others as a reason: what the model's term `peers` stands on, in words.

The term counts what broke of the lines of a group in the last quarter of an hour, beyond a tenth. So the reason names the group that
adds most to it, and from a tenth of its lines on: those that are broken now, else those that were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.condition import SUSPECT
from analytics.forecast.peers import NOW_NS, PEERS_SHARE, TOLD_BY
from analytics.forecast.seen import slots_in
from telemetry.decisions import Factor, FactorKind, Reason, ReasonCode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.case import Case

    Flags = NDArray[np.bool_]

_KIND: Final = {"provider": FactorKind.PROVIDER, "end": FactorKind.END}


class _Others(NamedTuple):
    """All lines (N,), in the track's order: of which the last quarter of an hour tells, which broke in it, and which are broken now."""

    known: Flags
    broke: Flags
    broken: Flags


def others_broken(case: Case) -> list[tuple[float, Reason]]:
    """What the trouble of others costs, and its reason; nothing where it costs nothing, or where less than a tenth of any group broke."""
    cost = float(case.expectation.terms.peers[case.site])
    seen = _seen(case) if cost > 0.0 else None
    if seen is None:
        return []
    groups = {name: them for name in TOLD_BY if (them := _of_group(case, seen, name)).any()}
    told = [name for name, them in groups.items() if seen.broke[them].mean() >= PEERS_SHARE]
    if not told:
        return []
    parts = _parts(case)
    name = max(told, key=lambda each: parts[each])
    return [(cost, _reason(case, seen, name, groups[name]))]


def _seen(case: Case) -> _Others | None:
    """What the model sees of all lines, and the filter of those that are heard; None where no lines have anything in common."""
    ground = case.ground
    quarter = ground.foresight.peers(case.limit_set).quarter
    if quarter is None:
        return None
    share, count = (each[:, 0] for each in quarter)
    lately = share > PEERS_SHARE
    suspect = ground.condition.suspicion[case.limit_set].ravel() >= SUSPECT
    broken = np.where(ground.heard.ravel(), suspect, lately)
    return _Others(count > 0, lately | broken, broken)


def _of_group(case: Case, seen: _Others, name: str) -> Flags:
    """(N,): the lines of other offices that are of the same group as the case's."""
    of = case.track.groups.get(name)
    if of is None or of[case.line] < 0:
        return np.zeros(len(seen.known), dtype=bool)
    office = np.arange(len(seen.known)) // len(case.ground.lines.paths)
    return np.asarray(seen.known & (of == of[case.line]) & (office != case.site))


def _parts(case: Case) -> dict[str, float]:
    """What each group adds to the term (log-odds of failing)."""
    foresight = case.ground.foresight
    line, now_ns = np.array([case.line]), np.array([foresight.now_ns])
    figures = foresight.peers(case.limit_set).now(line, now_ns)
    lead_ns = max(case.rest.starts_ns - foresight.now_ns, 0)
    parts = foresight.model.parts({key: float(figure[0]) for key, figure in figures.items()}, lead_ns)
    return {name: parts[f"peers_{name}"] for name in TOLD_BY}


def _reason(case: Case, seen: _Others, name: str, them: Flags) -> Reason:
    """The share that is broken now; where that is less than a tenth, the share that broke, and until when."""
    lasts = bool(seen.broken[them].mean() >= PEERS_SHARE)
    share = (seen.broken if lasts else seen.broke)[them].mean()
    among = Factor(_KIND[name], _name(case, name))
    return Reason(
        code=ReasonCode.SHARED_FAULT,
        value=round(float(share), 4),
        unit="ratio",
        path=case.path_name,
        until_ns=None if lasts else _until_ns(case, them & seen.broke),
        among=among if among.name else None,
    )


def _name(case: Case, group: str) -> str:
    """Whose lines they are: the provider's name, or the end's."""
    if group == "end":
        return case.path_name.partition(".")[2]
    return case.ground.providers[case.site] if case.ground.providers else ""


def _until_ns(case: Case, lines: Flags) -> int:
    """When the last of some lines was broken last: what was flagged has its time, else as if a slot's broken share had come first."""
    ground, track, newest = case.ground, case.track, case.newest_slot
    slots = np.arange(max(newest - slots_in(track, NOW_NS), 0), newest + 1)
    starts_ns = track.start_ns + slots * track.slot_ns
    starts_ns[-1] = ground.now_ns - track.slot_ns  # the slot that runs holds the last five minutes
    share = np.nan_to_num(track.broke[np.ix_(lines, slots)].astype(np.float64))
    ends_ns = np.where(share > 0.0, starts_ns + (share * track.slot_ns).astype(np.int64), 0)
    flagged_ns = 0 if ground.relapsed_until_ns is None else int(ground.relapsed_until_ns.ravel()[lines].max())
    return min(max(int(ends_ns.max(initial=0)), flagged_ns), ground.now_ns)
