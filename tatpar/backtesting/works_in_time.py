"""The announced works that a replay may know of: those of which every forecast that they touch could have known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.deployment import ANNOUNCED_BEFORE_NS
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.works import Work
    from tatpar.backtesting.blocks import Pairs


def works_in_time(works: Iterable[Work], sites: Sequence[str], pairs: Pairs) -> Iterator[Work]:
    """Works announced `ANNOUNCED_BEFORE_NS` before the first span that they touch begins: a meeting of their offices, or an hour, which is learnt from.

    A track has no time of announcement for each slot, and works may begin late in a meeting. A meeting that they do not touch
    says nothing: a longer one that is added later would take away what was known before.

    Args:
        works: all of them.
        sites: the offices that the pairs are numbered by.
        pairs: what is asked.
    """
    number = {site: index for index, site in enumerate(sites)}
    for work in works:
        theirs = np.isin(pairs.site, [number[site] for site in work.sites if site in number])
        touched = theirs & (pairs.starts_ns < work.until_ns) & (pairs.ends_ns > work.from_ns)
        first_ns = pairs.starts_ns[touched].min(initial=work.from_ns - HOUR_NS)
        if work.announced_ns <= first_ns - ANNOUNCED_BEFORE_NS:
            yield work
