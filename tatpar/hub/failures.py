"""What is known of rooms that failed: noted by `tatpar up` beside the rooms' own heartbeats, told by `tatpar doctor`.

A room that fails again and again beats between its failures, so its own beat alone would call it at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tatpar.hub.keeping import GOOD_RUN_S
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tatpar.hub.keeping import Failure
    from telemetry.state.db import StateDb
    from telemetry.state.heartbeats import Beat

PREFIX: Final = "failure:"
"""A beat of the role `failure:watch` is the watch's last failure."""
TOLD_FOR_NS: Final = 3600 * SECOND_NS


def note_failure(state: StateDb, failure: Failure, now_ns: int) -> None:
    """Write down the last failure of a room.

    Raises:
        StateError: the database cannot be written.
    """
    detail = {"why": failure.why, "count": failure.count, "wait_s": failure.wait_s}
    state.beat(PREFIX + failure.room, now_ns, detail)


def is_failing(beat: Beat, now_ns: int) -> bool:
    """Whether a room with this last failure has not yet run well for a while."""
    return now_ns - beat.at_ns <= (GOOD_RUN_S + float(str(beat.detail.get("wait_s", 0.0)))) * SECOND_NS


def failures_in(beats: Mapping[str, Beat], now_ns: int) -> dict[str, Beat]:
    """By room, its last failure, while it is young enough to matter."""
    return {
        role.removeprefix(PREFIX): beat
        for role, beat in beats.items()
        if role.startswith(PREFIX) and now_ns - beat.at_ns <= TOLD_FOR_NS
    }
