"""A line's own floor: the round trip of its best times, which what it needs now is compared with.

A profile may limit the round trip by itself (`rtt_ms`) or above this floor (`rtt_above_floor_ms`): a line over a
satellite is slow and sound, and one of 20 ms that needs 60 is in trouble. The floor of an hour is the 2nd percentile
(nearest rank) of the line's five-minute medians over the 7 days before that hour; the hour itself does not count. A slot
without a median, as other tools measure, counts with its mean, or its least (`reports.past.floors`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from telemetry.windows import SLOTS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.losses import Values
    from config.profiles import Limits

_Value = TypeVar("_Value", bound=np.generic)

ABOVE: Final = "rtt_above_floor_ms"
"""The column that `above_floor` makes, beside the window values of the store."""
FLOOR_HOURS: Final = 168
FLOOR_SHARE: Final = 0.02
LEAST_SLOTS: Final = 12
"""An hour of slots; with fewer there is no floor yet."""
NO_REPLY_MS: Final = 3000.0
"""A packet that did not come back is lost when it is 3 s late: it took at least so long."""


def asks_floor(limits: Sequence[Limits]) -> bool:
    """Whether any of these limits is about the floor; where none is, nobody need work it out."""
    return any(each.rtt_above_floor_ms is not None for each in limits)


def floors(rtt_ms: NDArray[np.floating], late_h: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """The floor of each hour.

    Args:
        rtt_ms: (N, T) medians of the slots of N lines, NaN where there is none; T slots of whole UTC hours, of which the
            first `FLOOR_HOURS` only lead up to the first hour that is asked for.
        late_h: (N, T) for so many of the hours after its own a slot had not come yet, and is in no floor of theirs: what
            comes late changes nothing that was known before it came. None: all came in time.

    Returns:
        (N, T / 12 - `FLOOR_HOURS`), NaN where fewer than `LEAST_SLOTS` slots are known.
    """
    lines, every = len(rtt_ms), rtt_ms.shape[1] // SLOTS_PER_HOUR
    hours = every - FLOOR_HOURS
    out = np.full((lines, max(hours, 0)), np.nan, dtype=np.float32)
    known = np.isfinite(rtt_ms).reshape(lines, every, SLOTS_PER_HOUR).sum(axis=-1)
    before = np.cumsum(np.pad(known, ((0, 0), (1, 0))), axis=-1)
    count = before[:, FLOOR_HOURS:-1] - before[:, : -FLOOR_HOURS - 1]
    most = int(np.ceil(FLOOR_SHARE * FLOOR_HOURS * SLOTS_PER_HOUR))
    for line in np.flatnonzero((count >= LEAST_SLOTS).any(axis=-1)):
        weeks = _weeks(rtt_ms[line].astype(np.float32))
        if late_h is not None and late_h[line].any():
            between = np.arange(FLOOR_HOURS - 1, -1, -1)[
                :, None
            ]  # hours between a slot's and the one asked for
            weeks = np.where(_weeks(late_h[line]) > between, np.float32(np.nan), weeks)
            count[line] = np.isfinite(weeks).sum(axis=(1, 2))
        least = np.partition(weeks.reshape(hours, -1), most, axis=-1)[:, :most]  # NaN last
        least.sort(axis=-1)
        rank = np.maximum(np.ceil(FLOOR_SHARE * count[line] - 1e-9).astype(np.int64), 1)
        found = np.take_along_axis(least, rank[:, None] - 1, axis=-1)[:, 0]
        out[line] = np.where(count[line] >= LEAST_SLOTS, found, np.nan)
    return out


def _weeks(slots: NDArray[_Value]) -> NDArray[_Value]:
    """(H, `FLOOR_HOURS`, 12): of each hour that is asked for the slots (T,) of the hours before it."""
    by_hour = slots.reshape(-1, SLOTS_PER_HOUR)
    return np.lib.stride_tricks.sliding_window_view(by_hour, FLOOR_HOURS, axis=0)[:-1].swapaxes(1, 2)


def above_floor(values: Values, floor_ms: NDArray[np.floating]) -> NDArray[np.float32]:
    """How far each window's 95th percentile lies above the floor; NaN where one of them is not known.

    A window of which nothing came back lies `NO_REPLY_MS` above it, whatever the floor.

    Args:
        values: window values of one shape (…, W).
        floor_ms: (…,) of their lines.
    """
    with np.errstate(invalid="ignore"):
        above = values["rtt_p95_ms"] - floor_ms[..., None]
        nothing = (values["sent"] > 0) & (values["lost"] >= values["sent"])
    return np.asarray(np.where(nothing, NO_REPLY_MS, above), dtype=np.float32)


def with_floor(values: Values, floor_ms: NDArray[np.floating]) -> Mapping[str, NDArray[np.floating]]:
    """The values with the column `ABOVE` (ms) beside them; `floor_ms` has their shape."""
    return {**values, ABOVE: above_floor(values, floor_ms)}


def floor_of(values: Values, line: tuple[int, int]) -> float | None:
    """The floor in ms that `ABOVE` of one line (site, path) of values (S, P, W) was made with; None where there is none, or nothing came back."""
    if ABOVE not in values:
        return None
    floor_ms = float(np.fmin.reduce(values["rtt_p95_ms"][line] - values[ABOVE][line]))
    return floor_ms if np.isfinite(floor_ms) else None
