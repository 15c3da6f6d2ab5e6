"""One office with a long past: eight weeks of roll-ups, a level that moved, a gap, a rehearsal, a live call and a report kept whole."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from msgspec import structs

from lab.past.history import past_of, write_history
from telemetry.messages import Call, Rehearsal, Rung
from telemetry.store.protocol import Received
from telemetry.store.tables import Ragged
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS, window_start
from tests.wall.story import NOW_NS, PATHS, envelope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemetry.messages import Envelope
    from telemetry.store.protocol import ReportStore
    from telemetry.store.tables import RollupTable, StreamTable
    from tests.wall.storied_fleet import Fleet

SITE: Final = "lucknow"
MOVED_NS: Final = NOW_NS - NOW_NS % HOUR_NS - 40 * DAY_NS
"""From then on every round trip is `SLOWER` times as long."""
SLOWER: Final = 1.02**20
GAP_NS: Final = (NOW_NS - NOW_NS % HOUR_NS - 30 * HOUR_NS, NOW_NS - NOW_NS % HOUR_NS - 28 * HOUR_NS)
"""Two hours without a report."""


class _Moving:
    """A store that takes the past in, slower from `MOVED_NS` on and with the gap."""

    def __init__(self, store: ReportStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def import_rollups(self, table: RollupTable) -> None:
        rows = _outside_the_gap(np.asarray(table.columns["slot_ns"]))
        late = np.asarray(table.columns["slot_ns"]) >= MOVED_NS
        columns = {n: _slower(n, np.asarray(v), late)[rows] for n, v in table.columns.items()}
        values = {n: _slower(n, v, late)[rows] for n, v in table.window_values.items()}
        histograms = {n: _moved(n, h, late, rows) for n, h in table.histograms.items()}
        self._store.import_rollups(
            replace(table, columns=columns, window_values=values, histograms=histograms)
        )

    def import_streams(self, table: StreamTable) -> None:
        starts = np.asarray(table.columns["start_ns"])
        rows = _outside_the_gap(starts)
        late = starts >= MOVED_NS
        columns = {n: _slower(n, np.asarray(v), late)[rows] for n, v in table.columns.items()}
        histograms = {n: _moved(n, h, late, rows) for n, h in table.histograms.items()}
        self._store.import_streams(replace(table, columns=columns, histograms=histograms))


def _outside_the_gap(starts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero((starts < GAP_NS[0]) | (starts >= GAP_NS[1]))


def _slower(name: str, values: NDArray[np.generic], late: NDArray[np.bool_]) -> NDArray[np.generic]:
    if not (name.startswith("rtt_") and name.endswith("_ms")):
        return values
    factor = np.where(late, SLOWER, 1.0)
    return cast(
        "NDArray[np.generic]", values * (factor[:, None] if values.ndim == 2 else factor).astype(values.dtype)
    )


def _moved(name: str, ragged: Ragged, late: NDArray[np.bool_], rows: NDArray[np.int64]) -> Ragged:
    widths = np.diff(ragged.offsets)
    bins = ragged.bins + (20 * np.repeat(late, widths) if name == "rtt_hist" else 0)
    kept = np.zeros(len(widths), dtype=bool)
    kept[rows] = True
    inside = np.repeat(kept, widths)
    offsets = np.concatenate(([0], np.cumsum(widths[rows])))
    return Ragged(offsets, bins[inside].astype(np.int32), ragged.counts[inside])


def tell_long_past(fleet: Fleet, weeks: float = 8.0) -> None:
    """Give `SITE` its past, a rehearsal two hours ago and a call that goes on."""
    plan = past_of(fleet.live.current, weeks=weeks, now_ns=NOW_NS)
    only = copy(plan.places)
    only.sites = tuple(site for site in only.sites if site.id == SITE)
    moving = cast("ReportStore", _Moving(fleet.store))
    write_history(replace(plan, places=only), moving, lambda _: None, workers=0)
    rehearsed_ns = window_start(NOW_NS - 2 * HOUR_NS)
    reports = [
        structs.replace(envelope(SITE, 900_001, rehearsed_ns), items=(rehearsal(),)),
        *(
            with_call(seq, window_start(NOW_NS) - back * WINDOW_NS)
            for seq, back in ((900_002, 4), (900_003, 2))
        ),
    ]
    fleet.store.append(
        [Received(each, max(each.start_ns + 20 * SECOND_NS, NOW_NS - 60 * SECOND_NS)) for each in reports]
    )


def rehearsal() -> Rehearsal:
    """Held up to 360p on the way up, 720p on the way down."""
    rungs = (("audio", 64e3), ("360p", 0.8e6), ("720p", 1.8e6))
    up = [
        Rung(name=n, held=n != "720p", bitrate_bps=b, sent=2000, lost=61 if n == "720p" else 0)
        for n, b in rungs
    ]
    down = [Rung(name=n, held=True, bitrate_bps=b, sent=2000, lost=1) for n, b in rungs]
    return Rehearsal(path=PATHS[0], rehearsal_id="story", up=tuple(up), down=tuple(down))


def with_call(seq: int, start_ns: int) -> Envelope:
    """A live report whose probe sees four media flows."""
    whole = envelope(SITE, seq, start_ns, rtt_ms=30.0)
    flows = tuple(
        Call(
            flow=f"{media}-{way}",
            media=media,
            direction=way,
            packets=packets,
            lost=lost,
            bitrate_bps=rate,
            jitter_ms=jitter,
            frames_per_s=24.8 if media == "video" else None,
            freezes=1 if (media, way) == ("video", "up") else 0,
            estimated=True,
        )
        for media, way, packets, lost, rate, jitter in (
            ("audio", "up", 750, 2, 41_000.0, 3.1),
            ("audio", "down", 750, 0, 39_500.0, 2.4),
            ("video", "up", 2210, 31, 1_240_000.0, 6.2),
            ("video", "down", 2300, 3, 1_310_000.0, 4.0),
        )
    )
    return structs.replace(whole, items=(*whole.items, *flows))
