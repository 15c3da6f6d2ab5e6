"""The truth of a span as a flat table of figures, for people and machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lab.line.truth_reader import SpanTruth


def summary(truth: SpanTruth) -> dict[str, int | float]:
    """Counts and delays (ms) by name; a figure that nothing was measured for is left out."""
    out: dict[str, int | float] = {
        "sent": truth.sent,
        "received": truth.received,
        "lost": truth.lost,
        "late": truth.late,
        "unanswered": truth.unanswered,
    }
    for name, way in (("up", truth.up), ("down", truth.down)):
        out |= {
            f"{name}.lost": way.lost,
            f"{name}.duplicated": way.duplicated,
            f"{name}.reordered": way.reordered,
        }
        out |= _quantiles(f"{name}.delay", way.delay_ns)
        if len(way.delay_ns):
            out[f"{name}.jitter_ms"] = way.jitter_ms
    out |= _quantiles("rtt", truth.rtt_ns)
    if len(truth.rtt_ns):
        out["resolution_ms"] = truth.resolution_ns / 1e6
    return out


def _quantiles(name: str, delay_ns: NDArray[np.int64]) -> dict[str, float]:
    if not len(delay_ns):
        return {}
    ordered = np.sort(delay_ns)
    ranks = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {
        f"{name}.{label}_ms": float(ordered[max(int(np.ceil(p * len(ordered))) - 1, 0)]) / 1e6
        for label, p in ranks.items()
    }
