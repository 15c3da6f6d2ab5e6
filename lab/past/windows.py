"""Windows of the past: what a probe would have reported of lines in given states, drawn by lot.

The laws are those of the live lab (`lab.line.direction`): independent or bursty losses at the line's ratio, delays with
an exponential jitter, so that J tends to the line's jitter. Drawn are the figures of windows, not the packets:
a binomial number of losses, extremes and percentiles from the laws of order statistics with the noise that so many packets have.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.line.direction import IP_UDP_BYTES
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lab.past.lines import LineStates

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PACKET_BYTES: Final = IP_UDP_BYTES + DEFAULT_PAYLOAD
"""What a probe's packet measures at the IP layer."""
_WINDOW_S: Final = WINDOW_NS / SECOND_NS
_HOPS_MS: Final = 0.08
"""What the machine itself adds to a round trip through the live lab."""
_GAMMA2: Final = {0.5: 1.6783, 0.95: 4.7439, 0.99: 6.6384}
"""Quantiles of the sum of two exponential delays of mean 1 (gamma, shape 2)."""
_REPORT_NS: Final = 3_200_000_000
"""A window is closed 3 s after its end and reported within the next second."""


@dataclass(slots=True)
class DirectionWindows:
    """One direction; arrays (P, n)."""

    sent: Ints
    received: Ints
    lost: Ints
    longest_loss_run: Ints
    worst_200ms_lost: Ints
    worst_200ms_sent: Ints
    jitter_ms: Floats
    jitter_max_ms: Floats
    scale_ms: Floats
    """The line's jitter: the scale of PDV and IPDV."""

    def cut(self, span: slice) -> DirectionWindows:
        """Some of the windows, as views."""
        return DirectionWindows(**{field.name: getattr(self, field.name)[:, span] for field in fields(self)})


@dataclass(slots=True)
class Windows:
    """One office's windows; arrays (P, n). Figures of a window without a reply are NaN."""

    start_ns: Ints
    """(n,)"""
    received_ns: Ints
    """(n,)"""
    there: NDArray[np.bool_]
    """(n,) False where nothing was measured."""
    rate_pps: Floats
    """(n,)"""
    sent: Ints
    received: Ints
    lost_unattributed: Ints
    up: DirectionWindows
    down: DirectionWindows
    rtt_base_ms: Floats
    rtt_scale_ms: Floats
    rtt_ms: dict[str, Floats]
    """min, mean, p50, p95, p99, max."""

    def between(self, start_ns: int, end_ns: int) -> Windows:
        """The windows that start in `[start_ns, end_ns)`, as views."""
        span = slice(*np.searchsorted(self.start_ns, (start_ns, end_ns)))
        rest = {
            field.name: getattr(self, field.name)[..., span]
            for field in fields(self)
            if field.name not in ("up", "down", "rtt_ms")
        }
        return Windows(
            up=self.up.cut(span),
            down=self.down.cut(span),
            rtt_ms={name: values[:, span] for name, values in self.rtt_ms.items()},
            **rest,
        )


def draw(states: LineStates, rate_pps: Floats, lot: np.random.Generator) -> Windows:
    """Windows for an office's lines.

    Args:
        states: the lines over n windows.
        rate_pps: packet rate in each window, (n,).
        lot: the source of chance.
    """
    shape = states.out_share.shape
    sent = np.tile(np.rint(rate_pps * _WINDOW_S).astype(np.int64), (shape[0], 1))
    out = np.rint(states.out_share * sent).astype(np.int64)
    reached = sent - out
    up_lost = _losses(lot, reached, states.loss_ratio[0], states.burst_ms[0], rate_pps)
    down_sent = reached - up_lost
    down_lost = _losses(lot, down_sent, states.loss_ratio[1], states.burst_ms[1], rate_pps)
    received = down_sent - down_lost
    # Without any reply in the window nobody can tell in which direction the packets were lost.
    silent = received == 0
    up_certain = np.where(silent, 0, up_lost + out)
    down_certain = np.where(silent, 0, down_lost)
    k = np.maximum(np.rint(rate_pps / 5.0), 1).astype(np.int64)  # packets in 200 ms
    up = _direction(lot, states, 0, (sent, up_certain, np.where(silent, 0, out)), (received, rate_pps, k))
    down_known = np.where(silent, 0, down_sent)
    down = _direction(lot, states, 1, (down_known, down_certain, np.zeros_like(out)), (received, rate_pps, k))
    base_ms = states.delay_ms.sum(axis=0) + _HOPS_MS
    scale_ms = states.jitter_ms.mean(axis=0)
    return Windows(
        start_ns=states.start_ns,
        received_ns=states.held_until_ns + _REPORT_NS + lot.integers(0, SECOND_NS, shape[1]),
        there=~states.dark,
        rate_pps=rate_pps,
        sent=sent,
        received=received,
        lost_unattributed=sent - received - up_certain - down_certain,
        up=up,
        down=down,
        rtt_base_ms=base_ms,
        rtt_scale_ms=scale_ms,
        rtt_ms=_round_trip(lot, base_ms, scale_ms, received),
    )


