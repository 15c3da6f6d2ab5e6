"""Reading: what the journal has whole comes from it alone; older time from the server, and what it lacks from the journal."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.messages import Opaque
from telemetry.store import assembly
from telemetry.store.ahead import without_ahead
from telemetry.store.imported import is_among, of_other_tools
from telemetry.store.item_kinds import UNKNOWN_KIND, kind_of
from telemetry.store.protocol import Contact, Gaps, Selection, StoredItem
from telemetry.store.rollup_tables import as_rollups, as_windows, wanted_rollups
from telemetry.store.rollups_as_of import rollups_as_of
from telemetry.store.server import tables
from telemetry.store.server.union import united
from telemetry.store.silence import silences
from telemetry.store.sqlite.items import decoded
from telemetry.store.superseded import to_keep
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from telemetry.intervals import IntervalSet
    from telemetry.messages import Envelope
    from telemetry.store.protocol import Silence
    from telemetry.store.server.database import Database
    from telemetry.store.server.journal_reader import JournalReader
    from telemetry.store.sqlite.blocks import PackedItem
    from telemetry.store.tables import RollupTable, StreamTable

_FOREVER_NS: Final = 2**63 - 1
_LOOK_BACK_NS: Final = (HOUR_NS, DAY_NS, 7 * DAY_NS, 35 * DAY_NS, _FOREVER_NS)
_ROLLUP_KEYS: Final = ("probe", "start_ns")


class ServerReader:
    """Reads journal and server as one store.

    A read that needs the server raises `ServerError` (a `StoreError`) while it is away; one of recent time does not need it.
    The journal is read first: what leaves it in between is on the server by then.
    """

    def __init__(self, journal: JournalReader, database: Database) -> None:
        """Both are closed with this reader."""
        self._journal = journal
        self._database = database

    def streams(
        self, selection: Selection, *, histograms: bool = True, columns: Collection[str] | None = None
    ) -> StreamTable:
        """Stream windows of a selection; see `StoreReader.streams`."""
        table = self.windows(selection, assembly.wanted(columns), histograms=histograms)
        return assembly.published(assembly.tidied(table))

    def windows(self, selection: Selection, names: Sequence[str], *, histograms: bool) -> StreamTable:
        """The windows of a selection with their commits, in any order."""
        kept = self._journal.kept()
        selection = replace(selection, start_ns=max(selection.start_ns, kept.raw_ns))
        here = self._journal.windows(selection, names, histograms=histograms)
        older = replace(selection, end_ns=min(selection.end_ns, kept.journal_ns))
        if older.start_ns >= older.end_ns:
            return here
        sites = self._journal.sites(selection)
        there = tables.windows(self._database, older, sites, names, histograms=histograms)
        return united(here, there)

    def rollups(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Five-minute roll-ups of a selection; see `StoreReader.rollups`."""
        names = wanted_rollups(columns, window_values)
        table = self._rolled(selection, names, histograms=histograms)
        table = assembly.rows_where(table, ~_gives_way(table))
        if selection.as_of_ns is not None:
            windows = partial(self.windows, names=assembly.VALUE_COLUMNS, histograms=True)
            table = rollups_as_of(table, selection.as_of_ns, names, windows)
        return as_rollups(assembly.tidied(assembly.selected(table, selection)))

    def superseded(
        self,
        selection: Selection,
        *,
        histograms: bool = True,
        columns: Collection[str] | None = None,
        window_values: Collection[str] | None = None,
    ) -> RollupTable:
        """Imported roll-ups that have given way: the journal has kept them, or they are on the server yet. See `StoreReader.superseded`."""
        names = wanted_rollups(columns, window_values)
        here = self._journal.superseded(
            selection, histograms=histograms, columns=columns, window_values=window_values
        )
        table = as_windows(here, names, histograms=histograms)
        for span, kept in self._given_way(selection):
            there = self._rolled(span, tuple(dict.fromkeys((*names, "stamps"))), histograms=histograms)
            there = assembly.rows_where(there, of_other_tools(there) & is_among(there, kept))
            table = united(table, assembly.narrowed(there, names, histograms=histograms), _ROLLUP_KEYS)
        return as_rollups(assembly.tidied(assembly.selected(table, selection)))

    def _given_way(self, selection: Selection) -> Iterator[tuple[Selection, StreamTable]]:
        """Office by office the span, and the keys, of roll-ups that were imported and are on the server beside those that cover them."""
        few = self._rolled(selection, ("windows", "emulated", "stamps"), histograms=False)
        if not _gives_way(few).any():
            return
        windows = partial(self.windows, names=(), histograms=False)
        for code in np.unique(few.columns["site"]).tolist():
            mine = assembly.rows_where(few, few.columns["site"] == code)
            kept = to_keep(mine, mine, windows)
            if len(kept):
                slots, site = kept.columns["start_ns"], few.sites[code]
                yield Selection(int(slots.min()), int(slots.max()) + SLOT_NS, sites=(site,)), kept

    def _rolled(self, selection: Selection, names: Sequence[str], *, histograms: bool) -> StreamTable:
        """All roll-ups of a selection (inner form), also imported ones that stay on the server where others cover them; `as_of_ns` is left aside."""
        kept = self._journal.kept()
        selection = replace(selection, start_ns=max(selection.start_ns, kept.rollups_ns), as_of_ns=None)
        table = self._journal.rolled(selection, names, histograms=histograms)
        older = replace(selection, end_ns=min(selection.end_ns, kept.journal_ns // DAY_NS * DAY_NS))
        if older.start_ns >= older.end_ns:
            return table
        there = tables.rollups(
            self._database, older, self._journal.sites(selection), names, histograms=histograms
        )
        return united(table, assembly.selected(there, older), _ROLLUP_KEYS)

    def rollups_there(self, span: Selection) -> tuple[StreamTable, Mapping[tuple[str, int], int]]:
        """Which roll-ups the server alone has of a span (inner form, few columns), and the version of each (site, slot)."""
        end_ns = min(span.end_ns, self._journal.kept().journal_ns)
        older = Selection(span.start_ns, end_ns, sites=span.sites)
        sites = self._journal.sites(older) if older.start_ns < older.end_ns else ()
        there = tables.rollups(self._database, older, sites, ("windows", "emulated"), histograms=False)
        return there, tables.versions(self._database, older, sites)

    def items(self, kind: str, selection: Selection) -> list[StoredItem]:
        """Items of one tag that is not `stream`, by (site, start)."""
        kept = self._journal.kept()
        selection = replace(selection, start_ns=max(selection.start_ns, kept.raw_ns))
        sites = self._journal.sites(selection)
        here = {site: self._journal.packed_items(site, selection) for site in sites}
        older = replace(selection, end_ns=min(selection.end_ns, kept.journal_ns))
        if older.start_ns < older.end_ns:
            reports = {site: {_report(item) for item in some} for site, some in here.items()}
            for site, item in tables.items(self._database, older, sites):
                if _report(item) not in reports[site]:
                    here[site].append(item)
        out: list[StoredItem] = []
        for site in sites:
            found = sorted(here[site], key=lambda item: (item.start_ns, item.received_ns))
            out += _understood(site, found, kind, selection)
        return out

    def latest(self, *, as_of_ns: int | None = None, histograms: bool = False) -> StreamTable:
        """The newest window of every (site, path): the journal never lets go of it."""
        if as_of_ns is None:
            return self._journal.latest(histograms=histograms)
        wanted = self._journal.lines(as_of_ns)
        parts = [assembly.published(assembly.empty_table(assembly.VALUE_COLUMNS, histograms=histograms))]
        for back_ns in _LOOK_BACK_NS:
            if not wanted:
                break
            sites = tuple(sorted({site for site, _ in wanted}))
            span = Selection(max(0, as_of_ns - back_ns), _FOREVER_NS, sites=sites, as_of_ns=as_of_ns)
            table = assembly.last_of_lines(without_ahead(self.streams(span, histograms=histograms)))
            lines = [
                (table.sites[s], table.paths[p])
                for s, p in zip(table.columns["site"].tolist(), table.columns["path"].tolist(), strict=True)
            ]
            parts.append(assembly.rows_where(table, np.array([line in wanted for line in lines], np.bool_)))
            wanted -= set(lines)
        return assembly.tidied(assembly.concatenate(parts))

    def tail(self, cursor: int, limit: int = 10_000, *, histograms: bool = False) -> tuple[int, StreamTable]:
        """Stream windows committed after `cursor`, as far as the journal still has them; see `StoreReader.tail`."""
        return self._journal.tail(cursor, limit, histograms=histograms)

    def envelopes(self, site: str, start_ns: int, end_ns: int) -> list[Envelope]:
        """The raw reports behind a span, while the journal keeps them whole."""
        return self._journal.envelopes(site, start_ns, end_ns)

    def gaps(self, selection: Selection) -> Gaps:
        """What is missing in a selection: holes by the journal's ledger, silences by all contacts."""
        kept = self._journal.kept()
        here = self._journal.gaps(selection)
        expected = tuple(self._expected(selection, kept.raw_ns))
        if selection.start_ns >= kept.journal_ns:
            return replace(here, contacts=expected)
        inside = replace(selection, start_ns=max(selection.start_ns, kept.raw_ns))
        return Gaps(here.holes, tuple(self._silences(inside, kept.journal_ns)), expected)

    def _expected(self, selection: Selection, raw_ns: int) -> Iterator[Contact]:
        for site in self._journal.sites(selection):
            for probe, first_ns in self._journal.first_contacts(site, selection.as_of_ns):
                if first_ns < selection.end_ns:
                    yield Contact(site, probe, max(first_ns, raw_ns))

    def _silences(self, selection: Selection, journal_ns: int) -> Iterator[Silence]:
        sites = self._journal.sites(selection)
        here = {site: self._journal.contacts(site, selection) for site in sites}
        older = replace(selection, end_ns=min(selection.end_ns, journal_ns))
        for site, probe, start_ns, received_ns in tables.contacts(self._database, older, sites):
            here[site].append((probe, start_ns, received_ns))
        for site in sites:
            known = _FOREVER_NS if selection.as_of_ns is None else selection.as_of_ns
            for probe, first_ns in self._journal.first_contacts(site, selection.as_of_ns):
                starts = [start for who, start, came in here[site] if who == probe and came <= known]
                yield from silences(site, probe, first_ns, np.array(starts, np.int64), selection)

    def received(self, site: str, probe: str) -> Mapping[str, IntervalSet]:
        """Per epoch, the seq ranges accounted for, by the journal's ledger."""
        return self._journal.received(site, probe)

    def close(self) -> None:
        """Let go of the journal and the server."""
        self._journal.close()
        self._database.close()


def _gives_way(table: StreamTable) -> NDArray[np.bool_]:
    """(n,): which roll-ups were imported, or drawn, of slots that were measured: on the server a point of another probe covers none."""
    made_up = np.asarray(table.columns["emulated"] == 1)
    if made_up.any():
        made_up &= is_among(table, assembly.rows_where(table, ~made_up))
    return made_up


def _report(item: PackedItem) -> tuple[str, int, int]:
    """What tells the reports of a site apart."""
    return item.probe, item.start_ns, item.commit


def _understood(
    site: str, found: Sequence[PackedItem], kind: str, selection: Selection
) -> Iterator[StoredItem]:
    """The visible items of one tag, decoded by this version."""
    for item in found:
        is_late = selection.as_of_ns is not None and item.received_ns > selection.as_of_ns
        if item.kind not in (kind, UNKNOWN_KIND) or is_late:
            continue
        if not selection.start_ns <= item.start_ns < selection.end_ns:
            continue
        content = decoded(item)
        if isinstance(content, Opaque) or kind_of(content) != kind:
            continue
        if not selection.paths or getattr(content, "path", None) in selection.paths:
            yield tables.stored(site, item, content)
