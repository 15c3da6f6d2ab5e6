"""Incidents over time: told after a hold, renamed while the evidence grows, merged, and over when most offices are well again.

Stateless but for what is open: the faults of a moment are found anew each time (`find`), and matched to what is open.

* A fault is told when it has been found for `HOLD_NS`.
* It is the same fault when the factor is the same, or, if that is found no more, as `same` says. Then it keeps its identity; it takes the other factor's
  name when that one is greater, or surer than ever the old one was: the first offices of a provider to fall silent may look like one region's. Offices that do not depend on the
  factor whose name stands are none of its fault: their trouble is their own.
* One that was named after headquarters as a whole is that of one end again when only that is left of it (`one_end`).
* Several that turn out to be one are merged into the oldest; of one that splits the surest part keeps the identity.
* It lasts while it is found, or while half of its offices still suffer, and is over after `CALM_NS` without that; silence of all
  lasts only while nobody is heard. When it was over is said by when its offices suffered last (`ended`).

Who belongs to one that is open is asked apart from whether it is there (`membership`), and so is since when it has been at each end (`each_end`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from msgspec import structs

from analytics.shared.each_end import ends_of
from analytics.shared.ended import over_ns, suffered_until
from analytics.shared.factors import is_part_of
from analytics.shared.late import latecomers
from analytics.shared.membership import belong, known_offices, lines_of, look, telling
from analytics.shared.one_end import alone_since, goes_back, is_end_of
from analytics.shared.opened import Open
from analytics.shared.same import is_better_told, is_told_already, joined, same_as, takes_its_name
from telemetry.decisions import Evidence, FactorKind
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.find import Found
    from analytics.shared.membership import Look
    from analytics.shared.sighting import Sighting

HOLD_NS: Final = 15 * SECOND_NS
CALM_NS: Final = 60 * SECOND_NS
_HALF: Final = 0.5
_LEAST: Final = 2
_MOST_LOG_ODDS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Followed:
    """What is open after a look, and what ended with it (with the time at which it did)."""

    open: tuple[Open, ...]
    ended: tuple[tuple[Open, int], ...]


def follow(
    before: Sequence[Open], found: Sequence[Found], sighting: Sighting, candidates: Factors, now_ns: int
) -> Followed:
    """One look: what was open, what is found now, and what is seen of the lines."""
    names = {each.factor for each in found}
    found = [each for each in joined(found) if not is_better_told(each, before, names)]
    kept, ended = [], []
    matched, left = _matched(found, before)
    seen = look(
        sighting,
        candidates,
        [*found, *(one for one in before if one.told_ns is not None)],
        [each.factor for each, same in matched if same and is_end_of(each.factor, same[0].factor)],
    )
    for number, (each, same) in enumerate(matched):
        if not same:
            kept.append(_dated(_begin(each, now_ns, number), seen))
            continue
        oldest = same[0]
        going_on = _go_on(_dated(oldest, seen), each, seen, now_ns)
        if oldest.told_ns is None and is_told_already(going_on, before):
            going_on = replace(going_on, told_ns=None)
        kept.append(_with_members(going_on, going_on.now, seen))
        ended += [(one, now_ns) for one in same[1:]]
    for one in left:
        one = _dated(one, seen)  # noqa: PLW2901 - the same, a look later
        still = _still(one, seen, now_ns)
        if still is None:
            ended.append((one, _over_ns(one, now_ns)))
        else:
            kept.append(still)
    kept = [replace(one, ends=ends_of(one, seen)) for one in kept]
    return Followed(tuple(sorted(kept, key=lambda one: (one.first_ns, one.id))), tuple(ended))


def _matched(
    found: Sequence[Found], before: Sequence[Open]
) -> tuple[list[tuple[Found, list[Open]]], list[Open]]:
    """Everything found with what it is of `before`, the one whose identity it keeps first; and what is not found any more."""
    out, left, again = [], list(before), {each.factor for each in found}
    for each in found:
        same = sorted(same_as(each, left, again), key=lambda one: (one.told_ns is None, one.first_ns))
        out.append((each, same))
        taken = {one.id for one in same}
        left = [one for one in left if one.id not in taken]
    return out, left


def _begin(each: Found, now_ns: int, number: int) -> Open:
    return Open(
        id=f"{now_ns // SECOND_NS:x}-{number}",
        factor=each.factor,
        since_ns=each.since_ns,
        first_ns=now_ns,
        seen_ns=now_ns,
        ever=each.sites,
        now=each.sites,
        evidence=_evidence(each),
    )


def _go_on(one: Open, each: Found, seen: Look, now_ns: int) -> Open:
    """With what is found now, under the one of both names that holds; only offices that depend on that one are of it."""
    alone_ns = alone_since(one, each, seen, now_ns)
    back = goes_back(one, alone_ns, now_ns)
    surer = back or takes_its_name(one, each, seen.sighting)
    told_ns = one.told_ns
    if told_ns is None and now_ns - one.first_ns >= HOLD_NS:
        told_ns = now_ns
    factor = each.factor if surer else one.factor
    lines = lines_of(factor, seen)
    theirs = lines.any(axis=1)
    late = latecomers(lines, each.sites, each.since_ns, seen.sighting)
    hit = each.sites & (one.ever | ~late.strangers)
    return replace(
        one,
        factor=factor,
        since_ns=_begun(one, each, surer=surer),
        seen_ns=now_ns,
        ever=(one.ever | (hit & ~late.undecided)) & theirs,
        now=hit & theirs,
        evidence=_surer(one, each) if surer else one.evidence,
        told_ns=told_ns,
        calm_ns=None,
        first_end=next((name for name in (factor, one.factor) if name.kind is FactorKind.END), one.first_end),
        alone_ns=None if back else alone_ns,
        went_back=one.went_back + back,
    )


def _begun(one: Open, each: Found, *, surer: bool) -> int:
    """Since when: what is surer says, but nothing that was told begins later than was said, as when silent lines speak again.

    An end that is left of headquarters' fault began with its own lines: what was told before of the other end was that one's.
    """
    if not surer:
        return one.since_ns
    is_other = one.told_ns is None and not is_part_of(one.factor, each.factor)
    if is_end_of(each.factor, one.factor) and one.first_end not in {None, each.factor}:
        is_other = True
    return each.since_ns if is_other else min(one.since_ns, each.since_ns)


def _still(one: Open, seen: Look, now_ns: int) -> Open | None:
    """One that is not found any more: None when it is over."""
    if one.told_ns is None:
        return None
    if one.factor.kind is FactorKind.HUB:
        now = one.ever & (seen.sighting.troubled & lines_of(one.factor, seen)).any(axis=1)
    else:
        now = belong(one.factor, one.ever, one.since_ns, seen)
        one = _with_members(one, now, seen)
    # One voice that is heard, and it is not the hub.
    least = 1.0 if one.factor.kind is FactorKind.HUB else _HALF
    if now.sum() >= max(_LEAST, least * one.ever.sum()):
        return replace(one, now=now, seen_ns=now_ns, calm_ns=None)
    calm_ns = now_ns if one.calm_ns is None else one.calm_ns
    return None if now_ns - calm_ns >= CALM_NS else replace(one, now=now, calm_ns=calm_ns)


def _dated(one: Open, seen: Look) -> Open:
    """With until when each of its offices was seen to suffer."""
    lines = telling(one.factor, lines_of(one.factor, seen), seen)
    return replace(one, ill_until_ns=suffered_until(one.ill_until_ns, lines, seen.sighting))


def _over_ns(one: Open, now_ns: int) -> int:
    """When it was over, which is never to come, also when the clock was set back; our own deafness, when somebody was heard."""
    seen_ns = now_ns if one.calm_ns is None else one.calm_ns
    if one.factor.kind is FactorKind.HUB:
        return seen_ns
    return min(over_ns(one.ill_until_ns, one.ever, one.now, seen_ns), now_ns)


def _with_members(one: Open, found: NDArray[np.bool_], seen: Look) -> Open:
    """With everybody who belongs to it beside those `found`, (S,); its counts are never behind those it lists."""
    proved = belong(one.factor, one.ever, one.since_ns, seen)
    now = found | proved
    said, suffer = one.evidence, int(now.sum())
    if suffer > said.suffer:
        most = known_offices(one.factor, seen)
        members = max(said.members, min(said.members + suffer - said.suffer, most))
        said = structs.replace(said, suffer=suffer, members=members)
    return replace(one, now=now, ever=one.ever | proved, evidence=said)


def _surer(one: Open, each: Found) -> Evidence:
    """Once a fault is told, the evidence that gave it its name stays: of a later look under the same name only how sure it is, so that nobody reads two counts of one fault."""
    found = _evidence(each)
    if one.told_ns is None or each.factor != one.factor:
        return found
    return structs.replace(one.evidence, log_odds=max(one.evidence.log_odds, found.log_odds))


def _evidence(each: Found) -> Evidence:
    return Evidence(
        members=each.members,
        suffer=each.suffer,
        others=each.others,
        others_suffer=each.others_suffer,
        log_odds=round(min(each.log_odds, _MOST_LOG_ODDS), 2),
    )
