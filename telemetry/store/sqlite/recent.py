"""Recent reports: one row each, with their stream values packed and the envelope as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry import codec
from telemetry.store import assembly, packing
from telemetry.store.assembly import COMMIT, Origin
from telemetry.store.records import RECORD_DTYPE
from telemetry.store.tables import StreamTable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from telemetry.messages import Envelope
    from telemetry.store.packing import Squeezed
    from telemetry.store.sqlite.prepared import Prepared

_INSERT: Final = """
    INSERT INTO report (site, probe, epoch, seq, start_ns, received_ns, emulated, paths, kinds, records, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

ReportRow = tuple[str, str, str, int, int, int, int, str, str, bytes, "Squeezed"]


def report_rows(reports: Sequence[Prepared]) -> list[ReportRow]:
    """What is stored of reports. All payloads are squeezed in one call, so that other threads run meanwhile."""
    return [
        (
            e.site,
            e.probe,
            e.epoch,
            e.seq,
            e.start_ns,
            report.received_ns,
            int(report.emulated),
            ",".join(values.paths),
            values.kinds,
            values.records,
            payload,
        )
        for report, payload in zip(
            reports, packing.squeeze_all([report.payload for report in reports]), strict=True
        )
        for e, values in ((report.envelope, report.values),)
    ]


def insert(connection: sqlite3.Connection, rows: Iterable[ReportRow]) -> None:
    """Put reports into the table, in order."""
    connection.executemany(_INSERT, rows)


def read(
    connection: sqlite3.Connection,
    where: str,
    parameters: Sequence[object],
    *,
    columns: Sequence[str],
    histograms: bool,
) -> StreamTable:
    """Stream windows of the reports that a condition names, in its order."""
    if histograms:
        table = assembly.table_of(read_envelopes(connection, where, parameters))
        keys = ("site", "probe", "path", "start_ns", "received_ns", COMMIT)
        kept = {name: table.columns[name] for name in (*keys, *columns)}
        return StreamTable(table.sites, table.probes, table.paths, kept, table.histograms)
    rows = connection.execute(
        f"SELECT site, probe, start_ns, received_ns, id, paths, records FROM report WHERE {where}",  # noqa: S608
        parameters,
    ).fetchall()
    return _unpacked([row for row in rows if row[5]], columns)


def read_envelopes(
    connection: sqlite3.Connection, where: str, parameters: Sequence[object]
) -> list[tuple[Envelope, Origin]]:
    """The reports that a condition names, decoded again by this version's codec."""
    rows = connection.execute(
        f"SELECT payload, received_ns, id, emulated FROM report WHERE {where}",  # noqa: S608
        parameters,
    )
    return [
        (codec.decode(packing.decompress(payload)), Origin(received_ns, commit, emulated=bool(emulated)))
        for payload, received_ns, commit, emulated in rows
    ]


def _unpacked(rows: list[tuple[str, str, int, int, int, str, bytes]], columns: Sequence[str]) -> StreamTable:
    records = b"".join(row[6] for row in rows)
    paths, path_codes = assembly.coded([path for row in rows for path in row[5].split(",")])
    streams = np.array([len(row[6]) // RECORD_DTYPE.itemsize for row in rows], np.int64)
    sites, site_codes = assembly.coded([row[0] for row in rows])
    probes, probe_codes = assembly.coded([row[1] for row in rows])
    keys: dict[str, NDArray[Any]] = {
        "site": np.repeat(site_codes, streams),
        "probe": np.repeat(probe_codes, streams),
        "path": path_codes,
    }
    for at, name in ((2, "start_ns"), (3, "received_ns"), (4, COMMIT)):
        keys[name] = np.repeat(np.array([row[at] for row in rows], np.int64), streams)
    return StreamTable(sites, probes, paths, keys | assembly.record_columns(records, columns), {})
