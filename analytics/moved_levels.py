"""Levels that rose just now: told as flags beside what is past a limit, and no part of a verdict.

The on-line detector (`analytics.changes.online`) looks at the newest windows of every line: at the sixth window of a
new level, five after the change, it decides. The windows came in time (`Recent` holds no others), so late data tells
nothing. Stateless like the other flags: what it would have decided at each of the last `TELL_WINDOWS` is worked out anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.cuts import AFTER, BEFORE, SPAN
from analytics.changes.online import moved_now
from analytics.changes.series import METRICS
from analytics.ranks import medians
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.changes.series import Metric
    from analytics.changes.trees import Trees
    from analytics.flags import Present
    from analytics.recent import Recent

TELL_WINDOWS: Final = 15
"""Windows, 3 min 45 s, for which a decision is told: as many as the ring holds with their past. Then it is the line's level."""
CALM_WINDOWS: Final = 2
"""So many windows in a row back below the middle end it sooner."""
LEAST_RISE: Final[dict[Metric, float]] = {"rtt": 5.0, "jitter": 3.0, "loss": 0.02}
"""What is worth telling, in ms or as a ratio, if it is also `LEAST_SHARE` of the level before."""
LEAST_SHARE: Final = 0.1
_LOOKED_AT: Final = SPAN + TELL_WINDOWS - 1
CODE: Final[dict[Metric, ReasonCode]] = {
    "rtt": ReasonCode.MOVED_RTT,
    "jitter": ReasonCode.MOVED_JITTER,
    "loss": ReasonCode.MOVED_LOSS,
}
_SAID_BY: Final[dict[Metric, frozenset[ReasonCode]]] = {
    "rtt": frozenset({ReasonCode.RTT, ReasonCode.RTT_FLOOR, ReasonCode.RISING_RTT}),
    "jitter": frozenset({ReasonCode.JITTER_UP, ReasonCode.JITTER_DOWN, ReasonCode.RISING_JITTER}),
    "loss": frozenset(
        {ReasonCode.RISING_LOSS}
        | {ReasonCode[f"{what}{way}"] for what in ("LOSS", "BURST") for way in ("", "_UP", "_DOWN")}
    ),
}
"""Flags past a limit, or on the way there, that say the same and more: beside them the moved level is not told. An outage silences all three."""


def moved_flags(recent: Recent, present: Present, told: Sequence[Flag], trees: Trees) -> list[Flag]:
    """Flags of lines whose round trip, jitter or loss rose to a new level just now; `told` are the flags past a limit.

    `trees` weigh what rose: `tatpar.shipped.level_trees.shipped_online_trees`.
    """
    silent = {(flag.site, flag.path, flag.reason.code) for flag in told}
    flags: list[Flag] = []
    for metric in METRICS:
        series = _series(recent, metric)
        line, at = _risen(series, trees, metric)
        for row, cut in zip(line.tolist(), at.tolist(), strict=True):
            site, path = divmod(row, len(recent.lines.paths))
            name = recent.lines.sites[site], recent.lines.paths[path]
            said = _SAID_BY[metric] | {ReasonCode.OUTAGE}
            if any((*name, code) in silent for code in said):
                continue
            flag = _flag(recent, series[row], metric, name, cut)
            if present.now_ns - flag.seen_ns <= present.silent_after_ns:
                flags.append(flag)
    return flags


def _series(recent: Recent, metric: Metric) -> NDArray[np.float64]:
    """(S P, W) what is looked at: the round trip's 95th percentile, the worse direction's jitter, the lost share."""
    values = recent.values
    if metric == "rtt":
        plane = values["rtt_p95_ms"]
    elif metric == "jitter":
        plane = np.fmax(values["up_jitter_ms"], values["down_jitter_ms"])
    else:
        counts = recent.counts
        plane = np.where(recent.present, counts.lost / np.maximum(counts.sent, 1), np.nan)
    return np.asarray(plane, dtype=np.float64).reshape(-1, plane.shape[-1])


def _risen(
    series: NDArray[np.float64], trees: Trees, metric: Metric
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lines (K,) whose newest decided rise still stands, and (K,) the windows at which their new levels began.

    What did not rise enough is sorted out first, so that only few cuts are weighed.
    """
    padded = np.pad(series, ((0, 0), (_LOOKED_AT, 0)), constant_values=np.nan)[:, -_LOOKED_AT:]
    spans = np.lib.stride_tricks.sliding_window_view(padded, SPAN, axis=-1)
    new, _ = medians(spans[..., -AFTER:])
    old, known = medians(spans[..., -AFTER - BEFORE : -AFTER])
    with np.errstate(invalid="ignore"):
        worth = new - old >= np.maximum(LEAST_RISE[metric], LEAST_SHARE * old)
    worth &= (known > BEFORE // 2) & np.isfinite(spans[..., -1])
    line, look = np.nonzero(worth)
    if not len(line):
        return line, look
    yes = moved_now(spans[line, look], trees, metric)
    yes &= ~_calm(series[line], ((new + old) / 2.0)[line, look])
    line, look = line[yes], look[yes]
    last = np.diff(line, append=-1) != 0  # the newest decision of each line
    first = series.shape[-1] - _LOOKED_AT + SPAN - AFTER
    return line[last], look[last] + first


def _calm(series: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(K,) whether the newest measured windows of (K, W) are all back below the middle, or none of the last few is known."""
    order = np.argsort(np.isfinite(series), axis=-1, kind="stable")
    newest = np.take_along_axis(series, order[:, -CALM_WINDOWS:], axis=-1)
    return np.asarray(~(newest >= middle[:, None]).any(axis=-1))


def _flag(
    recent: Recent, series: NDArray[np.float64], metric: Metric, name: tuple[str, str], cut: int
) -> Flag:
    since_ns = int(recent.start_ns[cut])
    now, _ = medians(series[cut:])
    before, _ = medians(series[max(cut - BEFORE, 0) : cut])
    last = int(np.flatnonzero(np.isfinite(series))[-1])
    return Flag(
        site=name[0],
        path=name[1],
        reason=Reason(
            code=CODE[metric],
            value=round(float(now), 5),
            usual=round(float(before), 5),
            unit="ratio" if metric == "loss" else "ms",
            path=name[1],
            since_ns=since_ns,
        ),
        since_ns=since_ns,
        seen_ns=int(recent.start_ns[last]) + WINDOW_NS,
    )
