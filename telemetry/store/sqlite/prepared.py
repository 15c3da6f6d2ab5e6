"""Reports made ready for their rows before the transaction begins.

A decoded report takes many times the memory of its payload, nearly all of it histograms, which the rows need only in the
payload. So the collector has each report prepared as soon as it is decoded, while it is still in the processor's
cache, and lets go of it; a batch of thousands then holds little more than its payloads, and the file's write lock is
held for no more than the writing (decision 086).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from telemetry import codec
from telemetry.messages import Stream, Tombstone
from telemetry.store.item_kinds import kind_of
from telemetry.store.protocol import Received
from telemetry.store.records import packed_records

if TYPE_CHECKING:
    from collections.abc import Sequence


class Values(NamedTuple):
    """The columns of a report's row that come out of its items."""

    paths: tuple[str, ...]
    kinds: str
    records: bytes


_NONE = Values((), "", b"")


@dataclass(frozen=True, slots=True)
class Prepared(Received):
    """A report whose envelope keeps only its tombstones; what else was in it is in `values` and `payload`."""

    values: Values = _NONE


def prepare(report: Received) -> Prepared:
    """What the store needs of a report; one that is prepared already stays as it is."""
    if isinstance(report, Prepared):
        return report
    e = report.envelope
    streams = [item for item in e.items if isinstance(item, Stream)]
    others = [item for item in e.items if not isinstance(item, Stream)] if len(streams) < len(e.items) else ()
    values = Values(
        tuple([stream.path for stream in streams]),
        ",".join(dict.fromkeys(map(kind_of, others))),
        packed_records(e, streams, emulated=report.emulated),
    )
    return Prepared(
        msgspec.structs.replace(e, items=tuple([item for item in others if isinstance(item, Tombstone)])),
        report.received_ns,
        report.backlog,
        report.emulated,
        report.payload or codec.encode(e),
        values,
    )


def prepare_all(reports: Sequence[Received]) -> list[Prepared]:
    """The same of a batch."""
    return [prepare(report) for report in reports]
