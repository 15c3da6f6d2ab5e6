"""From delays of a window's packets to the figures of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from telemetry.arrays import np
from telemetry.histogram import sparse
from telemetry.messages import RoundTrip
from telemetry.metrics.percentile import of_sorted
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.metering.jitter_state import WindowJitter
    from telemetry.histogram_grid import Sparse


class VariationFigures(TypedDict, total=False):
    """The delay variation fields of `telemetry.messages.Direction`; those that are not known are left out."""

    jitter_ms: float
    jitter_max_ms: float
    ipdv_p50_ms: float
    ipdv_p99_ms: float
    ipdv_hist: Sparse
    pdv_p50_ms: float
    pdv_p99_ms: float
    pdv_p999_ms: float
    pdv_hist: Sparse


def round_trip(rtt_ns: NDArray[np.int64]) -> RoundTrip | None:
    """Round-trip times in the words of a report; None for none."""
    if not len(rtt_ns):
        return None
    ordered = np.sort(np.maximum(rtt_ns, 0))
    p50, p95, p99 = (of_sorted(ordered, (0.50, 0.95, 0.99)) / MS_NS).tolist()
    return RoundTrip(
        min_ms=float(ordered[0]) / MS_NS,
        mean_ms=float(ordered.mean()) / MS_NS,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=float(ordered[-1]) / MS_NS,
        hist=sparse(ordered),
    )


def pdv_ns(delay_ns: NDArray[np.int64], era: NDArray[np.int64]) -> NDArray[np.int64]:
    """Delay above the least of the window (RFC 5481); above the least of its era where a clock was stepped."""
    out = delay_ns.copy()
    for one in np.unique(era):
        out[era == one] -= delay_ns[era == one].min()
    return out


def variation(
    jitter: WindowJitter | None,
    delay_ns: NDArray[np.int64],
    era: NDArray[np.int64],
    ipdv_ns: NDArray[np.int64],
) -> VariationFigures:
    """Jitter, PDV of the window's delays, |IPDV| of its pairs."""
    figures = VariationFigures()
    if jitter is not None:
        figures["jitter_ms"], figures["jitter_max_ms"] = jitter.mean_ms, jitter.max_ms
    if len(ipdv_ns):
        ordered = np.sort(np.abs(ipdv_ns))
        p50, p99 = (of_sorted(ordered, (0.50, 0.99)) / MS_NS).tolist()
        figures["ipdv_p50_ms"], figures["ipdv_p99_ms"], figures["ipdv_hist"] = p50, p99, sparse(ordered)
    if len(delay_ns):
        ordered = np.sort(pdv_ns(delay_ns, era))
        p50, p99, p999 = (of_sorted(ordered, (0.50, 0.99, 0.999)) / MS_NS).tolist()
        figures["pdv_p50_ms"], figures["pdv_p99_ms"], figures["pdv_p999_ms"] = p50, p99, p999
        figures["pdv_hist"] = sparse(ordered)
    return figures
