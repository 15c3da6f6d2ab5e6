"""What is missing: holes in seq, ranges that probes wrote off, and windows without any report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from telemetry.store.protocol import Contact, Gaps, SeqHole
from telemetry.store.silence import silences
from telemetry.store.sqlite import blocks
from telemetry.store.sqlite.accounts import load, unpacked
from telemetry.store.sqlite.blocks import Kind
from telemetry.store.sqlite.retention import raw_from
from telemetry.store.sqlite.streams import sites_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from telemetry.store.ledger import Account
    from telemetry.store.protocol import Selection, Silence


def read(connection: sqlite3.Connection, selection: Selection) -> Gaps:
    """The gaps of a selection, by site and time."""
    sites = sites_of(connection, selection)
    holes = [hole for site in sites for hole in (*_open(connection, site), *_dropped(connection, site))]
    return Gaps(
        tuple(hole for hole, span in holes if _concerns(hole, span, selection)),
        tuple(silence for site in sites for silence in _silences(connection, site, selection)),
        tuple(contact for site in sites for contact in _expected(connection, site, selection)),
    )


def _concerns(hole: SeqHole, span: tuple[int, int], selection: Selection) -> bool:
    known = selection.as_of_ns is None or hole.noticed_ns <= selection.as_of_ns
    return known and span[0] < selection.end_ns and span[1] > selection.start_ns


def _open(connection: sqlite3.Connection, site: str) -> Iterator[tuple[SeqHole, tuple[int, int]]]:
    rows = connection.execute(
        "SELECT probe, epoch, stored, written_off, holes FROM ledger WHERE site = ? AND holes != x''", (site,)
    ).fetchall()
    for probe, epoch, *packed in rows:
        for hole in unpacked(*packed).holes:
            yield (
                SeqHole(site, probe, epoch, hole.first, hole.last, hole.noticed_ns),
                (hole.noticed_ns, hole.noticed_ns + 1),
            )


def _dropped(connection: sqlite3.Connection, site: str) -> Iterator[tuple[SeqHole, tuple[int, int]]]:
    """What probes wrote off, but for what came all the same."""
    rows = connection.execute(
        "SELECT probe, epoch, first_seq, last_seq, received_ns, reason, from_ns, until_ns FROM tombstone"
        " WHERE site = ? ORDER BY probe, from_ns, first_seq",
        (site,),
    ).fetchall()
    accounts: dict[
        tuple[str, str], Account
    ] = {}  # of each epoch once: tombstones may be many, and accounts long
    for probe, epoch, first, last, received_ns, reason, from_ns, until_ns in rows:
        if (probe, epoch) not in accounts:
            found = load(connection, (site, probe, epoch))
            assert found is not None  # a tombstone comes in a report, which is in the ledger
            accounts[probe, epoch] = found
        account = accounts[probe, epoch]
        for a, b in account.stored.holes(first, last):
            yield (
                SeqHole(site, probe, epoch, a, b, received_ns, reason, from_ns, until_ns),
                (from_ns, max(until_ns, from_ns + 1)),
            )


def _silences(connection: sqlite3.Connection, site: str, selection: Selection) -> Iterator[Silence]:
    kept = replace(selection, start_ns=max(selection.start_ns, raw_from(connection)))
    starts, received, probe_of = _contacts(connection, site, kept)
    visible = np.ones(len(starts), np.bool_)
    if selection.as_of_ns is not None:
        visible = received <= selection.as_of_ns
    for probe, first_ns in _first_contacts(connection, site, selection):
        yield from silences(site, probe, first_ns, starts[visible & (probe_of == probe)], kept)


def _first_contacts(connection: sqlite3.Connection, site: str, selection: Selection) -> list[tuple[str, int]]:
    """Probes of a site, each with the start of its first window."""
    return connection.execute(
        "SELECT probe, first_start_ns FROM contact WHERE site = ? AND first_received_ns <= ? ORDER BY probe",
        (site, 2**63 - 1 if selection.as_of_ns is None else selection.as_of_ns),
    ).fetchall()


def _expected(connection: sqlite3.Connection, site: str, selection: Selection) -> Iterator[Contact]:
    kept_ns = raw_from(connection)
    for probe, first_ns in _first_contacts(connection, site, selection):
        if first_ns < selection.end_ns:
            yield Contact(site, probe, max(first_ns, kept_ns))


def _contacts(
    connection: sqlite3.Connection, site: str, selection: Selection
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.str_]]:
    """Start, receipt and probe of every report of a site that is kept."""
    span = (selection.start_ns, selection.end_ns)
    rows = connection.execute(
        "SELECT start_ns, received_ns, probe FROM report WHERE site = ? AND start_ns >= ? AND start_ns < ?",
        (site, *span),
    ).fetchall()
    starts = [np.array([row[0] for row in rows], np.int64)]
    received = [np.array([row[1] for row in rows], np.int64)]
    probes = [np.array([row[2] for row in rows], np.str_)]
    for block, _ in blocks.find(connection, Kind.WINDOWS, site, *span):
        contacts = blocks.read_contacts(connection, block)
        starts.append(contacts.start_ns)
        received.append(contacts.received_ns)
        probes.append(np.array(contacts.probes, np.str_)[contacts.probe])
    return np.concatenate(starts), np.concatenate(received), np.concatenate(probes)
