"""The newest windows as slots: what the store has not rolled up yet, and the slot that runs.

The cell of the slot that runs holds the last five minutes up to now, whenever they began, and is asked of as if it had
ended: so a fault shows after the first window, not when the slot is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.slots import strain
from analytics.judge import POOL_WINDOWS, judge
from telemetry.windows import SLOT_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.track import Track
    from analytics.recent import Recent
    from config.profiles import Limits


@dataclass(frozen=True, slots=True)
class _Cells:
    """n slots out of windows; `measured` (S, P, n), `broke` and `strain` (L, S, P, n)."""

    measured: NDArray[np.int64]
    broke: NDArray[np.float32]
    strain: NDArray[np.float32]


def asked_ns(now_ns: int) -> int:
    """The end of the slot that runs."""
    return (now_ns // SLOT_NS + 1) * SLOT_NS


def put_newest(
    tracks: Sequence[Track],
    recent: Recent,
    limits: Sequence[Limits],
    dark: NDArray[np.bool_],
    now: tuple[int, int],
) -> None:
    """Write the newest windows into the tracks, in place.

    Args:
        tracks: by limit set; lines in the order site, path of `recent`.
        recent: the windows of the last half hour that came in time.
        limits: of each track.
        dark: (S,) offices without contact now.
        now: the present in ns, and the first slot that the store's roll-ups did not cover when the tracks were made.
    """
    first_slot, slots = tracks[0].first_slot, tracks[0].broke.shape[1]
    running = now[0] // SLOT_NS
    of_window = recent.start_ns // SLOT_NS
    closed = [
        slot for slot in np.unique(of_window).tolist()
        if slot < running and slot * SLOT_NS >= recent.start_ns[0] and 0 <= slot - first_slot < slots
    ]  # fmt: skip
    spans = [np.flatnonzero(of_window == slot) for slot in closed]
    spans.append(np.arange(max(len(of_window) - WINDOWS_PER_SLOT, 0), len(of_window)))
    cells = _cells(recent, limits, spans)
    for index, slot in enumerate([*closed, running]):
        if 0 <= slot - first_slot < slots:
            _put(tracks, cells, index, slot, (dark, slot >= now[1]))


def _put(
    tracks: Sequence[Track], cells: _Cells, index: int, slot: int, how: tuple[NDArray[np.bool_], bool]
) -> None:
    """One slot of all lines. What the store has rolled up stays unless the slot is `open_`."""
    dark, open_ = how
    measured = cells.measured[..., index].ravel()
    at = slot - tracks[0].first_slot
    paths = len(measured) // len(dark)
    silent = np.repeat(dark & ~cells.measured[..., index].any(axis=1), paths)
    for limit_set, track in enumerate(tracks):
        write = measured > 0
        if not open_:
            write &= track.measured[:, at] == 0.0
        broke = cells.broke[limit_set, ..., index].ravel()
        worst = cells.strain[limit_set, ..., index].ravel()
        track.broke[write, at] = broke[write]
        track.strain[write, at] = worst[write]
        track.measured[write, at] = np.minimum(measured[write] / WINDOWS_PER_SLOT, 1.0)
        track.arrived_ns[write, at] = (slot + 1) * SLOT_NS
        if open_:
            track.broke[~write, at] = np.nan
            track.strain[~write, at] = np.nan
            track.measured[~write, at] = 0.0
            track.dark[:, at] = silent
            track.arrived_ns[:, at] = (slot + 1) * SLOT_NS


def _cells(recent: Recent, limits: Sequence[Limits], spans: Sequence[NDArray[np.int64]]) -> _Cells:
    counts = recent.counts
    windows = np.stack([(counts.sent[..., span] > 0).sum(axis=-1) for span in spans], axis=-1)
    figures = [_figures(recent, span) for span in spans]
    broke, worst = [], []
    for each in limits:
        breaks = judge(recent.values, each, pool_windows=POOL_WINDOWS).breaks
        broken = np.stack([breaks[..., span].sum(axis=-1) for span in spans], axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            broke.append((broken / windows).astype(np.float32))
        worst.append(np.stack([strain(figure, each) for figure in figures], axis=-1))
    return _Cells(np.asarray(windows), np.stack(broke), np.stack(worst))


def _figures(recent: Recent, span: NDArray[np.int64]) -> dict[str, NDArray[np.floating]]:
    """Of each line over some windows, (S, P): loss of the whole, mean jitter and round trip; NaN where nothing was measured."""
    sent, lost, up, down_sent, down = (
        getattr(recent.counts, name)[..., span].sum(axis=-1)
        for name in ("sent", "lost", "up_lost", "down_sent", "down_lost")
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        out: dict[str, NDArray[np.floating]] = {
            "up_loss_ratio": up / sent,
            "down_loss_ratio": down / down_sent,
            "loss_ratio": lost / sent,
        }
        for name in ("up_jitter_ms", "down_jitter_ms", "rtt_p95_ms"):
            value = recent.values[name][..., span]
            known = np.isfinite(value)
            out[name] = np.where(known, value, 0.0).sum(axis=-1) / known.sum(axis=-1)
    return out
