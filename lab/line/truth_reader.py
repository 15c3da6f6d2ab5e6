"""Reads the truth log back as what a perfect probe would report: per line, for any span of sending time.

How packets are matched. A packet is known by (session, seq): `session` rises when another source address sends on the
line, `seq` is the STAMP session-sender's, which replies carry too. It belongs to the window of its T1, the
sending time that it carries itself; a probe that dates its packets by the kernel's transmit stamp can differ by the
few µs between the two for a packet right at a window's edge, and then a span of seq (`LineTruth.of_seq`) is exact where a span of time is not.

Resolution. Arrivals are kernel receive stamps, departures kernel send stamps; where the kernel gave none (`took_ns` above 0)
a departure lies between `departure_ns` and `departure_ns + took_ns`.
Between the relay and its neighbours lies the loopback: some µs a hop, in the probe's figures but not in these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from lab.errors import LabError
from lab.line.direction import Fate
from lab.line.truth import ABSENT, DOWN, RECORD, UP
from telemetry.metrics.jitter import smoothed
from telemetry.metrics.reordering import reordered_count
from telemetry.windows import LATE_NS, WINDOW_NS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SILENCE_NS: Final = WINDOW_NS
"""After so long without a packet, J starts afresh (design of the house: reset after 15 s of silence)."""


@dataclass(frozen=True, slots=True)
class DirectionTruth:
    """What one direction did to the packets of a span."""

    sent: int
    """Distinct packets that came to the line (up), or replies' packets that did (down)."""
    received: int
    """Distinct packets of which at least one copy left the line."""
    lost: int
    duplicated: int
    """Extra copies that this direction made and delivered."""
    reordered: int
    """RFC 4737 type-P-reordered, by order of departure; first copies."""
    delay_ns: NDArray[np.int64]
    """Time spent in the line by each packet whose round trip was completed, in order of sending."""
    jitter_ms: float
    """Mean over the span of RFC 3550 J, packets whose round trip was completed; NaN without any."""
    jitter_max_ms: float


@dataclass(frozen=True, slots=True)
class SpanTruth:
    """What a line did to the packets sent in a span."""

    sent: int
    received: int
    """Packets of which a reply left the line towards the probe within 3 s of T1."""
    lost: int
    late: int
    """Of the lost: a reply came, but more than 3 s late."""
    unanswered: int
    """Of the lost: they reached the reflector, and it did not answer."""
    up: DirectionTruth
    down: DirectionTruth
    rtt_ns: NDArray[np.int64]
    """Time in the line, up and down, of each completed round trip, in order of sending."""
    resolution_ns: int
    """Largest doubt about a departure: 0 when each has its kernel stamp."""


