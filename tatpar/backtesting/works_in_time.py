"""The announced works that a replay may know of: those of which every forecast that they touch could have known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.deployment import ANNOUNCED_BEFORE_NS
from telemetry.windows import HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.works import Work
    from tatpar.backtesting.blocks import Pairs


def works_in_time(works: Iterable[Work], sites: Sequence[str], pairs: Pairs) -> Iterator[Work]:
    """Works announced `ANNOUNCED_BEFORE_NS` before the first span that they touch begins: a meeting of their offices, or an hour, which is learnt from.

    A track has no time of announcement for each slot, and works may begin late in a meeting. Works that go on where others of
    an office end make one stretch with them, so what touches the stretch counts. A meeting that they do not touch says
    nothing: a longer one that is added later would take away what was known before.

    Args:
        works: all of them.
        sites: the offices that the pairs are numbered by.
        pairs: what is asked.
    """
    number = {site: index for index, site in enumerate(sites)}
    before: list[tuple[Work, int]] = []
    for work in sorted(works, key=lambda each: each.from_ns):
        stretch_ns = min([work.from_ns, *(from_ns for each, from_ns in before if _goes_on(each, work))])
        theirs = np.isin(pairs.site, [number[site] for site in work.sites if site in number])
        touched = theirs & (pairs.starts_ns < work.until_ns) & (pairs.ends_ns > stretch_ns)
        first_ns = pairs.starts_ns[touched].min(initial=stretch_ns - HOUR_NS)
        if work.announced_ns <= first_ns - ANNOUNCED_BEFORE_NS:
            before.append((work, stretch_ns))
            yield work


def _goes_on(one: Work, other: Work) -> bool:
    """`other`, which begins no sooner, leaves no whole slot free between them on a line of an office that both touch."""
    on_a_line = one.end == other.end or not one.end or not other.end
    together = other.from_ns // SLOT_NS <= -(-one.until_ns // SLOT_NS)
    return on_a_line and together and not set(one.sites).isdisjoint(other.sites)
