"""Reports as such: when each came, and what it carried beside streams."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry.store.assembly import COMMIT
from telemetry.store.server import packed
from telemetry.store.server.points import WINDOW_LANES
from telemetry.store.sqlite.items import packed_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from telemetry.messages import Envelope
    from telemetry.store.assembly import Origin
    from telemetry.store.tables import StreamTable


@dataclass(frozen=True, slots=True, eq=False)
class Contacts:
    """n reports: whose each is, its columns (start_ns, received_ns, commit, lane and the probe's state), its items."""

    sites: Sequence[str]
    probes: Sequence[str]
    columns: Mapping[str, NDArray[Any]]
    items: Sequence[bytes | None] = ()


_INTEGERS: Final = (
    *("start_ns", "received_ns", COMMIT, "lane", "emulated"),
    *("late_sends", "rx_drops", "clock_state", "clock_steps"),
)
_FLOATS: Final = ("clock_error_ms", "clock_offset_ms", "cpu_ratio", "late_max_ms")


def of_reports(reports: Sequence[tuple[Envelope, Origin]]) -> Contacts:
    """The contacts of reports."""
    integers = np.array([_integers(*pair) for pair in reports], np.int64).reshape(-1, len(_INTEGERS))
    floats = np.array([_floats(e) for e, _ in reports], np.float64).reshape(-1, len(_FLOATS))
    columns: dict[str, NDArray[Any]] = dict(zip(_INTEGERS, integers.T, strict=True))
    columns |= zip(_FLOATS, floats.T, strict=True)
    items = [list(packed_items([pair])) for pair in reports]
    return Contacts(
        [e.site for e, _ in reports],
        [e.probe for e, _ in reports],
        columns,
        [packed.pack_items(some) if some else None for some in items],
    )


def _integers(e: Envelope, origin: Origin) -> tuple[int, ...]:
    """In the order of `_INTEGERS`."""
    own = e.self_report
    lane = e.seq % WINDOW_LANES.count
    whose = (e.start_ns, origin.received_ns, origin.commit, lane, origin.emulated)
    return (*whose, own.late_sends, own.rx_drops, e.clock.state, own.clock_steps)


def _floats(e: Envelope) -> list[float]:
    """In the order of `_FLOATS`; NaN where absent."""
    own = e.self_report
    found = (e.clock.error_ms, e.clock.offset_ms, own.cpu_ratio, own.late_max_ms)
    return [math.nan if value is None else value for value in found]


def of_windows(table: StreamTable) -> Contacts:
    """The contacts behind windows of another origin: one for each probe and window."""
    c = table.columns
    key = (c["site"].astype(np.int64) * max(len(table.probes), 1) + c["probe"], c["start_ns"])
    _, first = (
        np.unique(np.stack(key), axis=1, return_index=True) if len(table) else (None, np.zeros(0, np.int64))
    )
    columns = {name: c[name][first] for name in ("start_ns", "received_ns", COMMIT, "emulated")}
    columns["lane"] = lanes_of_windows(c[COMMIT][first])
    return Contacts(
        [table.sites[i] for i in c["site"][first].tolist()],
        [table.probes[i] for i in c["probe"][first].tolist()],
        columns,
    )


def lanes_of_windows(commits: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lane of windows whose seq is not known any more: imports (commit 0), and what an upgrade made readable."""
    return commits % WINDOW_LANES.count