def _losses(lot: np.random.Generator, sent: Ints, ratio: Floats, burst_ms: Floats, rate_pps: Floats) -> Ints:
    """How many of each window's packets were lost: binomial in bursts of geometric length."""
    if not ratio.any():
        return np.zeros(sent.shape, dtype=np.int64)
    mean_burst = np.maximum(burst_ms * rate_pps / 1e3, 1.0)
    plain = lot.binomial(sent, np.where(mean_burst > 1.0, 0.0, ratio))
    bursty = np.flatnonzero((mean_burst > 1.0) & (ratio > 0))
    if len(bursty):
        b, n = mean_burst.flat[bursty], sent.flat[bursty]
        bursts = lot.poisson(n * ratio.flat[bursty] / b)
        # The sum of `bursts` geometric lengths of mean b is bursts + negative binomial.
        more = lot.negative_binomial(np.maximum(bursts, 1), 1.0 / b)
        plain.flat[bursty] = np.minimum(np.where(bursts > 0, bursts + more, 0), n)
    return np.asarray(plain, dtype=np.int64)


def _direction(
    lot: np.random.Generator,
    states: LineStates,
    d: int,
    counts: tuple[Ints, Ints, Ints],
    window: tuple[Ints, Floats, Ints],
) -> DirectionWindows:
    sent, lost, out = counts
    answered, rate_pps, k = window
    jitter = np.where(answered > 1, states.jitter_ms[d], np.nan)
    # J remembers 16 differences, each as uncertain as it is large: the mean over n packets has a relative error of about 1.2/sqrt(n).
    noise = lot.standard_normal(sent.shape) * 1.2 / np.sqrt(np.maximum(answered, 1))
    peak = lot.standard_normal(sent.shape) * 0.12
    longest, worst = _runs(lot, lost - out, states, d, rate_pps, k)
    mean_j = jitter * np.maximum(1.0 + noise, 0.3)
    return DirectionWindows(
        sent=sent,
        received=sent - lost - np.where(answered == 0, sent, 0),
        lost=lost,
        longest_loss_run=np.maximum(longest, out),
        worst_200ms_lost=np.maximum(worst, np.minimum(out, k)),
        worst_200ms_sent=np.where(sent > 0, k, 0) + np.zeros_like(sent),
        jitter_ms=mean_j,
        jitter_max_ms=mean_j * (1.45 + np.abs(peak)),
        scale_ms=states.jitter_ms[d],
    )


def _runs(  # noqa: PLR0913, PLR0917 - the window and the line
    lot: np.random.Generator, lost: Ints, states: LineStates, d: int, rate_pps: Floats, k: Ints
) -> tuple[Ints, Ints]:
    """Longest run of losses, and most losses in 200 ms, for windows with so many losses."""
    longest, worst = np.minimum(lost, 1), np.minimum(lost, 1)
    some = np.flatnonzero(lost > 1)
    if not len(some):
        return longest, worst
    n = lost.flat[some]
    column = some % lost.shape[1]
    ratio = np.clip(states.loss_ratio[d].flat[some], 1e-6, 0.999)
    packets = rate_pps[column] * _WINDOW_S
    mean = np.maximum(states.burst_ms[d].flat[some] * rate_pps[column] / 1e3, 1.0 / (1.0 - ratio))
    bursts = np.maximum(np.rint(n / mean), 1.0)
    # The longest of `bursts` geometric lengths, by its distribution function F(x)^bursts.
    u = lot.random(len(some)) ** (1.0 / bursts)
    run = np.ceil(np.log1p(-u) / np.log1p(-1.0 / np.maximum(mean, 1.0 + 1e-9)))
    run = np.clip(run, np.ceil(n / bursts), n - bursts + 1).astype(np.int64)
    # Two separate runs may fall into the same 200 ms.
    near = 1.0 - np.exp(-n * (n - 1.0) * (k[column] - 1.0) / packets)
    together = np.minimum(run + (lot.random(len(some)) < near), n)
    longest.flat[some] = np.maximum(run, 1)
    worst.flat[some] = np.minimum(np.maximum(together, 1), k[column])
    return longest, worst


def _round_trip(
    lot: np.random.Generator, base_ms: Floats, scale_ms: Floats, received: Ints
) -> dict[str, Floats]:
    """Round-trip figures of n replies: base plus the sum of two exponential delays of mean `scale_ms`."""
    n = np.maximum(received, 1)
    answered = received > 0
    noise = lot.standard_normal(base_ms.shape) / np.sqrt(n)
    spread = np.maximum(1.0 + 0.8 * noise, 0.4)
    # Least of n: its distribution function is about n x^2/2 for small x. Largest of n: Gumbel about ln n + ln ln n.
    least = np.sqrt(-2.0 * np.log1p(-lot.random(base_ms.shape)) / n)
    gumbel = -np.log(-np.log(np.clip(lot.random(base_ms.shape), 1e-12, 1 - 1e-12)))
    largest = np.maximum(np.log(n) + np.log(np.log(n) + 1.0) + gumbel, 0.0)
    steps = {
        "min": np.minimum(least, 0.9 * _GAMMA2[0.5]),
        "p50": _GAMMA2[0.5] * spread,
        "mean": 2.0 * spread,
        "p95": _GAMMA2[0.95] * spread,
        "p99": _GAMMA2[0.99] * spread,
    }
    steps["min"] = np.minimum(steps["min"], steps["p50"])
    steps["max"] = np.maximum(largest, steps["p99"])
    return {name: np.where(answered, base_ms + scale_ms * factor, np.nan) for name, factor in steps.items()}
