"""Whether what is found is what was open, maybe under another name; and what of that found at one look is one fault.

* What was open of a part, as of a provider in one region, and within half an hour is found of the whole, has grown: it takes the greater name.
  So has what is found of both at one look.
* Else it is the same when it began at the same time (`SAME_NS`) and half of the smaller set of offices is common; or when it is found of a part
  of what is open, in that one's half hour.
* Our own deafness never takes the place of a fault that was told by its name, nor a fault that of our deafness: but when the lines to headquarters
  prove to have been dead, for all and from then on, that is why nothing came in. Where they were told to break just before, that nobody is heard is not
  told beside it.
* Several that were told become one only when that is surer than all of them together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from analytics.shared.factors import is_part_of
from analytics.shared.one_end import is_end_of
from analytics.shared.onsets import AGE_NS, EARLIER_NS
from telemetry.decisions import FactorKind
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.shared.find import Found
    from analytics.shared.opened import Open
    from analytics.shared.sighting import Sighting
    from telemetry.decisions import Factor

SAME_NS: Final = 300 * SECOND_NS
_HALF: Final = 0.5
_SEVERAL: Final = 2


def joined(found: Sequence[Found]) -> list[Found]:
    """The faults of one look, those of a part taken into that of the whole which they have grown into."""
    out = []
    for each in found:
        if not any(_grew(each, whole) for whole in found):
            parts = [part for part in found if _grew(part, each)]
            out.append(_with_parts(each, parts))
    return out


def same_as(each: Found, opened: Sequence[Open], again: set[Factor]) -> list[Open]:
    """Of what is `opened` that which `each` is; `again`: the factors that are found."""
    rest = [one for one in opened if one.factor not in again]
    return (
        [one for one in opened if one.factor == each.factor or _grew(one, each)]
        or [one for one in rest if _is_same(one, each)]
        or [one for one in rest if _is_in_its_time(one, each) and is_part_of(each.factor, one.factor)]
    )


def is_told_already(one: Open, opened: Sequence[Open]) -> bool:
    """Whether nobody is heard since headquarters' own lines broke, and that is told: the last that came in said why nothing does."""
    return one.factor.kind is FactorKind.HUB and any(
        each.factor.kind is FactorKind.HEADQUARTERS
        and each.told_ns is not None
        and abs(one.since_ns - each.since_ns) <= EARLIER_NS
        for each in opened
    )


def is_better_told(each: Found, opened: Sequence[Open], again: set[Factor]) -> bool:
    """Whether several that were told explain more together than what is found instead of them.

    Of three providers that heal one after the other the rest looks like headquarters for a moment.
    """
    if any(one.factor == each.factor or _grew(one, each) for one in opened):
        return False
    told = [one for one in opened if one.factor not in again and _is_named(one) and _is_same(one, each)]
    return len(told) >= _SEVERAL and each.log_odds <= sum(one.evidence.log_odds for one in told)


def takes_its_name(one: Open, each: Found, sighting: Sighting) -> bool:
    """Whether what is open is to have the name of what it is found to be: the surer of both, the greater, or any if it had none yet.

    Lines to headquarters that were measured say more than silence, once everybody is heard again. When one end is left of headquarters' fault is another
    question (`one_end`).
    """
    if is_part_of(each.factor, one.factor) and not _is_same(one, each):
        return False
    if is_end_of(each.factor, one.factor) and _is_named(one):
        return False
    if one.factor.kind is FactorKind.HUB and each.factor.kind is FactorKind.HEADQUARTERS:
        return not (sighting.silent.any(axis=1) & one.ever).any() or not _is_named(one)
    return each.log_odds > one.evidence.log_odds or not _is_named(one) or _grew(one, each)


def _grew(part: Open | Found, whole: Found) -> bool:
    return is_part_of(part.factor, whole.factor) and _is_in_its_time(part, whole)


def _is_in_its_time(earlier: Open | Found, later: Found) -> bool:
    """Whether a fault began with another, or in the half hour after."""
    return -EARLIER_NS <= later.since_ns - earlier.since_ns <= AGE_NS


def _is_named(one: Open) -> bool:
    return one.told_ns is not None and one.factor.kind is not FactorKind.AT_ONCE


def _is_same(one: Open, each: Found) -> bool:
    kinds = one.factor.kind, each.factor.kind
    is_why = kinds == (FactorKind.HUB, FactorKind.HEADQUARTERS)
    if _is_named(one) and kinds.count(FactorKind.HUB) == 1 and not is_why:
        return False
    common = int((one.ever & each.sites).sum())
    smaller = max(min(int(one.ever.sum()), int(each.sites.sum())), 1)
    return abs(one.since_ns - each.since_ns) <= SAME_NS and common >= _HALF * smaller


def _with_parts(whole: Found, parts: Sequence[Found]) -> Found:
    for part in parts:
        more = int((part.sites & ~whole.sites).sum())
        whole = replace(
            whole,
            since_ns=min(whole.since_ns, part.since_ns),
            sites=whole.sites | part.sites,
            members=whole.members + more,
            suffer=whole.suffer + more,
        )
    return whole
