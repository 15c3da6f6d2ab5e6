"""The columns of a stored stream window: one list for rows, packed blocks, roll-ups and points.

Types are fixed for ever. Counts stay integers; a figure that can be absent is float64 with NaN.
"""

from __future__ import annotations

from typing import Final

import numpy as np

KEY_COLUMNS: Final[dict[str, type]] = {
    "site": np.int32,  # index into the table's `sites`
    "probe": np.int32,  # index into the table's `probes`; within a site a path belongs to one probe, but for a while (decision 218)
    "path": np.int32,  # index into the table's `paths`
    "start_ns": np.int64,
    "received_ns": np.int64,
}
_DIRECTION_COUNTS: Final = (
    "sent",
    "received",
    "lost",
    "duplicated",
    "reordered",
    "longest_loss_run",
    "worst_200ms_lost",
    "worst_200ms_sent",
)
_DIRECTION_FLOATS: Final = (
    "bitrate_bps",
    "jitter_ms",
    "jitter_max_ms",
    "ipdv_p50_ms",
    "ipdv_p99_ms",
    "pdv_p50_ms",
    "pdv_p99_ms",
    "pdv_p999_ms",
)
COUNT_COLUMNS: Final[tuple[str, ...]] = (
    "sent",
    "received",
    "lost",
    "lost_unattributed",
    "longest_loss_run",
    "worst_200ms_lost",
    "worst_200ms_sent",
    "straddled",
    "reflector_restarts",
    "stateful",
    "stamps",  # t1 | t2 << 4 | t3 << 8 | t4 << 12
    "late_sends",  # of the probe, from the envelope
    "rx_drops",
    "clock_state",
    "emulated",  # 1: made by the lab's history, not measured
    *(f"up_{name}" for name in _DIRECTION_COUNTS),
    *(f"down_{name}" for name in _DIRECTION_COUNTS),
)
FLOAT_COLUMNS: Final[tuple[str, ...]] = (
    "rate_pps",
    *(f"up_{name}" for name in _DIRECTION_FLOATS),
    *(f"down_{name}" for name in _DIRECTION_FLOATS),
    *(f"rtt_{name}" for name in ("min_ms", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")),
    "clock_error_ms",
)
HISTOGRAM_COLUMNS: Final[tuple[str, ...]] = (
    "rtt_hist",
    "up_pdv_hist",
    "down_pdv_hist",
    "up_ipdv_hist",
    "down_ipdv_hist",
)

WINDOW_VALUE_COLUMNS: Final[tuple[str, ...]] = (
    "sent",
    "lost",
    "up_lost",
    "down_lost",
    "worst_200ms_lost",
    "worst_200ms_sent",
    "up_worst_200ms_lost",
    "up_worst_200ms_sent",
    "down_worst_200ms_lost",
    "down_worst_200ms_sent",
    "up_jitter_ms",
    "down_jitter_ms",
    "rtt_p95_ms",
)
"""What a five-minute roll-up keeps of each of its 20 windows, so that they can be judged again under another profile
(float32, NaN where the window is absent)."""
