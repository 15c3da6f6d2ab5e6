"""Round-trip time over one window, of a stream or of a ping."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from telemetry.histogram_grid import Sparse
from telemetry.messages.checks import check_pairs
from telemetry.messages.fields import Ms

_ROUNDING: Final = 1e-9
"""A mean of equal numbers may come out a little beside them."""


class RoundTrip(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Round-trip time (T4-T1)-(T3-T2) over one window."""

    min_ms: Ms
    """The least."""
    mean_ms: Ms
    """The mean."""
    p50_ms: Ms
    """The median."""
    p95_ms: Ms
    """95th percentile."""
    p99_ms: Ms
    """99th percentile."""
    max_ms: Ms
    """The most."""
    hist: Sparse = ()
    """All of them as pairs of bin and count (`telemetry.histogram`)."""

    def __post_init__(self) -> None:
        check_pairs(self.hist, "hist")
        if not self.min_ms <= self.p50_ms <= self.p95_ms <= self.p99_ms <= self.max_ms:
            raise ValueError("min_ms, p50_ms, p95_ms, p99_ms, max_ms do not rise")
        if not self.min_ms * (1 - _ROUNDING) <= self.mean_ms <= self.max_ms * (1 + _ROUNDING):
            raise ValueError(f"mean_ms {self.mean_ms} lies outside of {self.min_ms} to {self.max_ms}")
