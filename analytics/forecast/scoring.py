"""How good forecasts were: Brier score and skill, intervals, reliability, hits and false alarms, lead time.

Everything speaks of the chance that a line *holds* (`chance`) and whether it did (`held`); M forecasts each.
A forecast that is NaN was not made: callers drop it first and state how many there were (`made`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from telemetry.line_slots import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BINS: Final = 10
DRAWS: Final = 1000
LEVEL: Final = 0.9
"""Of the intervals: nine of ten draws of blocks lie within."""


class Interval(msgspec.Struct, frozen=True):
    """A figure with the bounds between which `level` of the block-bootstrap draws lie."""

    value: float
    low: float
    high: float
    level: float = LEVEL


class Reliability(msgspec.Struct, frozen=True):
    """Forecasts by tenths of chance: how many, their mean chance, the share that held; None where a bin is empty."""

    counts: tuple[int, ...]
    chance: tuple[float | None, ...]
    held: tuple[float | None, ...]


class Flags(msgspec.Struct, frozen=True):
    """What flagging every forecast below `threshold` would have done."""

    threshold: float
    flagged: int
    failed: int
    hit_rate: float
    """Share of the failures that were flagged; NaN without failures."""
    false_alarm_rate: float
    """Share of the flags after which the line held; NaN without flags."""
    false_positive_rate: float
    """Share of the spans that held which were flagged."""


def brier(chance: NDArray[np.float64], held: NDArray[np.bool_]) -> float:
    """Mean squared difference between chance and outcome, 0 best (Brier 1950); NaN for no forecasts."""
    return float(np.mean((chance - held) ** 2)) if len(chance) else float("nan")


def is_yardstick(reference: NDArray[np.float64], held: NDArray[np.bool_]) -> bool:
    """Whether a reference errs enough to be compared with: all its errors together weigh at least one forecast that missed wholly.

    M forecasts tell no Brier score below 1 / M from none; a share of less is noise, however many digits it has.
    """
    return bool(np.sum((reference - held) ** 2) >= 1.0)


def skill_interval(
    chance: NDArray[np.float64],
    reference: NDArray[np.float64],
    held: NDArray[np.bool_],
    block: NDArray[np.int64],
    *,
    seed: int = 1,
) -> Interval:
    """Brier skill, the share of the reference's Brier score that is saved: 1 perfect, 0 no better; all NaN unless `is_yardstick`.

    Its interval is by drawing whole blocks (M,) with replacement: forecasts of a block hang together.
    """
    if not is_yardstick(reference, held):
        return Interval(*[float("nan")] * 3)
    ours, theirs = (chance - held) ** 2, (reference - held) ** 2
    sums = block_sums(np.stack([ours, theirs], axis=-1), block)
    return _interval(sums, lambda s: 1.0 - s[..., 0] / s[..., 1], seed)


def brier_interval(
    chance: NDArray[np.float64],
    held: NDArray[np.bool_],
    block: NDArray[np.int64],
    *,
    seed: int = 1,
) -> Interval:
    """Brier score with its block-bootstrap interval."""
    sums = block_sums(np.stack([(chance - held) ** 2, np.ones(len(held))], axis=-1), block)
    return _interval(sums, lambda s: s[..., 0] / s[..., 1], seed)


def reliability(chance: NDArray[np.float64], held: NDArray[np.bool_]) -> Reliability:
    """Forecasts in ten bins of equal width, the last closed."""
    sums = _bin_sums(chance, held, np.zeros(len(held), dtype=np.int64))[0]
    counts = sums[:, 0]
    return Reliability(
        counts=tuple(int(n) for n in counts),
        chance=tuple(float(s / n) if n else None for s, n in zip(sums[:, 1], counts, strict=True)),
        held=tuple(float(s / n) if n else None for s, n in zip(sums[:, 2], counts, strict=True)),
    )


def calibration_error(
    chance: NDArray[np.float64],
    held: NDArray[np.bool_],
    block: NDArray[np.int64],
    *,
    seed: int = 1,
) -> Interval:
    """Mean distance between chance and share held over ten bins, weighted by their forecasts (ECE), with its interval.

    The bootstrap's bias is not taken out: chance alone makes the error of few forecasts positive.
    """
    sums = _bin_sums(chance, held, np.unique(block, return_inverse=True)[1])
    return _interval(sums, _ece, seed)


def flags(chance: NDArray[np.float64], held: NDArray[np.bool_], threshold: float) -> Flags:
    """Hits and false alarms of "not ready" said of every chance below the threshold."""
    flagged, failed = chance < threshold, ~held
    hits, flagged_count, failures = int((flagged & failed).sum()), int(flagged.sum()), int(failed.sum())
    held_count = len(held) - failures
    return Flags(
        threshold=threshold,
        flagged=flagged_count,
        failed=failures,
        hit_rate=_share(hits, failures),
        false_alarm_rate=_share(flagged_count - hits, flagged_count),
        false_positive_rate=_share(flagged_count - hits, held_count),
    )


def lead_ns(
    chance: NDArray[np.float64],
    pair: NDArray[np.int64],
    ahead_ns: NDArray[np.int64],
    threshold: float,
) -> NDArray[np.int64]:
    """How long ahead each pair was flagged for good, by number of the pair: (max(pair) + 1,), -1 where it was not.

    Of the forecasts of one (office, meeting) pair, the earliest from which every later one lay below the threshold. One that
    was not made (NaN) lies below none, as in `flags`.
    """
    pairs = int(pair.max()) + 1 if len(pair) else 0
    last_fine = np.full(pairs, NEVER)
    fine = ~(chance < threshold)
    np.minimum.at(last_fine, pair[fine], ahead_ns[fine])
    lead = np.full(pairs, -1, dtype=np.int64)
    counts = ahead_ns < last_fine[pair]
    np.maximum.at(lead, pair[counts], ahead_ns[counts])
    return lead


def made(chance: NDArray[np.float64]) -> float:
    """Share of the forecasts that gave a number; NaN for none asked."""
    return float(np.isfinite(chance).mean()) if len(chance) else float("nan")


def block_sums(values: NDArray[np.float64], block: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of `values` (M, K) by block: (B, K), blocks in ascending order."""
    numbers, of = np.unique(block, return_inverse=True)
    sums = np.zeros((len(numbers), values.shape[1]))
    np.add.at(sums, of, values)
    return sums


def drawn(sums: NDArray[np.float64], *, draws: int = DRAWS, seed: int = 1) -> NDArray[np.float64]:
    """Totals of `draws` samples of B blocks with replacement: (draws, ...) from sums by block (B, ...)."""
    blocks = len(sums)
    weights = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1.0 / blocks), size=draws)
    return np.tensordot(weights.astype(np.float64), sums, axes=1)


def _interval(
    sums: NDArray[np.float64],
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    seed: int,
) -> Interval:
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(figure(sums.sum(axis=0)))
        low, high = np.nanquantile(figure(drawn(sums, seed=seed)), [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Interval(value, float(low), float(high))


def _bin_sums(
    chance: NDArray[np.float64], held: NDArray[np.bool_], block: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(B, 10, 3): forecasts, sum of chances, number held, by block (numbers without a hole) and bin."""
    blocks = int(block.max()) + 1 if len(block) else 1
    which = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    sums = np.zeros((blocks, BINS, 3))
    np.add.at(sums, (block, which), np.stack([np.ones(len(held)), chance, held.astype(np.float64)], axis=-1))
    return sums


def _ece(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(sums[..., 1] - sums[..., 2]).sum(axis=-1) / sums[..., 0].sum(axis=-1))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
