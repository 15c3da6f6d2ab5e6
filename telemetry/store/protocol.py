"""The report store as a port: what every implementation must do (one conformance suite tests them all).

Guarantees. `append` is one transaction: when it returns, every report that it calls STORED or DUPLICATE is
durable; when it raises `errors.StoreError`, nothing was stored. A report is stored once per
`(site, probe, epoch, seq)`, decided by interval sets that outlive the rows. A read sees a report only from its
`received_ns` on when `as_of_ns` is given. Late rows mend blocks and roll-ups.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from telemetry.intervals import IntervalSet
    from telemetry.messages import Envelope, Item
    from telemetry.store.tables import RollupTable, StreamTable


class Fate(Enum):
    """What `append` did with a report."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    NUMBER_TWICE = "number_twice"
    """Not stored: another report is, under the same number. Told apart while that one is kept whole."""


@dataclass(frozen=True, slots=True)
class Received:
    """A report as the collector took it in."""

    envelope: Envelope
    received_ns: int
    backlog: bool = False
    emulated: bool = False
    payload: bytes = b""
    """The envelope as it came, when the caller still has it: saves encoding it again."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows a read wants. Empty `sites` or `paths` means all; `[start_ns, end_ns)` by window start."""

    start_ns: int
    end_ns: int
    sites: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    as_of_ns: int | None = None


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One item that is not a stream, with where it came from."""

    site: str
    probe: str
    start_ns: int
    received_ns: int
    item: Item


@dataclass(frozen=True, slots=True)
class SeqHole:
    """Reports that were made but have not arrived: an inclusive range of seq, or a tombstone's range."""

    site: str
    probe: str
    epoch: str
    first_seq: int
    last_seq: int
    noticed_ns: int
    tombstone: str = ""
    """The probe's reason when it had to drop them; empty while they may still come."""
    from_ns: int | None = None
    """Of a tombstone: the time that it tells of, up to `until_ns`; None for a hole, whose time nobody told."""
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """A span of the window grid from which no report of a site is in the store."""

    site: str
    probe: str
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Contact:
    """From when on windows of a probe are expected: its first one, or where retention has cut what was before."""

    site: str
    probe: str
    first_ns: int


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing: reports known to exist, and time without any; and of whom anything is expected at all."""

    holes: tuple[SeqHole, ...]
    silences: tuple[Silence, ...]
    contacts: tuple[Contact, ...] = ()
    """Every probe of the selection's sites whose first contact lies before the selection's end."""


class RollupReader(Protocol):
    """Whatever roll-ups can be read of."""

    def rollups(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Five-minute roll-ups of a selection (closed slots only; `rollup.CLOSED_AFTER_NS` after their end).

        With `as_of_ns`, a roll-up that later reports have changed is made again from the windows of then, and
        left out when those are past their retention.

        Args:
            selection: which rows, by start of the slot.
            histograms: False leaves them out.
            columns: only these beside the key columns, `windows` and `emulated`; None for all.
            window_values: only these of `columns.WINDOW_VALUE_COLUMNS`; None for all, () for none.
        """
        ...


