"""Who took the four stamps of a window's exchanges: the least trustworthy source among those that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.measuring.record_layout import ReplyFlag
from telemetry.messages import Stamps, StampSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from probes.metering.exchanges import Exchanges


def stamp_sources(used: Exchanges) -> Stamps:
    """Sources over the exchanges that gave delays; NONE for a stamp that none of them has."""
    rows = used.rows
    if not len(rows):
        return Stamps()
    user_t4 = bool((rows["flags"] & ReplyFlag.USER_STAMP).any())
    has_far = bool((used.t2_ns > 0).any())
    said = bool((rows["mode"] > 0).all())
    single = has_far and not said and bool((used.t2_ns == used.t3_ns).all())
    return Stamps(
        t1=StampSource.KERNEL if bool(used.kernel_t1.all()) else StampSource.USER,
        t2=_far(rows["t2_by"]) if has_far else StampSource.NONE,
        # One stamp written twice (as twampy does): when the reply left is not known.
        t3=_far(rows["t3_by"]) if has_far and not single else StampSource.NONE,
        t4=StampSource.USER if user_t4 else StampSource.KERNEL,
    )


def _far(said: NDArray[np.uint8]) -> StampSource:
    """What the reflector says of its stamps; one that says nothing is trusted no more than user space."""
    least = int(said.min())
    known = least in (StampSource.KERNEL, StampSource.HARDWARE)
    return StampSource(least) if known else StampSource.USER
