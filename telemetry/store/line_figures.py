"""The three figures of a line by which people know it: round trip, jitter and loss of every five minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from telemetry.store.grid import slot_grid
from telemetry.store.protocol import Selection
from telemetry.windows import slot_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemetry.store.protocol import StoreReader

Figure: TypeAlias = Literal["rtt", "jitter", "loss"]
_COLUMNS: Final = ("sent", "lost", "up_jitter_ms", "down_jitter_ms", "rtt_p50_ms")


def line_figures(
    reader: StoreReader, sites: Sequence[str], paths: Sequence[str], start_ns: int, end_ns: int
) -> dict[Figure, NDArray[np.float64]]:
    """(S, P, T) of each figure from the slot of `start_ns` on, NaN where nothing was measured.

    Round trip (median) and jitter (of the worse direction) in ms, loss as a ratio 0..1.

    Raises:
        StoreError: the store cannot be read.
    """
    start_ns = slot_start(start_ns)
    wanted = Selection(start_ns, end_ns, tuple(sites), tuple(paths))
    table = reader.rollups(wanted, histograms=False, columns=_COLUMNS, window_values=())
    slots = slot_grid(table, sites, paths, start_ns, end_ns, _COLUMNS)
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = slots["lost"] / slots["sent"]
    jitter = np.fmax(slots["up_jitter_ms"], slots["down_jitter_ms"])
    return {"rtt": slots["rtt_p50_ms"], "jitter": jitter, "loss": np.where(slots["sent"] > 0, loss, np.nan)}