@dataclass(frozen=True, slots=True)
class LineTruth:
    """The records of one line, in the order in which fates were sealed."""

    records: NDArray[np.void]

    def sessions(self) -> list[int]:
        """The sessions seen, oldest first."""
        return sorted(set(self.records["session"].tolist()))

    def between(self, start_ns: int, end_ns: int) -> SpanTruth:
        """What became of the packets with T1 in `[start_ns, end_ns)`."""
        return _span(self.records, (self.records["t1_ns"] >= start_ns) & (self.records["t1_ns"] < end_ns))

    def window(self, start_ns: int) -> SpanTruth:
        """What became of the packets of a 15 s window."""
        return self.between(start_ns, start_ns + WINDOW_NS)

    def of_seq(self, first: int, last: int, session: int | None = None) -> SpanTruth:
        """What became of the packets with these sequence numbers (inclusive) of a session (None: of every one)."""
        wanted = (self.records["seq"] >= first) & (self.records["seq"] <= last)
        if session is not None:
            wanted &= self.records["session"] == session
        return _span(self.records, wanted)


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that a truth log holds."""

    lines: tuple[tuple[str, str], ...]
    records: NDArray[np.void]

    def line(self, site: str, end: str) -> LineTruth:
        """The records of one line.

        Raises:
            LabError: the log knows no such line.
        """
        if (site, end) not in self.lines:
            raise LabError(f"the truth log knows no line {site} to {end}")
        return LineTruth(self.records[self.records["line"] == self.lines.index((site, end))])


def read_truth(folder: Path) -> Truth:
    """The truth log in a folder, with whatever its segments still hold.

    Raises:
        LabError: there is none, or a segment is damaged.
    """
    try:
        names = msgspec.json.decode((folder / "lines.json").read_bytes(), type=tuple[tuple[str, str], ...])
    except FileNotFoundError:
        raise LabError(f"there is no truth log in {folder}") from None
    parts = []
    for path in sorted(folder.glob("truth-*.bin")):
        raw = path.read_bytes()
        whole = len(raw) // RECORD.itemsize * RECORD.itemsize  # the last record may be half written
        parts.append(np.frombuffer(raw[:whole], dtype=RECORD))
    records = np.concatenate(parts) if parts else np.empty(0, dtype=RECORD)
    if len(records) and int(records["line"].max()) >= len(names):
        raise LabError(f"the truth log in {folder} is damaged: it names lines that it does not list")
    return Truth(names, records)


def _keys(records: NDArray[np.void]) -> NDArray[np.int64]:
    """(session, seq) as one number."""
    return records["session"].astype(np.int64) << 32 | records["seq"].astype(np.int64)


def _span(records: NDArray[np.void], wanted: NDArray[np.bool_]) -> SpanTruth:
    up_all, down_all = records["direction"] == UP, records["direction"] == DOWN
    delivered = records["fate"] == Fate.DELIVERED
    # J runs on from before the span, so it is computed over everything and then cut.
    trips = _completed(records[up_all & delivered], records[down_all & delivered])
    sent = np.unique(_keys(records[up_all & wanted]))
    up, down = records[up_all & wanted], records[down_all & wanted]
    up_out, down_out = up[up["fate"] == Fate.DELIVERED], down[down["fate"] == Fate.DELIVERED]
    arrived_up, replied, answered = (np.unique(_keys(part)) for part in (up_out, down, down_out))
    mine = np.isin(trips.key, sent)
    in_time = mine & (trips.down_departure_ns - trips.t1_ns <= LATE_NS)
    used = trips.cut(in_time)
    return SpanTruth(
        sent=len(sent),
        received=int(in_time.sum()),
        lost=len(sent) - int(in_time.sum()),
        late=int(mine.sum() - in_time.sum()),
        unanswered=int((~np.isin(arrived_up, replied)).sum()),
        up=_direction(len(sent), len(arrived_up), up_out, ["session", "seq"], used.up_delay_ns, used.up_j_ms),
        down=_direction(
            len(replied),
            len(answered),
            down_out,
            ["session", "seq", "reflector_seq"],
            used.down_delay_ns,
            used.down_j_ms,
        ),
        rtt_ns=used.up_delay_ns + used.down_delay_ns,
        resolution_ns=int(
            max((part["took_ns"].max() for part in (up_out, down_out) if len(part)), default=0)
        ),
    )


def _direction(  # noqa: PLR0913, PLR0917 - the two halves of a truth
    sent: int,
    received: int,
    out: NDArray[np.void],
    identity: list[str],
    delay_ns: NDArray[np.int64],
    j_ms: NDArray[np.float64],
) -> DirectionTruth:
    in_order = out[np.argsort(out["departure_ns"], kind="stable")]
    first = np.sort(np.unique(_keys(in_order), return_index=True)[1])
    return DirectionTruth(
        sent=sent,
        received=received,
        lost=sent - received,
        duplicated=len(out) - len(np.unique(out[identity])),
        reordered=reordered_count(in_order["seq"][first]) if len(first) else 0,
        delay_ns=delay_ns,
        jitter_ms=float(j_ms.mean()) if len(j_ms) else float("nan"),
        jitter_max_ms=float(j_ms.max()) if len(j_ms) else float("nan"),
    )


@dataclass(frozen=True, slots=True)
class _Trips:
    """Completed round trips in order of sending; arrays of one length."""

    key: NDArray[np.int64]
    t1_ns: NDArray[np.int64]
    down_departure_ns: NDArray[np.int64]
    up_delay_ns: NDArray[np.int64]
    down_delay_ns: NDArray[np.int64]
    up_j_ms: NDArray[np.float64]
    down_j_ms: NDArray[np.float64]

    def cut(self, mask: NDArray[np.bool_]) -> _Trips:
        """Some of them."""
        return _Trips(*(getattr(self, name)[mask] for name in _Trips.__slots__))


def _completed(up: NDArray[np.void], down: NDArray[np.void]) -> _Trips:
    """First copy up and first reply down of every packet that made it there and back."""
    up, down = _first(up), _first(down)
    keys, at_up, at_down = np.intersect1d(_keys(up), _keys(down), assume_unique=True, return_indices=True)
    order = np.argsort(up["arrival_ns"][at_up], kind="stable")
    up, down = up[at_up][order], down[at_down][order]
    return _Trips(
        key=keys[order],
        t1_ns=up["t1_ns"].copy(),
        down_departure_ns=down["departure_ns"].copy(),
        up_delay_ns=up["departure_ns"] - up["arrival_ns"],
        down_delay_ns=down["departure_ns"] - down["arrival_ns"],
        up_j_ms=_jitter_ms(up),
        down_j_ms=_jitter_ms(down),
    )


def _first(records: NDArray[np.void]) -> NDArray[np.void]:
    """The copy of each packet that left first."""
    in_order = records[np.argsort(records["departure_ns"], kind="stable")]
    return np.asarray(in_order[np.unique(_keys(in_order), return_index=True)[1]])


def _jitter_ms(records: NDArray[np.void]) -> NDArray[np.float64]:
    """RFC 3550 J after each packet, in the order given; the recursion runs in order of departure."""
    order = np.lexsort((records["departure_ns"], records["session"]))
    ordered = records[order]
    transit_ns = ordered["departure_ns"] - ordered["arrival_ns"]
    fresh = np.ones(len(ordered), dtype=bool)
    fresh[1:] = (np.diff(ordered["session"].astype(np.int64)) != 0) | (
        np.diff(ordered["departure_ns"]) > _SILENCE_NS
    )
    out = np.empty(len(ordered))
    starts = np.flatnonzero(fresh)
    for begin, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
        part = transit_ns[begin:end].astype(np.float64)
        out[order[begin:end]] = smoothed(np.diff(part, prepend=part[:1])) / 1e6
    return out


def departures(records: NDArray[np.void]) -> NDArray[np.int64]:
    """Departure times of those records that have one."""
    times: NDArray[np.int64] = np.asarray(records["departure_ns"])
    return np.asarray(times[times != ABSENT])
