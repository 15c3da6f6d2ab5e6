"""The probes' process under trial: the real agent with real spools, and windows handed in as if measured.

`python -m bench._faults.offices ORDERS` (JSON, `Orders`). Every window carries a mark of its own in `straddled`, and is
told on standard output as `made SITE MARK` before the agent sees it: what was made is known whatever happens to this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from probes.counters import Counters
from probes.measuring.session import ClosedWindow, Session
from probes.publishing.agent import Agent
from probes.publishing.office_settings import BacklogPace, OfficeSettings, Patience
from probes.publishing.report import Draft, report_bytes
from probes.publishing.restart_reason import boot_id
from probes.publishing.spool import Made, Spool
from probes.publishing.spool_file import SpoolError, translated
from telemetry.clock import SystemClock
from telemetry.messages import Clock, ClockState, Direction, RoundTrip, SelfReport, Stamps, Stream
from telemetry.windows import LATE_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from probes.publishing.spool import Slot

BACKLOG_MARK: Final = 1_000_000
"""Marks from here on are of windows that were spooled before the trial began."""
PROBE: Final = "p1"
IMPATIENT: Final = Patience(
    resend_s=1.2,
    resend_cap_s=3.0,
    settle_s=0.1,
    hold_s=0.1,
    hold_cap_s=0.5,
    disk_s=0.15,
    reconnect_s=0.1,
    reconnect_cap_s=0.5,
    connect_s=1.0,
    progress_s=1.5,
)
"""The house's waiting times, about fifty times shorter."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is to do."""

    sites: tuple[str, ...]
    folder: str
    """Of the spools."""
    broker_port: int
    real_ns: int
    monotonic_ns: int
    """The true time at one instant, by both clocks: tells by how much our clock was stepped."""
    first: int
    """Mark of the first live window; greater than 0 after a kill."""
    live: int
    """Live windows of each office in all."""
    backlog: int
    """Reports that lie in each spool from the beginning."""
    per_s: float


def main() -> None:
    """Run until told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    try:
        asyncio.run(_run(orders))
    except SpoolError as error:  # a full disk at the start: as `tatpar probe` ends then, to be started again
        sys.exit(str(error))


async def _run(orders: Orders) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    offices = [settings(orders, site) for site in orders.sites]
    for office in offices:
        if not office.spool.exists():
            fill(office, orders)
    await Agent(offices, Windows(orders), clock=SystemClock()).run(stop)


def settings(orders: Orders, site: str) -> OfficeSettings:
    """One office of the trial."""
    return OfficeSettings(
        site=site,
        probe=PROBE,
        broker_host="127.0.0.1",
        broker_port=orders.broker_port,
        spool=spool_of(orders.folder, site),
        ping_targets=(),
        interface="",
        backlog=BacklogPace(per_second=200.0, per_second_in_meeting=100.0),
        patience=IMPATIENT,
    )


def spool_of(folder: str | Path, site: str) -> Path:
    """Where an office's spool lies."""
    return Path(folder) / f"{site}.db"


def fill(office: OfficeSettings, orders: Orders) -> None:
    """Reports that were made an hour ago and never sent, written in one process before the agent looks."""
    draft_spool = office.spool.with_suffix(".new")
    for left in draft_spool.parent.glob(f"{draft_spool.name}*"):  # of a process that was killed here
        left.unlink()
    spool = Spool(draft_spool, site=office.site, probe=office.probe)
    with contextlib.closing(spool):
        begin_ns = window_start(orders.real_ns) - 3600 * SECOND_NS
        for index in range(orders.backlog):
            start_ns = begin_ns + index * WINDOW_NS
            age_ns = (
                orders.real_ns - start_ns - WINDOW_NS - LATE_NS
            )  # by both clocks, as of one that is right
            made = Made(boot_id(), max(time.monotonic_ns() - age_ns, 0), start_ns + WINDOW_NS + LATE_NS)
            closed = window(office.key, start_ns, BACKLOG_MARK + index)
            draft = Draft(closed, closed.streams, made)
            tell(office.site, BACKLOG_MARK + index)
            spool.append(start_ns, made, partial(_encoded, draft, office.site))
        with translated(draft_spool):  # the disk may fill here too
            spool._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # noqa: SLF001 - so that one rename moves it all
    draft_spool.rename(office.spool)


def _encoded(draft: Draft, site: str, slot: Slot) -> bytes:
    return report_bytes(draft, slot, site, PROBE, Counters())


def tell(site: str, mark: int) -> None:
    """Say that a window was made: at once, whole, and to a pipe, which no full disk stops."""
    os.write(1, f"made {site} {mark}\n".encode())


KEPT_RIGHT: Final = Clock(state=ClockState.SYNCHRONISED)
"""What a machine says whose clock NTP keeps; of others, dates that do not agree with their ages wait (decision 189)."""


def window(office: str, start_ns: int, mark: int) -> ClosedWindow:
    """150 packets, one lost on the way up, and a mark."""
    stream = Stream(
        path="main.state",
        stamps=Stamps(),
        rate_pps=10.0,
        sent=150,
        received=149,
        lost=1,
        up=Direction(sent=150, received=149, lost=1, jitter_ms=0.5, pdv_hist=(10, 100, 200, 49)),
        down=Direction(sent=149, received=149, lost=0, jitter_ms=0.5, ipdv_hist=(12, 148)),
        rtt=RoundTrip(min_ms=9, mean_ms=10, p50_ms=10, p95_ms=12, p99_ms=14, max_ms=20, hist=(460, 149)),
        straddled=mark,
        stateful=True,
    )
    return ClosedWindow(office, start_ns, time.monotonic_ns(), KEPT_RIGHT, SelfReport(), (stream,))


class Windows:
    """Hands out windows at a rate, dated by this process's own clock; measures nothing."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Nothing to start."""

    async def set_sessions(self, sessions: Sequence[Session]) -> None:
        """Nothing to measure."""

    async def stop(self) -> None:
        """Let `windows` end."""
        self._over.set()

    async def windows(self) -> AsyncIterator[ClosedWindow]:
        """The live windows that are left, a round of all offices at a time."""
        orders = self._orders
        for mark in range(orders.first, orders.live):
            start_ns = self._now_ns() - (orders.live - mark) * WINDOW_NS
            for site in orders.sites:
                tell(site, mark)
                yield window(f"{site}/{PROBE}", max(start_ns, 0), mark)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1 / orders.per_s):
                    await self._over.wait()
                    return
        await self._over.wait()

    def _now_ns(self) -> int:
        """The window grid at the beginning of the trial, moved by the steps of our clock since then."""
        orders = self._orders
        true_ns = orders.real_ns + time.monotonic_ns() - orders.monotonic_ns
        return window_start(orders.real_ns + time.time_ns() - true_ns)


if __name__ == "__main__":
    main()
