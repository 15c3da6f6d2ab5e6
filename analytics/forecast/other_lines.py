"""Lines beside the usual ones: of such a line nobody knew before it was heard, so until then nothing is told of it.

A replay has every line that was ever heard, at every office and at all times. What a line tells only by being there would
tell beforehand that it will be heard.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.peers import shared
from analytics.forecast.seen import closed_ns, heard_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Track


def silent_before_heard(track: Track, usual: NDArray[np.bool_]) -> Track:
    """The track, in which a line that is not `usual`, (N,), is awaited only from its first figures on and makes no group.

    A dark office would count among its peers once more for each such line, and its dark hours be learnt from once more;
    and a group is one when two of the usual lines share it.
    """
    if usual.all():
        return track
    unheard = ~usual[:, None] & (closed_ns(track) < heard_ns(track)[:, None])
    return replace(
        track,
        silent_until_ns=np.where(unheard, 0, track.silent_until_ns),
        groups={name: of for name, of in track.groups.items() if shared(of[usual])},
    )
