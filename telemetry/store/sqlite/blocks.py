"""Packed blocks in the file: an hour of windows, or a day of roll-ups (in force or superseded), of one site; each in parts."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from telemetry.store import assembly, packing
from telemetry.store.assembly import COMMIT
from telemetry.store.columns import HISTOGRAM_COLUMNS
from telemetry.store.errors import StoreError
from telemetry.store.packed_tables import pack_histograms, unpack_histograms
from telemetry.store.tables import StreamTable
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

PARTS_PER_BLOCK: Final = 32


class Kind(IntEnum):
    """What a block holds."""

    WINDOWS = 0
    ROLLUPS = 1
    SUPERSEDED = 2  # imported roll-ups, see `telemetry.store.superseded`


SPAN_NS: Final = {Kind.WINDOWS: HOUR_NS, Kind.ROLLUPS: DAY_NS, Kind.SUPERSEDED: DAY_NS}
COLUMNS_PART: Final = 0
HISTOGRAMS_PART: Final = 1
ITEMS_PART: Final = 2
CONTACTS_PART: Final = 3
WINDOW_VALUES_PART: Final = 4  # of roll-ups: this and the following, one for each of WINDOW_VALUE_COLUMNS


class PackedItem(msgspec.Struct, frozen=True, array_like=True):
    """An item that is no stream, in a block.

    `raw` is its JSON; of an item that was not understood the whole envelope's, with no other items, since it may
    prove to be a stream.
    """

    kind: str
    probe: str
    start_ns: int
    received_ns: int
    commit: int
    raw: bytes
    emulated: bool = False


_items_decoder = msgspec.msgpack.Decoder(tuple[PackedItem, ...])
_names_decoder = msgspec.msgpack.Decoder(tuple[tuple[str, ...], ...])


def find(
    connection: sqlite3.Connection, kind: Kind, site: str, start_ns: int, end_ns: int
) -> Iterator[tuple[int, int]]:
    """(id, start) of the blocks of a site that overlap a span, by start."""
    span = SPAN_NS[kind]
    yield from connection.execute(
        "SELECT id, start_ns FROM block WHERE kind = ? AND site = ? AND start_ns >= ? AND start_ns < ?"
        " ORDER BY start_ns",
        (kind, site, start_ns - start_ns % span, end_ns),
    ).fetchall()


def marks(
    connection: sqlite3.Connection, kind: Kind, site: str, start_ns: int, end_ns: int
) -> dict[int, int]:
    """By its start, the mark of each block of a site that overlaps a span; another one after every writing."""
    span = SPAN_NS[kind]
    return dict(
        connection.execute(
            "SELECT start_ns, mark FROM block WHERE kind = ? AND site = ? AND start_ns >= ? AND start_ns < ?",
            (kind, site, start_ns - start_ns % span, end_ns),
        ).fetchall()
    )


def part(connection: sqlite3.Connection, block: int, number: int) -> bytes | None:
    """One part of a block, or None when it has no such part."""
    row = connection.execute(
        "SELECT data FROM part WHERE id = ?", (block * PARTS_PER_BLOCK + number,)
    ).fetchone()
    return None if row is None else bytes(row[0])


class Key(NamedTuple):
    """What a block is of; there is one of each."""

    kind: Kind
    site: str
    start_ns: int


def save(
    connection: sqlite3.Connection,
    key: Key,
    parts: Mapping[int, bytes],
    *,
    commits: tuple[int, int] = (0, 0),
    opaque: int = 0,
) -> None:
    """Write a block, in place of the one that is there; it has a mark of its own then."""
    row = connection.execute(
        "INSERT INTO block (kind, site, start_ns, first_commit, last_commit, opaque, mark)"
        " VALUES (?, ?, ?, ?, ?, ?, random())"
        " ON CONFLICT DO UPDATE SET first_commit = excluded.first_commit, last_commit = excluded.last_commit,"
        " opaque = excluded.opaque, mark = excluded.mark RETURNING id",
        (*key, *commits, opaque),
    ).fetchone()
    first = row[0] * PARTS_PER_BLOCK
    connection.execute("DELETE FROM part WHERE id >= ? AND id < ?", (first, first + PARTS_PER_BLOCK))
    connection.executemany(
        "INSERT INTO part VALUES (?, ?)", [(first + number, data) for number, data in parts.items()]
    )


def with_names(names: Sequence[tuple[str, ...]], data: bytes) -> bytes:
    """Packed columns with the names that their codes stand for."""
    head = msgspec.msgpack.encode(names)
    return len(head).to_bytes(4, "little") + head + data


def split_names(data: bytes) -> tuple[tuple[tuple[str, ...], ...], bytes]:
    """The names and the packed columns of `with_names`."""
    at = 4 + int.from_bytes(data[:4], "little")
    try:
        return _names_decoder.decode(data[4:at]), data[at:]
    except msgspec.MsgspecError as error:
        raise StoreError(f"a packed block is damaged: {error}") from error


def pack_windows(table: StreamTable, level: int = packing.LEVEL) -> bytes:
    """The columns of one site's windows."""
    columns = {name: column for name, column in table.columns.items() if name != "site"}
    return with_names((table.probes, table.paths), packing.pack(columns, level))


