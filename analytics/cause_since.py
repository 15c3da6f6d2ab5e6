"""Since when a cause holds that is told as a reason: a line's fault has one beginning, and what joins it later has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.breaches import JOINED_NS, JOINED_WINDOWS, family, past_limit, told_as
from analytics.causes import REASON, Cause, limit_of
from analytics.condition import FILTER_WINDOWS
from analytics.flags import FLAG_WINDOWS

if TYPE_CHECKING:
    from analytics.breaches import Breach
    from analytics.case import Case
    from analytics.outages import Outage


def last_outage(case: Case) -> Outage | None:
    """The line's last outage, when it reached into the windows in which faults are searched; as long as it was, also by what came out of the spool."""
    outages = (case.ground.with_late or case.ground.recent).outages
    if not outages.down[case.site, case.path, -FILTER_WINDOWS:].any():
        return None
    found = outages.of_line(case.site, case.path)
    return found[-1] if found else None


def began(case: Case, down: Outage) -> tuple[int | None, bool]:
    """When an outage began (ns since the Unix epoch), and whether it may have begun before that.

    One that is older than what is remembered began when it was told first. Of one that lasts and that nobody has told, since when the
    line has been broken; of one that is over nothing is said then: what is remembered of it grows shorter with each look.
    """
    if not down.unseen:
        return down.since_ns, False
    line = case.site, case.path
    told = case.ground.told.began(line, (REASON[Cause.OUTAGE],), down.since_ns)
    if told is not None:
        return told.since_ns, told.reason.unseen
    if down.until_ns is not None:
        return None, True
    return int(case.ground.fault_since_ns[case.limit_set, *line]) or None, True


def breach_began(case: Case, cause: Cause, breach: Breach) -> tuple[int | None, bool]:
    """The same of a spell past a limit: one that is older than what is remembered began when it was told first."""
    since_ns = int(case.ground.recent.start_ns[breach.first])
    if not breach.unseen:
        return since_ns, False
    codes = [REASON[each] for each in told_as(cause)]
    told = case.ground.told.began((case.site, case.path), codes, since_ns, JOINED_NS)
    if told is not None:
        return told.since_ns, told.reason.unseen
    return (None if breach.over else since_ns), True


def is_unseen(case: Case, since_ns: int) -> bool:
    """Whether what holds since then (ns since the Unix epoch) was there when the line was looked at first, or again: it may have begun before."""
    line, recent = (case.site, case.path), case.ground.recent
    if case.ground.told.unseen(line, REASON.values(), since_ns):
        return True
    first = int(np.searchsorted(recent.start_ns, since_ns))
    return 0 < first < len(recent.start_ns) and not recent.present[line][first - 1]


def since(case: Case, cause: Cause) -> int:
    """Since when (ns since the Unix epoch) a cause holds: with the line's fault, or from where it joined that.

    After an outage from where it was seen first since; 0 where it is not known.
    """
    since_ns = int(case.ground.fault_since_ns[case.limit_set, case.site, case.path])
    down, recent = last_outage(case), case.ground.recent
    if down is not None and down.until_ns is not None and since_ns < down.until_ns:
        begins, joins = down.last + 1, 0
    else:
        begins = int(np.searchsorted(recent.start_ns, since_ns))
        # Of a fault older than what is remembered a cause that paused may have begun with it: by the rule of its flag.
        joins = JOINED_WINDOWS if begins else FLAG_WINDOWS
    limit, line = limit_of(cause, case.profile.alarm), (case.site, case.path)
    broke = np.logical_or.reduce([past_limit(recent, line, each, limit)[begins:] for each in family(cause)])
    first = int(broke.argmax()) if broke.any() else 0
    began_with_it = not broke.any() or (joins > 0 and first <= joins)
    return since_ns if not since_ns or began_with_it else int(recent.start_ns[begins + first])
