"""An office that was away for months: a million reports in its spool, live ones first, the rest at a bounded rate, in little memory."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import TYPE_CHECKING, Final

from probes.publishing.send_queue import WINDOW, SendQueue
from probes.publishing.spool import Spool
from telemetry.intervals import IntervalSet
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from pathlib import Path

REPORTS: Final = 1_000_000
DRAINED: Final = 60_000
PACE_NS: Final = SECOND_NS // 20


def test_a_million_spooled_reports_are_known_by_ranges(tmp_path: Path) -> None:
    """Opening such a spool and asking what it holds costs a range of numbers, not a million of them."""
    with contextlib.closing(Spool(tmp_path / "spool.db", site="agra", probe="p1")) as spool:
        spool._db.execute("BEGIN")
        spool._db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO report SELECT i, 0, 'b', 0, 0, 1, 0, x'00' FROM n WHERE i != 5000",
            (REPORTS,),
        )
        spool._db.execute("COMMIT")
        tracemalloc.start()
        held = spool.held()
        queue = SendQueue()
        queue.reconcile(held)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert list(held) == [(1, 4999), (5001, REPORTS)]
    assert peak < 100_000


def test_a_million_spooled_reports_drain_behind_the_live_ones() -> None:
    """Of a million, the first 60,000 at twenty a second: live ones at once, the oldest first, never more than the window kept."""
    queue, now_ns = SendQueue(), 0
    queue.reconcile(IntervalSet([(1, REPORTS)]))
    newest = sent = live_sent = 0
    next_live_ns, told_ns = 0, 0
    most_awaiting = 0
    tracemalloc.start()
    while sent < DRAINED:
        if now_ns >= next_live_ns:
            newest += 1
            queue.add(REPORTS + newest, now_ns)
            next_live_ns += WINDOW_NS
        live = queue.next_live(now_ns)
        if live is not None:
            live_sent += 1
            assert live == REPORTS + live_sent
            queue.sent(live, now_ns)
        old = queue.next_backlog(now_ns)
        if old is not None:
            sent += 1
            assert old == sent  # the oldest first, none twice
            queue.sent(old, now_ns)
        if now_ns >= told_ns:  # the hub's `stored`, every 15 s
            most_awaiting = max(most_awaiting, queue.awaiting)
            queue.stored(REPORTS + live_sent, IntervalSet([(sent + 1, REPORTS)]))
            told_ns += WINDOW_NS
        now_ns += PACE_NS
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert live_sent == newest
    assert newest >= DRAINED // 20 // 15
    assert most_awaiting <= WINDOW
    assert peak < 2_000_000
