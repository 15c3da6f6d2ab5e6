"""An office's spool to hand, and reports to fill it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.publishing.spool import Made, Slot, Spool, SpoolLimits
from telemetry.codec import encode
from telemetry.messages import Clock, Envelope, SelfReport
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from pathlib import Path

MADE = Made("boot-a", 5, 7)


def report(slot: Slot, start_ns: int = 0) -> bytes:
    return encode(
        Envelope(
            site="agra",
            probe="p1",
            epoch=slot.epoch,
            seq=slot.seq,
            boot="b",
            mono_ns=0,
            start_ns=start_ns,
            clock=Clock(),
            self_report=SelfReport(),
            items=slot.tombstones,
        )
    )


def open_spool(path: Path, **limits: int) -> Spool:
    return Spool(path, site="agra", probe="p1", limits=SpoolLimits(**limits))


def fill(spool: Spool, count: int) -> list[int]:
    return [spool.append(spool.next_seq * WINDOW_NS, MADE, report).seq for _ in range(count)]
