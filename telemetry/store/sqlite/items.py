"""Items that are no streams, from blocks and recent rows; what was not understood is decoded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from telemetry import codec
from telemetry.messages import Opaque, Stream
from telemetry.store.item_kinds import UNKNOWN_KIND, kind_of
from telemetry.store.protocol import StoredItem
from telemetry.store.sqlite import blocks, recent
from telemetry.store.sqlite.blocks import Kind, PackedItem
from telemetry.store.sqlite.streams import sites_of
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from telemetry.messages import Envelope, Item
    from telemetry.store.assembly import Origin
    from telemetry.store.protocol import Selection


def read(connection: sqlite3.Connection, kind: str, selection: Selection) -> list[StoredItem]:
    """The items of one tag, by (site, start, receipt)."""
    out: list[StoredItem] = []
    for site in sites_of(connection, selection):
        found = [
            StoredItem(site, packed.probe, packed.start_ns, packed.received_ns, item)
            for packed in _of_site(connection, site, kind, selection)
            if packed.kind in (kind, UNKNOWN_KIND) and _visible(packed, selection)
            if not isinstance(item := decoded(packed), Opaque) and kind_of(item) == kind
            if not selection.paths or getattr(item, "path", None) in selection.paths
        ]
        out += sorted(found, key=lambda item: (item.start_ns, item.received_ns))
    return out


def of_hour(connection: sqlite3.Connection, site: str, hour_ns: int) -> Iterator[PackedItem]:
    """All items of a site's hour, packed and recent."""
    for block, _ in blocks.find(connection, Kind.WINDOWS, site, hour_ns, hour_ns + 1):
        yield from blocks.read_items(connection, block)
    where = "site = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns, id"
    yield from packed_items(recent.read_envelopes(connection, where, (site, hour_ns, hour_ns + HOUR_NS)))


def _of_site(
    connection: sqlite3.Connection, site: str, kind: str, selection: Selection
) -> Iterator[PackedItem]:
    for block, _ in blocks.find(connection, Kind.WINDOWS, site, selection.start_ns, selection.end_ns):
        yield from blocks.read_items(connection, block)
    where = (
        "site = ? AND start_ns >= ? AND start_ns < ?"
        " AND (instr(',' || kinds || ',', ?) OR instr(',' || kinds || ',', ?)) ORDER BY start_ns, id"
    )
    span = (site, selection.start_ns, selection.end_ns, f",{kind},", f",{UNKNOWN_KIND},")
    yield from packed_items(recent.read_envelopes(connection, where, span))


def packed_items(reports: Iterable[tuple[Envelope, Origin]]) -> Iterator[PackedItem]:
    """The items of reports that are no streams."""
    for envelope, origin in reports:
        for item in envelope.items:
            if not isinstance(item, Stream):
                yield PackedItem(
                    kind_of(item),
                    envelope.probe,
                    envelope.start_ns,
                    origin.received_ns,
                    origin.commit,
                    _raw(envelope, item),
                    origin.emulated,
                )


def _raw(envelope: Envelope, item: Item | Opaque) -> bytes:
    if isinstance(item, Opaque):
        return codec.encode(msgspec.structs.replace(envelope, items=(item,)))
    return codec.encode_item(item)


def decoded(packed: PackedItem) -> Item | Opaque:
    """An item out of a block, as this version understands it."""
    if packed.kind == UNKNOWN_KIND:
        return codec.decode(packed.raw).items[0]
    return codec.decode_item(packed.raw)


def _visible(item: PackedItem, selection: Selection) -> bool:
    inside = selection.start_ns <= item.start_ns < selection.end_ns
    return inside and (selection.as_of_ns is None or item.received_ns <= selection.as_of_ns)
