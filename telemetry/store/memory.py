"""The report store in memory: the fake that tests use, simple and plainly right; it passes the same suite as the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry import codec
from telemetry.messages import Opaque, Stream, Tombstone
from telemetry.store import assembly
from telemetry.store.ahead import without_ahead
from telemetry.store.assembly import Origin
from telemetry.store.imported import completed, is_among, of_other_tools
from telemetry.store.ledger import Account
from telemetry.store.protocol import Contact, Fate, Gaps, Received, Selection, SeqHole, Silence, StoredItem
from telemetry.store.rollup import CLOSED_AFTER_NS, roll_up
from telemetry.store.rollup_tables import as_rollups, as_windows, wanted_rollups
from telemetry.store.silence import silences
from telemetry.store.superseded import to_keep
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from telemetry.intervals import IntervalSet
    from telemetry.messages import Envelope, Item
    from telemetry.store.tables import RollupTable, StreamTable

FOREVER_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Stored:
    commit: int
    report: Received


class MemoryStore:
    """All reports in a list; every read goes through all of it."""

    def __init__(self, *, raw_days: float = 90, rollup_days: float = 730) -> None:
        """Start empty; retention in days as for the files."""
        self._raw_ns = round(raw_days * DAY_NS)
        self._rollup_ns = round(rollup_days * DAY_NS)
        self._reports: list[_Stored] = []
        self._commits = 0
        self._imported = assembly.empty_table(assembly.VALUE_COLUMNS, histograms=True)
        self._rollups = as_windows(roll_up(self._imported))
        self._superseded = as_windows(roll_up(self._imported))
        self._raw_from_ns = 0
        self._pending: set[tuple[str, int]] = set()
        self._accounts: dict[tuple[str, str, str], Account] = {}
        self._tombstones: dict[tuple[str, str, str, int, int], tuple[Tombstone, int]] = {}
        self._contacts: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        """Store reports; one fate each, in order."""
        return [self._append(report) for report in reports]

    def _append(self, report: Received) -> Fate:
        e = report.envelope
        account = self._accounts.setdefault((e.site, e.probe, e.epoch), Account())
        if e.seq in account.stored:
            return self._fate_of_copy(e)
        for item in e.items:
            if isinstance(item, Tombstone):
                account.write_off(item.first_seq, item.last_seq, report.received_ns)
                key = (e.site, e.probe, e.epoch, item.first_seq, item.last_seq)
                self._tombstones.setdefault(key, (item, report.received_ns))
            if isinstance(item, Stream):
                self._pending.add((e.site, slot_start(e.start_ns)))
        account.take(e.seq, report.received_ns)
        self._commits += 1
        self._reports.append(_Stored(self._commits, report))
        self._contacts.setdefault((e.site, e.probe), []).append((e.start_ns, report.received_ns))
        return Fate.STORED

    def _fate_of_copy(self, e: Envelope) -> Fate:
        for there in (stored.report.envelope for stored in self._reports):
            if (there.site, there.probe, there.epoch, there.seq) == (e.site, e.probe, e.epoch, e.seq):
                same = (there.boot, there.mono_ns) == (e.boot, e.mono_ns)
                return Fate.DUPLICATE if same else Fate.NUMBER_TWICE
        return Fate.DUPLICATE

    def import_streams(self, table: StreamTable) -> None:
        """Take in windows of another origin; rows that are there already stay."""
        rows = completed(table)
        fresh = assembly.rows_where(rows, ~is_among(rows, self._all()))
        self._imported = assembly.concatenate([self._imported, fresh])
        there = as_rollups(assembly.rows_where(self._rollups, self._rollups.columns["emulated"] == 1))
        imported = {(there.sites[s], t) for s, t in _pairs(there.columns["site"], there.columns["slot_ns"])}
        slots = fresh.columns["start_ns"] // SLOT_NS * SLOT_NS
        self._pending |= {(fresh.sites[s], t) for s, t in _pairs(fresh.columns["site"], slots)} - imported
        self._note_imported(rows)

    def import_rollups(self, table: RollupTable) -> None:
        """Take in roll-ups of another origin; slots that were measured here stay."""
        rows = as_windows(table)
        measured = assembly.rows_where(self._rollups, self._rollups.columns["emulated"] == 0)
        is_measured = is_among(rows, measured)
        self._supersede(assembly.rows_where(rows, is_measured), measured)
        self._lay_over(assembly.rows_where(rows, ~is_measured))

    def _lay_over(self, fresh: StreamTable) -> None:
        """Roll-ups in the places of those that are there."""
        gives_way = is_among(self._rollups, fresh)
        self._supersede(assembly.rows_where(self._rollups, gives_way), fresh)
        stays = assembly.rows_where(self._rollups, ~gives_way)
        self._rollups = assembly.tidied(assembly.concatenate([stays, fresh]))

    def _supersede(self, rows: StreamTable, covering: StreamTable) -> None:
        """Keep what other tools knew before, in place of what was kept of their slots."""
        rows = assembly.rows_where(rows, of_other_tools(rows))
        for site in np.unique(rows.columns["site"]).tolist():
            mine = assembly.rows_where(rows, rows.columns["site"] == site)
            kept = to_keep(mine, covering, lambda _: self._all())
            there = assembly.rows_where(self._superseded, ~is_among(self._superseded, mine))
            self._superseded = assembly.concatenate([there, kept])

    def _note_imported(self, rows: StreamTable) -> None:
        c = rows.columns
        for site, probe, start, received in zip(
            c["site"], c["probe"], c["start_ns"].tolist(), c["received_ns"].tolist(), strict=True
        ):
            key = (rows.sites[site], rows.probes[probe])
            self._contacts.setdefault(key, []).append((start, received))

    def maintain(self, now_ns: int) -> int:
        """Roll up the closed slots that wait; how many there were."""
        ready = {key for key in self._pending if key[1] + SLOT_NS + CLOSED_AFTER_NS <= now_ns}
        if ready:
            windows = self._all()
            fresh = as_windows(roll_up(assembly.rows_where(windows, _in_slots(windows, ready))))
            old = fresh.columns["start_ns"] < self._raw_from_ns
            fresh = assembly.rows_where(fresh, ~(old & is_among(fresh, self._rollups)))
            self._lay_over(fresh)
        self._pending -= ready
        return len(ready)

    def prune(self, now_ns: int) -> None:
        """Drop what is past its retention, by whole hours and days."""
        raw_ns = max((now_ns - self._raw_ns) // HOUR_NS * HOUR_NS, 0)
        rollup_ns = max((now_ns - self._rollup_ns) // DAY_NS * DAY_NS, 0)
        self._raw_from_ns = max(self._raw_from_ns, raw_ns)
        self._reports = [stored for stored in self._reports if stored.report.envelope.start_ns >= raw_ns]
        self._imported = assembly.rows_where(self._imported, self._imported.columns["start_ns"] >= raw_ns)
        self._rollups, self._superseded = (
            assembly.rows_where(table, table.columns["start_ns"] >= rollup_ns)
            for table in (self._rollups, self._superseded)
        )
        self._pending = {key for key in self._pending if key[1] >= raw_ns}

    def streams(
        self, selection: Selection, *, histograms: bool = True, columns: Collection[str] | None = None
    ) -> StreamTable:
        """Stream windows of a selection; see `StoreReader.streams`."""
        table = assembly.tidied(assembly.selected(self._all(), selection))
        return assembly.narrowed(assembly.published(table), assembly.wanted(columns), histograms=histograms)

    def rollups(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Five-minute roll-ups of a selection; see `StoreReader.rollups`."""
        table = self._rollups
        if selection.as_of_ns is not None:
            closed = table.columns["start_ns"] + SLOT_NS + CLOSED_AFTER_NS <= selection.as_of_ns
            table = assembly.rows_where(table, closed)
            changed = table.columns["received_ns"] > selection.as_of_ns
            stale = assembly.rows_where(table, changed)
            then = Selection(0, FOREVER_NS, as_of_ns=selection.as_of_ns)
            again = as_windows(roll_up(assembly.selected(self._all(), then)))
            again = assembly.rows_where(again, is_among(again, stale))
            table = assembly.concatenate([assembly.rows_where(table, ~changed), again])
        names = wanted_rollups(columns, window_values)
        table = assembly.tidied(assembly.selected(table, selection))
        return as_rollups(assembly.narrowed(table, names, histograms=histograms))

    def superseded(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Imported roll-ups that have given way to what came later; see `StoreReader.superseded`."""
        names = wanted_rollups(columns, window_values)
        table = assembly.tidied(assembly.selected(self._superseded, selection))
        return as_rollups(assembly.narrowed(table, names, histograms=histograms))

    def items(self, kind: str, selection: Selection) -> list[StoredItem]:
        """Items of one tag that is not `stream`, by (site, start)."""
        return [
            StoredItem(e.site, e.probe, e.start_ns, received_ns, item)
            for e, received_ns in self._selected(selection)
            for item in map(_understood, e.items)
            if not isinstance(item, Stream | Opaque) and type(item).__struct_config__.tag == kind
            if not selection.paths or getattr(item, "path", None) in selection.paths
        ]

    def latest(self, *, as_of_ns: int | None = None, histograms: bool = False) -> StreamTable:
        """The newest window of every (site, path)."""
        table = self.streams(Selection(0, FOREVER_NS, as_of_ns=as_of_ns), histograms=histograms)
        return assembly.last_of_lines(without_ahead(table))

    def tail(self, cursor: int, limit: int = 10_000, *, histograms: bool = False) -> tuple[int, StreamTable]:
        """Stream windows committed after `cursor`; see `StoreReader.tail`."""
        after = cursor - 1  # a cursor is the next commit's number, so that an empty store's is not 0
        upto, taken, found = after, 0, list[_Stored]()
        if cursor <= 0 or after >= self._commits:
            upto = self._commits
        else:
            for stored in self._reports:
                windows = sum(isinstance(item, Stream) for item in stored.report.envelope.items)
                if stored.commit <= after:
                    continue
                if found and taken + windows > limit:
                    break
                found.append(stored)
                taken, upto = taken + windows, stored.commit
            else:
                upto = self._commits
        table = assembly.tidied_names(_table(found))
        return upto + 1, assembly.narrowed(
            assembly.published(table), assembly.VALUE_COLUMNS, histograms=histograms
        )

    def envelopes(self, site: str, start_ns: int, end_ns: int) -> list[Envelope]:
        """The raw reports behind a span, by start."""
        return [e for e, _ in self._selected(Selection(start_ns, end_ns, sites=(site,)))]

    def gaps(self, selection: Selection) -> Gaps:
        """What is missing in a selection."""
        known_ns = FOREVER_NS if selection.as_of_ns is None else selection.as_of_ns
        holes = [
            hole
            for hole, (first_ns, last_ns) in sorted(self._holes(), key=lambda pair: _hole_order(pair[0]))
            if hole.noticed_ns <= known_ns and first_ns < selection.end_ns and last_ns > selection.start_ns
            if not selection.sites or hole.site in selection.sites
        ]
        return Gaps(
            tuple(holes),
            tuple(self._silences(selection, known_ns)),
            tuple(self._expected(selection, known_ns)),
        )

    def _expected(self, selection: Selection, known_ns: int) -> Iterator[Contact]:
        for (site, probe), contacts in sorted(self._contacts.items()):
            first_ns = min(start for start, _ in contacts)
            known = any(received <= known_ns for _, received in contacts)
            wanted = not selection.sites or site in selection.sites
            if known and wanted and first_ns < selection.end_ns:
                yield Contact(site, probe, max(first_ns, self._raw_from_ns))

    def _holes(self) -> Iterator[tuple[SeqHole, tuple[int, int]]]:
        """Every hole and tombstone with the time that it concerns."""
        for (site, probe, epoch), account in self._accounts.items():
            for first, last, noticed in account.holes:
                yield SeqHole(site, probe, epoch, first, last, noticed), (noticed, noticed + 1)
        for (site, probe, epoch, first, last), (stone, received_ns) in self._tombstones.items():
            stored = self._accounts[site, probe, epoch].stored
            for a, b in stored.holes(first, last):
                span = (stone.from_ns, stone.until_ns)
                hole = SeqHole(site, probe, epoch, a, b, received_ns, stone.reason, *span)
                yield hole, (stone.from_ns, max(stone.until_ns, stone.from_ns + 1))

    def _silences(self, selection: Selection, known_ns: int) -> Iterator[Silence]:
        for (site, probe), contacts in sorted(self._contacts.items()):
            seen = [(start, received) for start, received in contacts if received <= known_ns]
            if seen and (not selection.sites or site in selection.sites):
                first_ns = min(start for start, _ in contacts)
                starts = np.array([start for start, _ in seen if start >= self._raw_from_ns], np.int64)
                begin = Selection(
                    max(selection.start_ns, self._raw_from_ns), selection.end_ns, as_of_ns=selection.as_of_ns
                )
                yield from silences(site, probe, first_ns, starts, begin)

    def received(self, site: str, probe: str) -> Mapping[str, IntervalSet]:
        """Per epoch, the seq ranges accounted for."""
        return {
            epoch: account.accounted()
            for (of_site, of_probe, epoch), account in self._accounts.items()
            if (of_site, of_probe) == (site, probe)
        }

    def accounted(self, epochs: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], IntervalSet]:
        """The seq ranges accounted for of many epochs at one look."""
        return {key: self._accounts[key].accounted() for key in epochs if key in self._accounts}

    @property
    def shipping(self) -> Mapping[str, int | float | bool | str | None]:
        """Nothing: there is no server."""
        return {}

    def close(self) -> None:
        """Nothing to let go of."""

    def _all(self) -> StreamTable:
        """Every window, measured and imported."""
        return assembly.concatenate([_table(self._reports), self._imported])

    def _selected(self, selection: Selection) -> list[tuple[Envelope, int]]:
        """The reports of a selection with their receipt, by (site, start, commit)."""
        return [
            (stored.report.envelope, stored.report.received_ns)
            for stored in sorted(self._reports, key=_order)
            if selection.start_ns <= stored.report.envelope.start_ns < selection.end_ns
            if not selection.sites or stored.report.envelope.site in selection.sites
            if selection.as_of_ns is None or stored.report.received_ns <= selection.as_of_ns
        ]


def _order(stored: _Stored) -> tuple[str, int, int, int]:
    e = stored.report.envelope
    return e.site, e.start_ns, stored.report.received_ns, stored.commit


def _hole_order(hole: SeqHole) -> tuple[str, bool, str, str, int]:
    return hole.site, bool(hole.tombstone), hole.probe, hole.epoch, hole.first_seq


def _understood(item: Item | Opaque) -> Item | Opaque:
    """What was not understood when it came, as it is understood now."""
    return codec.decode_item(item.raw) if isinstance(item, Opaque) else item


def _table(reports: Sequence[_Stored]) -> StreamTable:
    return assembly.table_of(
        (
            codec.decode(codec.encode(s.report.envelope)),
            Origin(s.report.received_ns, s.commit, emulated=s.report.emulated),
        )
        for s in reports
    )


def _in_slots(table: StreamTable, slots: set[tuple[str, int]]) -> NDArray[np.bool_]:
    starts = table.columns["start_ns"] // SLOT_NS * SLOT_NS
    pairs = [(table.sites[site], slot) in slots for site, slot in _pairs(table.columns["site"], starts)]
    return np.array(pairs, np.bool_)


def _pairs(first: NDArray[Any], second: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(first.tolist(), second.tolist(), strict=True))
