"""The probe's own trouble: what it could explain of a window's figures is left out of them, so that it says nothing of the line.

* Replies that the kernel dropped at the probe's own socket (SO_RXQ_OVFL) had come: the line carried them. They are taken out of what
  was sent and lost, but never out of what is known to have been lost on the way up; a burst in such a window is not judged.
* A process that sends late was not running. On a machine whose processor was taken away even the kernel's stamps are late, so when more
  than `LATE_SHARE` of the packets left late, jitter and round trip are not judged. Loss is: a late packet still arrives or not.
* When the clock was stepped under more than `STRADDLED_SHARE` of the samples, the delays of the rest are not judged.

Nothing checks what a probe says of itself, so it is believed for a while only: `MOST_WINDOWS` of the windows that are looked at together
(half an hour, or a meeting), fewer where it was believed in the hours before, and `MOST_SLOTS` of a day (UTC). Beyond that its figures
stand as it reported them: a probe that is always in trouble, or again and again, or says so, hides no line.

A clock that nobody disciplines spoils nothing that is judged: jitter and variation are differences, the round trip is one clock's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.condition import Condition
    from analytics.losses import Values

TROUBLE_COLUMNS: Final = ("late_sends", "rx_drops", "straddled")
"""Of the store's, beside `WINDOW_VALUE_COLUMNS`; the first two are the whole probe's, whatever the path."""
LATE_SHARE: Final = 0.1
STRADDLED_SHARE: Final = 0.5
MOST_WINDOWS: Final = 40
"""Ten minutes."""
MOST_SLOTS: Final = 12
"""An hour."""
_DELAYS: Final = ("up_jitter_ms", "down_jitter_ms", "rtt_p95_ms")
_BURSTS: Final = ("worst_200ms_lost", "worst_200ms_sent", "down_worst_200ms_lost", "down_worst_200ms_sent")
_TOUCHED: Final = ("sent", "lost", "down_lost", *_BURSTS, *_DELAYS)


def without_own_trouble(
    values: Values,
    trouble: Mapping[str, NDArray[np.floating]],
    room: NDArray[np.integer] | int = MOST_WINDOWS,
) -> Values:
    """Window values (S, P, W) without what the probe's own trouble could explain.

    Args:
        values: by the names of `WINDOW_VALUE_COLUMNS`.
        trouble: by `TROUBLE_COLUMNS`, of the same shape; NaN and 0 are none.
        room: how many windows of each line are believed, (S, P) or one for all.

    Returns:
        The same object when there is no trouble; else a copy with smaller counts, and NaN for what is not to be judged,
        in the first `room` windows of each line that trouble changes.
    """
    late, drops, straddled = (np.nan_to_num(trouble[name]) for name in TROUBLE_COLUMNS)
    if not (late.any() or drops.any() or straddled.any()):
        return values
    out = {name: column.copy() for name, column in values.items()}
    sent, lost, up = (np.nan_to_num(values[name]) for name in ("sent", "lost", "up_lost"))
    ours = np.minimum(drops, np.maximum(lost - up, 0.0))
    for name in ("sent", "lost"):
        out[name] -= ours
    out["down_lost"] = np.where(ours > 0, np.maximum(values["down_lost"] - ours, 0.0), values["down_lost"])
    for name in _BURSTS:
        out[name][ours > 0] = np.nan
    starved = late > LATE_SHARE * np.maximum(sent.sum(axis=1, keepdims=True), 1.0)
    stepped = straddled > STRADDLED_SHARE * np.maximum(sent - lost, 1.0)
    for name in _DELAYS:
        out[name][starved | stepped] = np.nan
    changed = changed_windows(values, out)
    beyond = changed & (np.cumsum(changed, axis=-1) > np.asarray(room)[..., None])
    for name in _TOUCHED:
        out[name][beyond] = values[name][beyond]
    return out


def rolled_without_own_trouble(
    values: Values,
    trouble: Mapping[str, NDArray[np.floating]],
    probe: NDArray[np.integer],
    day: NDArray[np.integer],
    known_ns: NDArray[np.int64] | None = None,
) -> Values:
    """The same of roll-ups, whose trouble is known of all their windows together: it is put down to those that look worst.

    Args:
        values: (R, W) by the names of `WINDOW_VALUE_COLUMNS`: the windows of R roll-ups.
        trouble: (R,) by `TROUBLE_COLUMNS`: sums over the windows of each.
        probe: (R,) a number for each probe and slot: roll-ups of its other paths have the same.
        day: (R,) a number for each line and day; within one, rows stand in the order of time.
        known_ns: (R,) when each was known, so that what comes late takes no room from what was known before it; None: as they stand.

    Returns:
        The same object when there is no trouble; else a copy, as `without_own_trouble`, with the first `MOST_SLOTS` roll-ups of each
        day that trouble changes.
    """
    late, drops, straddled = (np.nan_to_num(trouble[name]) for name in TROUBLE_COLUMNS)
    rows = np.flatnonzero((late > 0) | (drops > 0) | (straddled > 0))
    if not len(rows):
        return values
    out = {name: column.copy() for name, column in values.items()}
    sent, lost, up = (np.nan_to_num(values[name][rows]) for name in ("sent", "lost", "up_lost"))
    ours = _shared_out(np.maximum(lost - up, 0.0), drops[rows])
    hit = (rows[:, None], np.arange(sent.shape[1]))
    for name in ("sent", "lost"):
        out[name][hit] -= ours
    left = np.maximum(values["down_lost"][rows] - ours, 0.0)
    out["down_lost"][hit] = np.where(ours > 0, left, values["down_lost"][rows])
    for name in _BURSTS:
        out[name][hit] = np.where(ours > 0, np.nan, values[name][rows])
    together = np.zeros((int(probe.max()) + 1, sent.shape[1]))
    np.add.at(together, probe, np.nan_to_num(values["sent"]))
    worst = np.nansum([values[name][rows] for name in _DELAYS], axis=0)
    starved = _worst(worst, LATE_SHARE * np.maximum(together[probe[rows]], 1.0), late[rows])
    stepped = _worst(worst, STRADDLED_SHARE * np.maximum(sent - lost, 1.0), straddled[rows])
    for name in _DELAYS:
        out[name][hit] = np.where(starved | stepped, np.nan, values[name][rows])
    changed = np.flatnonzero(changed_windows(values, out).any(axis=1))
    order = np.arange(len(day)) if known_ns is None else known_ns
    beyond = changed[_rank(day[changed], order[changed]) >= MOST_SLOTS]
    for name in _TOUCHED:
        out[name][beyond] = values[name][beyond]
    return out


def claimed_beyond(
    values: Values,
    cleared: Values,
    trouble: Mapping[str, NDArray[np.floating]],
    room: NDArray[np.integer] | int = MOST_WINDOWS,
) -> NDArray[np.bool_]:
    """(S, P): lines whose room is used up though the probe still claims trouble in their newest windows; `cleared`: what `without_own_trouble` made of `values`.

    A claim that would change nothing, as one late packet of 150, is none: also where there is no room at all.
    """
    spent = changed_windows(values, cleared).sum(axis=-1) >= room
    if not spent.any():
        return np.asarray(spent)
    windows = cleared["sent"].shape[-1]
    would = changed_windows(values, without_own_trouble(values, trouble, windows))
    return np.asarray(spent & would[..., -MOST_WINDOWS:].any(axis=-1))


def changed_windows(values: Values, out: Values) -> NDArray[np.bool_]:
    """(S, P, W): where anything that trouble touches is no longer as it was reported."""
    found = [
        (out[name] != values[name]) & ~(np.isnan(out[name]) & np.isnan(values[name])) for name in _TOUCHED
    ]
    return np.asarray(np.any(found, axis=0))


def _rank(group: NDArray[np.integer], by: NDArray[np.integer]) -> NDArray[np.int64]:
    """(R,): how many of the same group come before it in the order of `by`, and in that of the rows where it is the same."""
    order = np.lexsort((by, group))
    _, first, count = np.unique(group[order], return_index=True, return_counts=True)
    out = np.empty(len(group), np.int64)
    out[order] = np.arange(len(group)) - np.repeat(first, count)
    return out


def _shared_out(room: NDArray[np.floating], total: NDArray[np.floating]) -> NDArray[np.floating]:
    """(R, W): of each row's total as much as there is room for, the roomiest windows first."""
    order = np.argsort(-room, axis=1, kind="stable")
    sorted_room = np.take_along_axis(room, order, axis=1)
    before = np.cumsum(sorted_room, axis=1) - sorted_room
    out = np.zeros_like(room)
    np.put_along_axis(out, order, np.clip(total[:, None] - before, 0.0, sorted_room), axis=1)
    return out


def _worst(
    delay: NDArray[np.floating], least: NDArray[np.floating], total: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """(R, W): the windows with the worst delays: as many as the row's `total` is enough for when each takes its `least`."""
    order = np.argsort(-delay, axis=1, kind="stable")
    needed = np.cumsum(np.take_along_axis(least, order, axis=1), axis=1)
    out = np.zeros(delay.shape, dtype=bool)
    np.put_along_axis(out, order, needed < total[:, None], axis=1)
    return out


def explained(reported: Condition, cleared: Condition, suspect: float) -> NDArray[np.bool_]:
    """(L, S, P): lines that look broken by what was reported, and not by what the probe's own trouble leaves of it."""
    return np.asarray((reported.suspicion >= suspect) & (cleared.suspicion < suspect))
