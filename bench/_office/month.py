"""Thirty days without a hub: how large the spool becomes, and what a full one does."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

import msgspec

from probes.publishing.office_settings import WINDOWS_PER_DAY, SpoolLimits
from probes.publishing.spool import Made, Spool
from telemetry.codec import decode, encode
from telemetry.messages import Tombstone
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from probes.publishing.spool import Slot
    from telemetry.messages import Envelope

DAYS: Final = 30
START_NS: Final = 1_800_000_000_000_000_000 // WINDOW_NS * WINDOW_NS
SURPLUS: Final = 40
"""Reports beyond the limit, to see what goes and what is told of it."""


def fill(
    file: Path, payloads: Sequence[bytes], days: int, progress: Callable[[str], None]
) -> dict[str, object]:
    """Spool so many days of reports like those given; then go on past the limit of the same number of days."""
    envelopes = [decode(payload) for payload in payloads]
    count = days * WINDOWS_PER_DAY
    limits = SpoolLimits(max_reports=count)
    spool = Spool(file, site=envelopes[0].site, probe=envelopes[0].probe, limits=limits)
    spool._db.execute("PRAGMA synchronous=OFF")  # noqa: SLF001 - a month in minutes; the figures are sizes, not speed
    began = time.perf_counter()
    for index in range(count):
        _append(spool, envelopes[index % len(envelopes)], index)
        if index % (5 * WINDOWS_PER_DAY) == 0:
            progress(f"spool: {index // WINDOWS_PER_DAY} of {days} days")
    filled_s = time.perf_counter() - began
    bytes_full, before = spool.bytes, _size(file)
    for index in range(count, count + SURPLUS):
        _append(spool, envelopes[index % len(envelopes)], index)
    told = _told(spool, count + SURPLUS)
    oldest = next(iter(spool.held()))[0]
    spool.close()
    began = time.perf_counter()
    with contextlib.closing(
        Spool(file, site=envelopes[0].site, probe=envelopes[0].probe, limits=limits)
    ) as again:
        held = sum(last - first + 1 for first, last in again.held())
    opened_s = time.perf_counter() - began
    return {
        "spool_days": days,
        "spool_reports": count,
        "spool_bytes_per_report": bytes_full / count,
        "spool_file_mb": before / 1e6,
        "spool_file_mb_past_the_limit": _size(file) / 1e6,
        "spool_month_mb": bytes_full / count * DAYS * WINDOWS_PER_DAY / 1e6,
        "spool_bound_mb": SpoolLimits().max_bytes / 1e6,
        "spool_us_per_append_without_sync": filled_s / count * 1e6,
        "spool_open_s": opened_s,
        "spool_held_past_the_limit": held,
        "spool_oldest_seq_past_the_limit": oldest,
        "spool_tombstones": told,
    }


def _append(spool: Spool, envelope: Envelope, index: int) -> None:
    """One report, under the window and number that it would have had."""
    start_ns = START_NS + index * WINDOW_NS

    def payload(slot: Slot) -> bytes:
        items = (*envelope.items, *slot.tombstones)
        return encode(
            msgspec.structs.replace(envelope, epoch=slot.epoch, seq=slot.seq, start_ns=start_ns, items=items)
        )

    spool.append(start_ns, Made(envelope.boot, index * WINDOW_NS, start_ns), payload)


def _told(spool: Spool, last: int) -> list[str]:
    """Ranges and reasons of the tombstones that ride on the last reports."""
    rows = (spool.read(seq) for seq in range(last - SURPLUS, last + 1))
    items = (item for row in rows if row is not None for item in decode(row.payload).items)
    stones = [item for item in items if isinstance(item, Tombstone)]
    return [f"{stone.first_seq}-{stone.last_seq} {stone.reason}" for stone in stones[:1] + stones[-1:]]


def _size(file: Path) -> int:
    return sum(one.stat().st_size for one in file.parent.glob(f"{file.name}*"))
