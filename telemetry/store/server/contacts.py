"""Reports as such: when each came, and what it carried beside streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


def of_reports(reports: Sequence[tuple[Envelope, Origin]]) -> Contacts:
    """The contacts of reports."""
    nan = float("nan")
    integers = np.array(
        [
            (
                e.start_ns,
                o.received_ns,
                o.commit,
                e.seq % WINDOW_LANES.count,
                o.emulated,
                e.self_report.late_sends,
                e.self_report.rx_drops,
                e.clock.state,
                e.self_report.clock_steps,
            )
            for e, o in reports
        ],
        np.int64,
    ).reshape(-1, 9)
    floats = np.array(
        [
            [
                nan if value is None else value
                for value in (
                    e.clock.error_ms,
                    e.clock.offset_ms,
                    e.self_report.cpu_ratio,
                    e.self_report.late_max_ms,
                )
            ]
            for e, _ in reports
        ],
        np.float64,
    ).reshape(-1, 4)
    names = (
        "start_ns",
        "received_ns",
        COMMIT,
        "lane",
        "emulated",
        "late_sends",
        "rx_drops",
        "clock_state",
        "clock_steps",
    )
    columns: dict[str, NDArray[Any]] = dict(zip(names, integers.T, strict=True))
    columns |= zip(("clock_error_ms", "clock_offset_ms", "cpu_ratio", "late_max_ms"), floats.T, strict=True)
    items = [list(packed_items([pair])) for pair in reports]
    return Contacts(
        [e.site for e, _ in reports],
        [e.probe for e, _ in reports],
        columns,
        [packed.pack_items(some) if some else None for some in items],
    )


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
