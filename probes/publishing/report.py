"""From what was measured in a window to the bytes of one report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from telemetry.codec import MAX_ITEMS, MAX_REPORT_BYTES, encode, encode_item
from telemetry.messages import Envelope

if TYPE_CHECKING:
    from probes.counters import Counters
    from probes.measuring.session import ClosedWindow
    from probes.publishing.spool import Made, Slot
    from telemetry.messages import Item


@dataclass(frozen=True)
class Draft:
    """A report that has no number yet."""

    window: ClosedWindow
    items: tuple[Item, ...]
    """Everything seen in the window, streams first."""
    made: Made


def report_bytes(draft: Draft, slot: Slot, site: str, probe: str, counters: Counters) -> bytes:
    """The report as it goes out. One too large for the hub loses items, the last first, and is counted."""
    items: tuple[Item, ...] = (*slot.tombstones, *draft.items)
    payload = encode(_envelope(draft, slot, site, probe, items[:MAX_ITEMS]))
    if len(payload) <= MAX_REPORT_BYTES and len(items) <= MAX_ITEMS:
        return payload
    counters.reports_too_large += 1
    room = MAX_REPORT_BYTES - len(encode(_envelope(draft, slot, site, probe, ())))
    return encode(_envelope(draft, slot, site, probe, _fitting(items[:MAX_ITEMS], room)))


def _envelope(draft: Draft, slot: Slot, site: str, probe: str, items: tuple[Item, ...]) -> Envelope:
    window = draft.window
    return Envelope(
        site=site,
        probe=probe,
        epoch=slot.epoch,
        seq=slot.seq,
        boot=draft.made.boot,
        mono_ns=window.mono_ns,
        start_ns=window.start_ns,
        clock=window.clock,
        self_report=msgspec.structs.replace(window.self_report, spool_rows=slot.spool_rows),
        items=items,
    )


def _fitting(items: tuple[Item, ...], room: int) -> tuple[Item, ...]:
    """The longest beginning that fits in so many bytes."""
    for count, item in enumerate(items):
        room -= len(encode_item(item)) + 1
        if room < 0:
            return items[:count]
    return items