class StoreReader(RollupReader, Protocol):
    """The reading half; safe in another process while one collector writes."""

    def streams(
        self, selection: Selection, *, histograms: bool = True, columns: Collection[str] | None = None
    ) -> StreamTable:
        """Stream windows of a selection.

        Args:
            selection: which rows.
            histograms: False leaves them out, which is far cheaper over long spans.
            columns: only these value columns beside the key columns; None for all.
        """
        ...

    def superseded(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Roll-ups of other tools that have given way to measured ones which came after them and after their slots had closed.

        Only whoever asks what was known at a time wants them (`telemetry.store.superseded`); `rollups` has what was measured.
        Arguments as of `rollups`; with `as_of_ns` those that had arrived.
        """
        ...

    def items(self, kind: str, selection: Selection) -> list[StoredItem]:
        """Items of one tag that is not `stream` (`ping`, `link`, `reach`, `call`, `rehearsal`)."""
        ...

    def latest(self, *, as_of_ns: int | None = None, histograms: bool = False) -> StreamTable:
        """The newest window of every (site, path); those of a clock that runs ahead (`ahead.AHEAD_NS`) do not count."""
        ...

    def tail(self, cursor: int, limit: int = 10_000, *, histograms: bool = False) -> tuple[int, StreamTable]:
        """Stream windows committed from `cursor` on (0: only the position), in the order of their commit; the next cursor.

        Late reports come too; imports do not. About `limit` windows at a time: call again while the cursor moves.
        """
        ...

    def envelopes(self, site: str, start_ns: int, end_ns: int) -> list[Envelope]:
        """The raw reports behind a span, while they are kept whole."""
        ...

    def gaps(self, selection: Selection) -> Gaps:
        """What is missing in a selection.

        Holes are those that were noticed within its span and are still open; tombstones those that overlap it.
        Silences lie on the window grid from a probe's first contact to `end_ns` (pass the present for an open end).
        """
        ...

    def received(self, site: str, probe: str) -> Mapping[str, IntervalSet]:
        """Per epoch, the seq ranges accounted for (stored, or told by a tombstone)."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class ReportStore(StoreReader, Protocol):
    """The writing half; one object a process. Whether several processes may write is said by the implementation."""

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        """Store reports in one durable transaction; one fate each, in order."""
        ...

    def accounted(self, epochs: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], IntervalSet]:
        """What `received` tells, of many (site, probe, epoch) at one look; those that never reported are left out.

        Raises:
            StoreError: the store cannot be read now.
        """
        ...

    def import_streams(self, table: StreamTable) -> None:
        """Take in windows of another origin (lab history, other tools); rows that are there already stay."""
        ...

    def import_rollups(self, table: RollupTable) -> None:
        """Take in roll-ups of another origin; slots that were measured here stay, and what another tool knew of them before is `superseded`."""
        ...

    def maintain(self, now_ns: int) -> int:
        """Fold closed hours into blocks, roll up closed slots, take up late rows.

        Bounded work a call; returns how many pieces were done: call again soon while there are any.
        """
        ...

    def prune(self, now_ns: int) -> None:
        """Drop what is past its retention."""
        ...

    @property
    def shipping(self) -> Mapping[str, int | float | bool | str | None]:
        """How a store on a database server fares (counters, backlog, last error); empty for one that has no server."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """A store that can take from a report at once what it needs, so that the rest of it need not be held until the commit."""

    def prepare(self, report: Received) -> Received:
        """The same report for `append`; of its envelope only identity, times and tombstones are to be relied upon."""
        ...


@runtime_checkable
class Restorable(Protocol):
    """A store that may have been put back from a backup, and knows less than probes and broker have been told."""

    def untold(self) -> Sequence[tuple[str, str, str]]:
        """(site, probe, epoch) of whom is to be told anew what is stored; nobody unless it was put back."""
        ...

    def all_told(self) -> None:
        """They were."""
        ...


@runtime_checkable
class TakingItems(Protocol):
    """A store that takes in items of another origin too."""

    def import_items(self, items: Sequence[StoredItem]) -> None:
        """Take in items; those that are there already stay as they are."""
        ...


class InHour(NamedTuple):
    """Reports of one probe in one hour."""

    reports: int
    """With anything in them that was measured, or with nothing at all."""
    written_off: int
    """With nothing in them but tombstones: above all those that stand in for refused ones."""


@runtime_checkable
class Counting(Protocol):
    """A store that can tell cheaply how full an hour is."""

    def reports_in_hour(self, site: str, probe: str, hour_ns: int) -> InHour:
        """How many reports of a probe are at hand whose windows begin in the hour that begins at `hour_ns`.

        Raises:
            StoreError: the store cannot be read now.
        """
        ...
