"""A stream window as one fixed-width record: the values of `columns`, without key and histograms."""

from __future__ import annotations

from operator import attrgetter
from struct import Struct
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.histogram_grid import Sparse
    from telemetry.messages import Envelope, Stream

_LAYOUT: Final = Struct(f"<{len(COUNT_COLUMNS)}q{len(FLOAT_COLUMNS)}d")
RECORD_DTYPE: Final = np.dtype(
    [*((name, "<i8") for name in COUNT_COLUMNS), *((name, "<f8") for name in FLOAT_COLUMNS)],
)
NAN: Final = float("nan")
_NO_ROUND_TRIP: Final = (None,) * 6


def _after(columns: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(prefix) for name in columns if name.startswith(prefix))


_stream_counts = attrgetter(*COUNT_COLUMNS[: COUNT_COLUMNS.index("stateful") + 1])
_direction_counts = attrgetter(*_after(COUNT_COLUMNS, "up_"))
_direction_floats = attrgetter(*_after(FLOAT_COLUMNS, "up_"))
_round_trip_floats = attrgetter(*_after(FLOAT_COLUMNS, "rtt_"))


def pack_record(envelope: Envelope, stream: Stream, *, emulated: bool) -> bytes:
    """The record of one stream of an envelope, `RECORD_DTYPE.itemsize` bytes; what is absent is NaN."""
    floats = (
        stream.rate_pps,
        *_direction_floats(stream.up),
        *_direction_floats(stream.down),
        *(_NO_ROUND_TRIP if stream.rtt is None else _round_trip_floats(stream.rtt)),
        envelope.clock.error_ms,
    )
    if None in floats:
        floats = tuple([NAN if value is None else value for value in floats])
    stamps, itself = stream.stamps, envelope.self_report
    return _LAYOUT.pack(
        *_stream_counts(stream),
        stamps.t1 | stamps.t2 << 4 | stamps.t3 << 8 | stamps.t4 << 12,
        itself.late_sends,
        itself.rx_drops,
        envelope.clock.state,
        emulated,
        *_direction_counts(stream.up),
        *_direction_counts(stream.down),
        *floats,
    )


def packed_records(envelope: Envelope, streams: Sequence[Stream], *, emulated: bool) -> bytes:
    """The records of the streams of a report, one after another."""
    return b"".join([pack_record(envelope, stream, emulated=emulated) for stream in streams])


def histograms_of(stream: Stream) -> tuple[Sparse, ...]:
    """The histograms of a stream in the order of `HISTOGRAM_COLUMNS`; empty where absent."""
    return (
        () if stream.rtt is None else stream.rtt.hist,
        stream.up.pdv_hist,
        stream.down.pdv_hist,
        stream.up.ipdv_hist,
        stream.down.ipdv_hist,
    )


assert len(HISTOGRAM_COLUMNS) == 5  # `histograms_of` names each of them
