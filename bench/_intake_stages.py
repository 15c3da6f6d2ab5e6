"""Where a collector's time goes: CPU time by stage, each without what it calls of the others."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from collector import commits, intake, link
from collector.committer import Committer
from collector.inbox import Inbox
from telemetry.messages import round_trip, stream
from telemetry.store import packing
from telemetry.store.sqlite import SqliteStore, prepared, recent
from telemetry.store.sqlite import intake as sqlite_intake

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


class Stages:
    """Nanoseconds of CPU by stage, from wrappers around the functions of the intake."""

    def __init__(self) -> None:
        self.spent_ns: defaultdict[str, int] = defaultdict(int)
        self._local = threading.local()

    def watch(self) -> None:
        """Put the wrappers in place; there is no way back, so only in a process of its own."""
        for owner, name, stage in (
            (link.Link, "buffer_updated", "MQTT in: read and parse"),
            (link.Link, "_read_on", "MQTT in: read and parse"),
            (link.Link, "_flush", "MQTT out: acknowledgements"),
            (Committer, "_settle", "MQTT out: acknowledgements"),
            (Inbox, "put", "fair queue"),
            (Inbox, "_draw", "fair queue"),
            (commits, "examine", "examine (topic, site, date)"),
            (intake, "decode", "decode JSON to typed reports"),
            (stream, "check_pairs", "check histograms"),
            (round_trip, "check_pairs", "check histograms"),
            (SqliteStore, "prepare", "rows: gather values"),
            (prepared, "packed_records", "rows: pack records"),
            (recent, "report_rows", "rows: gather values"),
            (packing, "squeeze_all", "zstd of payloads"),
            (commits, "_sort_all", "sort messages, free reports"),
            (sqlite_intake, "take", "ledger, insert rows"),
            (SqliteStore, "append", "commit (WAL, checkpoint)"),
        ):
            setattr(owner, name, self._timed(stage, getattr(owner, name)))

    def table(self, reports: int, total_s: float) -> dict[str, dict[str, float]]:
        """µs a report and % of all CPU time, the greatest first; what no wrapper saw is `the rest`."""
        spent = dict(sorted(self.spent_ns.items(), key=lambda item: -item[1]))
        spent["the rest (event loop, threads, confirmations)"] = round(1e9 * total_s) - sum(spent.values())
        return {
            stage: {"us": ns / 1e3 / reports, "pct": 100 * ns / 1e9 / total_s} for stage, ns in spent.items()
        }

    def _timed(self, stage: str, call: Callable[P, R]) -> Callable[P, R]:
        local, spent, now = self._local, self.spent_ns, time.thread_time_ns

        def timed(*args: P.args, **more: P.kwargs) -> R:
            stack: list[int] = local.__dict__.setdefault("stack", [])
            began = now()
            stack.append(0)
            try:
                return call(*args, **more)
            finally:
                took = now() - began
                spent[stage] += took - stack.pop()
                if stack:
                    stack[-1] += took

        return timed
