"""The newest windows as slots: what the store has not rolled up yet, and the slot that runs.

The cell of the slot that runs holds the last five minutes up to now, whenever they began, and is asked of as if it had
ended: so a fault shows after the first window, not when the slot is over.

A guard: broken windows of the last half hour that are no more than `FORGIVEN_WINDOWS` are left out once the filter calls
the line sound (decision 108). Slots of five minutes cannot tell that a short fault is over; the windows can. A fault whose
windows are missing, for the office could not report them, lasted as long as they are many (decision 221). A longer one
stands in its slots once it is over; of the slot that runs only what came since counts (`returned`, decision 224).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.returned import back_since, just_back
from analytics.forecast.slots import strain
from analytics.forecast.unheard import longest_run, unheard_windows
from analytics.judge import POOL_WINDOWS, judge
from telemetry.line_slots import NEVER
from telemetry.windows import SLOT_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.forecast.laid_over import LaidOver
    from analytics.forecast.track import Track
    from analytics.recent import Recent
    from config.profiles import Limits


FORGIVEN_WINDOWS: Final = 12
"""Three minutes."""


@dataclass(frozen=True, slots=True)
class Now:
    """What is known of now.

    Attributes:
        now_ns: the present.
        dark: (S,) offices without contact.
        sound: (L, S, P) lines that the filter calls sound.
        covered: the first slot that the store's roll-ups did not cover when the tracks were made.
        listened: (S, W) what is missing then of an office that was heard before was missed; None: nobody listened.
    """

    now_ns: int
    dark: NDArray[np.bool_]
    sound: NDArray[np.bool_]
    covered: int
    listened: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Laid:
    """What came of laying the newest windows.

    Attributes:
        changed: whether any bit of the tracks is another one now.
        just_back: (L, S, P) lines that have only just come back from a fault too long to be forgiven.
    """

    changed: bool
    just_back: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Cells:
    """n slots out of windows, the last of them the one that runs; `measured` (S, P, n), `silent` (S, n), `just_back` (L, S, P), the others (L, S, P, n)."""

    measured: NDArray[np.int64]
    silent: NDArray[np.bool_]
    forgiven: NDArray[np.bool_]
    broke: NDArray[np.float32]
    strain: NDArray[np.float32]
    just_back: NDArray[np.bool_]


def asked_ns(now_ns: int) -> int:
    """The end of the slot that runs."""
    return (now_ns // SLOT_NS + 1) * SLOT_NS


def put_newest(
    tracks: Sequence[Track],
    recent: Recent,
    limits: Sequence[Limits],
    present: Now,
    laid_over: LaidOver,
) -> Laid:
    """Write the newest windows into the tracks, in place.

    Args:
        tracks: by limit set; lines in the order site, path of `recent`.
        recent: the windows of the last half hour, however late they came.
        limits: of each track.
        present: what is known of now.
        laid_over: of the looks before at the same tracks; a new one for new tracks.
    """
    first_slot, slots = tracks[0].first_slot, tracks[0].broke.shape[1]
    running = present.now_ns // SLOT_NS
    of_window = recent.start_ns // SLOT_NS
    closed = [
        slot for slot in np.unique(of_window).tolist()
        if slot < running and slot * SLOT_NS >= recent.start_ns[0] and 0 <= slot - first_slot < slots
    ]  # fmt: skip
    spans = [np.flatnonzero(of_window == slot) for slot in closed]
    spans.append(np.arange(max(len(of_window) - WINDOWS_PER_SLOT, 0), len(of_window)))
    unheard = unheard_windows(recent, tracks[0], present.listened)
    planned = (
        tracks[0].planned[:, np.clip(of_window - first_slot, 0, slots - 1)].reshape(recent.present.shape)
    )
    cells = _cells(recent, limits, spans, present.sound, (unheard, planned))
    there = [(i, slot) for i, slot in enumerate([*closed, running]) if 0 <= slot - first_slot < slots]
    laid = {slot - first_slot for _, slot in there}
    columns = sorted(laid | laid_over.slots)
    before = _bits(tracks, columns)
    laid_over.put_back(laid)
    for which in there:
        _put(tracks, cells, which, present, laid_over)
    return Laid(_bits(tracks, columns) != before, cells.just_back)


def _bits(tracks: Sequence[Track], columns: list[int]) -> list[bytes]:
    """All that `_put` may write of some slots."""
    return [
        of[:, columns].tobytes()
        for track in tracks
        for of in (track.broke, track.strain, track.measured, track.silent_until_ns, track.arrived_ns)
    ]


def _put(
    tracks: Sequence[Track], cells: _Cells, which: tuple[int, int], present: Now, laid_over: LaidOver
) -> None:
    """One slot of all lines. What the store has rolled up stays, unless some of it is forgiven, or more of it has come since."""
    index, slot = which
    measured = cells.measured[..., index].ravel()
    at, open_ = slot - tracks[0].first_slot, slot >= present.covered
    paths = len(measured) // len(present.dark)
    nothing = ~cells.measured[..., index].any(axis=1)
    silent = np.repeat(nothing & (present.dark | cells.silent[:, index]), paths)
    had = tracks[0].measured[:, at].copy()  # before anything is written: the tracks share it
    more = (had == 0.0) | (np.rint(had * WINDOWS_PER_SLOT) < measured)
    for limit_set, track in enumerate(tracks):
        write = measured > 0
        if not open_:
            write &= more | cells.forgiven[limit_set, ..., index].ravel()
            laid_over.keep(track, at, np.flatnonzero(_of_same_office(write, paths)))
        track.broke[write, at] = cells.broke[limit_set, ..., index].ravel()[write]
        track.strain[write, at] = cells.strain[limit_set, ..., index].ravel()[write]
        track.measured[write, at] = np.minimum(measured[write] / WINDOWS_PER_SLOT, 1.0)
        track.arrived_ns[write, at] = (slot + 1) * SLOT_NS
        track.silent_until_ns[_of_same_office(write, paths), at] = 0
        if open_:
            track.broke[~write, at] = np.nan
            track.strain[~write, at] = np.nan
            track.measured[~write, at] = 0.0
            track.silent_until_ns[:, at] = np.where(silent, NEVER, 0)
            track.arrived_ns[:, at] = (slot + 1) * SLOT_NS


def _of_same_office(lines: NDArray[np.bool_], paths: int) -> NDArray[np.bool_]:
    """(N,): all lines of the offices of some, in the order site, path: where one was heard its office was."""
    return np.repeat(lines.reshape(-1, paths).any(axis=1), paths)


def _cells(
    recent: Recent,
    limits: Sequence[Limits],
    spans: Sequence[NDArray[np.int64]],
    sound: NDArray[np.bool_],
    circumstances: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> _Cells:
    """`circumstances`: what was unheard (S, W), and under works (S, P, W): who comes back from those does so as was announced."""
    unheard, planned = circumstances
    there = recent.counts.sent > 0
    at = np.arange(there.shape[-1])
    broke, worst, forgiven, back = [], [], [], []
    for index, each in enumerate(limits):
        breaks = judge(recent.values, each, pool_windows=POOL_WINDOWS).breaks
        failed = breaks | unheard[:, None]
        since = np.where(sound[index], back_since(failed, FORGIVEN_WINDOWS), 0)
        few = sound[index] & (breaks.sum(axis=-1) <= FORGIVEN_WINDOWS)
        few &= longest_run(failed) <= FORGIVEN_WINDOWS
        left_out = breaks & few[..., None]
        counted = there & ~left_out
        running = counted & (at >= since[..., None])
        of_span = [*(counted for _ in spans[:-1]), running]
        with np.errstate(invalid="ignore", divide="ignore"):
            broke.append(_shares(breaks, of_span, spans))
        worst.append(
            np.stack(
                [
                    strain(_figures(recent, span, which[..., span]), each)
                    for which, span in zip(of_span, spans, strict=True)
                ],
                axis=-1,
            )
        )
        forgiven.append(_by_span(left_out, spans) > 0)
        unplanned = back_since(failed & ~planned, FORGIVEN_WINDOWS) if planned.any() else since
        back.append(sound[index] & just_back(unplanned, len(at)))
    most = [2 * unheard[:, span].sum(axis=-1) >= len(span) for span in spans]
    return _Cells(
        _by_span(there, spans),
        np.stack(most, axis=-1),
        np.stack(forgiven),
        np.stack(broke).astype(np.float32),
        np.stack(worst),
        np.stack(back),
    )


def _shares(
    breaks: NDArray[np.bool_], counted: Sequence[NDArray[np.bool_]], spans: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(S, P, n): the share of the windows that count of each span which broke."""
    return np.stack(
        [
            (breaks & which)[..., span].sum(axis=-1) / which[..., span].sum(axis=-1)
            for which, span in zip(counted, spans, strict=True)
        ],
        axis=-1,
    )


def _by_span(windows: NDArray[np.bool_], spans: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """(S, P, n): how many windows (S, P, W) of each span."""
    return np.stack([windows[..., span].sum(axis=-1) for span in spans], axis=-1)


def _figures(
    recent: Recent, span: NDArray[np.int64], counted: NDArray[np.bool_]
) -> dict[str, NDArray[np.floating]]:
    """Of each line over some windows, (S, P): loss of the whole, mean jitter and round trip; NaN where nothing counts."""
    sent, lost, up, down_sent, down = (
        np.where(counted, getattr(recent.counts, name)[..., span], 0).sum(axis=-1)
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
            known = np.isfinite(value) & counted
            out[name] = np.where(known, value, 0.0).sum(axis=-1) / known.sum(axis=-1)
    return out