def unpack_windows(data: bytes, site: str, columns: Sequence[str]) -> StreamTable:
    """Windows of one site with these value columns; without histograms."""
    (probes, paths), packed = split_names(data)
    wanted = ("probe", "path", "start_ns", "received_ns", COMMIT, *columns)
    found = packing.unpack(packed, frozenset(wanted))
    rows = len(found["start_ns"])
    out: dict[str, NDArray[Any]] = {"site": np.zeros(rows, np.int32)}
    for name in wanted:
        out[name] = found[name] if name in found else assembly.absent(name, rows)
        if name in ("probe", "path"):
            out[name] = out[name].astype(np.int32)
    return StreamTable((site,), probes, paths, out, {})


def read_windows(
    connection: sqlite3.Connection, block: int, site: str, *, columns: Sequence[str], histograms: bool
) -> StreamTable | None:
    """The windows of an hour's block; None when it has none."""
    data = part(connection, block, COLUMNS_PART)
    if data is None:
        return None
    table = unpack_windows(data, site, columns)
    if not histograms:
        return table
    packed = must(part(connection, block, HISTOGRAMS_PART), site)
    found = unpack_histograms(packed, HISTOGRAM_COLUMNS)
    return StreamTable(table.sites, table.probes, table.paths, table.columns, found)


def pack_items(items: Sequence[PackedItem]) -> bytes:
    """Items that are no streams."""
    return packing.compress(msgspec.msgpack.encode(items))


def read_items(connection: sqlite3.Connection, block: int) -> tuple[PackedItem, ...]:
    """The items of an hour's block that are no streams."""
    data = part(connection, block, ITEMS_PART)
    return () if data is None else _items_decoder.decode(packing.decompress(data))


def pack_parts(table: StreamTable, histograms: Collection[str] = HISTOGRAM_COLUMNS) -> dict[int, bytes]:
    """The parts of a block for the windows of a table."""
    return {
        COLUMNS_PART: pack_windows(table),
        HISTOGRAMS_PART: pack_histograms({name: table.histograms[name] for name in histograms}),
    }


class Contacts(NamedTuple):
    """The reports behind a block: who reported when."""

    probes: tuple[str, ...]
    probe: NDArray[np.int32]
    start_ns: NDArray[np.int64]
    received_ns: NDArray[np.int64]


def pack_contacts(contacts: Contacts) -> bytes:
    """Contacts as bytes."""
    columns: dict[str, NDArray[Any]] = {
        "probe": contacts.probe,
        "start_ns": contacts.start_ns,
        "received_ns": contacts.received_ns,
    }
    return with_names((contacts.probes,), packing.pack(columns))


def read_contacts(connection: sqlite3.Connection, block: int) -> Contacts:
    """The contacts of an hour's block."""
    data = part(connection, block, CONTACTS_PART)
    if data is None:
        none = np.zeros(0, np.int64)
        return Contacts((), none.astype(np.int32), none, none)
    (probes,), packed = split_names(data)
    columns = packing.unpack(packed)
    return Contacts(probes, columns["probe"].astype(np.int32), columns["start_ns"], columns["received_ns"])


def must(data: bytes | None, site: str) -> bytes:
    """A part that every block of its kind has.

    Raises:
        StoreError: it is not there.
    """
    if data is None:
        raise StoreError(f"a part of a packed block of {site} is gone: the file is damaged")
    return data
