"""Reads the files, puts the samples together by office and week, and writes five-minute roll-ups into the store.

Only roll-ups are written, with the values of their windows: other tools measure too seldom for the 15 s grid, and windows
would tell of silence that was none. What was measured here is never touched; what was imported before is replaced. Of slots that
were measured here and came late the store keeps for back-tests what the files knew before.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from msgspec import Struct, structs

from config.errors import ConfigError
from tatpar.importing.no_zone import NoZone
from tatpar.importing.places import PlaceFinder
from tatpar.importing.repeats import Coarse, measured_once
from tatpar.importing.samples import DOUBTS, dtype_of, samples
from tatpar.importing.small_shares import SmallShares
from tatpar.importing.spill import Spill
from tatpar.importing.tables import chunks
from tatpar.importing.windows import late, windows_of
from telemetry.store.assembly import concatenate, rows_where
from telemetry.store.imported import is_among
from telemetry.store.protocol import Selection
from telemetry.store.rollup import roll_up
from telemetry.store.rollup_tables import as_rollups, as_windows
from telemetry.store.superseded import told_before
from telemetry.store.told import closes_ns
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from config.config import Config
    from tatpar.importing.mapping import Mapping
    from tatpar.importing.samples import Samples
    from telemetry.store.protocol import ReportStore, StoreReader
    from telemetry.store.tables import RollupTable, StreamTable

MOST_PATHS: Final = 1_000
LATE: Final = "-late"
LONGEST_ID: Final = 63


class Written(Struct, frozen=True, kw_only=True):
    """What was (or would be) taken in of one office."""

    site: str
    paths: tuple[str, ...] = ()
    samples: int = 0
    """Rows of the files, or packets where a row is several."""
    from_ns: int | None = None
    until_ns: int | None = None
    slots: int = 0
    """Roll-ups written, those that replace an earlier import among them."""
    replaced: int = 0
    overtaken: int = 0
    """Of those, slots that are known later by this import than by the one before."""
    measured: int = 0
    """Slots that were measured here, and stay as they are."""
    open: int = 0
    """Slots that are not over yet; left out."""
    old: int = 0
    """Slots written that are older than the store keeps roll-ups."""
    twice: int = 0
    """Samples of an hour that came twice, as a zone's clocks went back; they count as its first."""
    never: int = 0
    """Samples of local times that a zone's clocks left out; they count as the moment when the clocks went on."""
    repeated: int = 0
    """Rows that say again what another says of the same moment; they count once."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What to import."""

    files: Sequence[Path]
    mapping: Mapping
    mapping_file: Path
    site: str | None = None


class Importer:
    """One import; `read` first, then `write` or `rehearse`."""

    def __init__(self, config: Config, sources: Sources, now_ns: int, folder: Path) -> None:
        """`folder` is where samples are laid aside meanwhile; it is made when it is not there.

        Raises:
            ConfigError: the mapping names what there is not.
        """
        self._finder = PlaceFinder(config, sources.mapping, sources.mapping_file, sources.site)
        folder.mkdir(parents=True, exist_ok=True)
        self._aside = tempfile.TemporaryDirectory(prefix="importing-", dir=folder)
        self._spill = Spill(Path(self._aside.name), dtype_of(sources.mapping))
        self._sources = sources
        self._kept_from_ns = now_ns - config.settings.store.rollup_days * DAY_NS
        self._now_ns = now_ns
        self._timezone = config.settings.deployment.timezone
        self._paths: list[str] = []
        self._doubt: Counter[tuple[str, str]] = Counter()
        self._spans: dict[str, tuple[int, int]] = {}
        self._mended: list[str] = []

    @property
    def pieces(self) -> int:
        """How many pieces there are to write, after `read`."""
        return len(self._spill)

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """By office, from when to when slots were written, after `write`: so far the source reaches."""
        return self._spans

    @property
    def mended(self) -> tuple[str, ...]:
        """What was amiss with the files and is mended, or looks amiss, a line each for people, after `read`."""
        return tuple(self._mended)

    def read(self, progress: Callable[[int], None]) -> None:
        """Read all files; `progress` is told bytes.

        Raises:
            ConfigError: something in a file cannot be; nothing has been written then.
        """
        for number, file in enumerate(self._sources.files):
            small = SmallShares(self._sources.mapping)
            no_zone = NoZone(self._sources.mapping, self._timezone)
            for chunk in chunks(file, self._sources.mapping, progress):
                self._mended.extend(chunk.mended)
                sampled = samples(chunk, self._sources.mapping, self._now_ns)
                small.look(chunk)
                no_zone.look(sampled)
                found, rows = sampled.samples, sampled.rows
                places = self._finder.of(chunk)
                codes = np.array([self._code(file, name) for name in places.paths] or [0], np.int16)
                wanted = places.wanted[rows]
                found["path"] = codes[np.maximum(places.path, 0)][rows]
                found["file"] = number
                self._spill.put(places.sites, places.site[rows][wanted], found[wanted])
                for doubt in DOUBTS:
                    doubted = places.site[rows][wanted & getattr(sampled, doubt)]
                    for site, count in zip(*np.unique(doubted, return_counts=True), strict=True):
                        self._doubt[places.sites[int(site)], doubt] += int(count)
            self._mended.extend(f"{file}: {doubt}" for doubt in (*small.doubts(), *no_zone.doubts()))

    def _code(self, file: Path, path: str) -> int:
        if path not in self._paths:
            if len(self._paths) >= MOST_PATHS:
                raise ConfigError(
                    file, f"there are more than {MOST_PATHS} paths", "see [path] of the mapping"
                )
            self._paths.append(path)
        return self._paths.index(path)

    def write(
        self, store: ReportStore | None, reader: StoreReader | None, progress: Callable[[int], None]
    ) -> list[Written]:
        """Put the samples together and import them, office by office; `progress` is told pieces.

        Args:
            store: where to write; None only counts.
            reader: what is there already; None where there is no store yet.
            progress: told after each piece.

        Raises:
            StoreError: the store cannot be written; what was written until then stays, and importing again completes it.
        """
        return [self._write_site(site, store, reader, progress) for site in self._spill.sites]

    def _write_site(
        self,
        site: str,
        store: ReportStore | None,
        reader: StoreReader | None,
        progress: Callable[[int], None],
    ) -> Written:
        coarse = self._coarse(site)
        parts: list[Written] = []
        for found in self._spill.take(site):
            once, repeated = measured_once(found, coarse)
            table = self._rolled(once, site)
            table, written = self._fresh(site, table, len(found), reader)
            if store is not None and len(table):
                store.import_rollups(table)
            parts.append(structs.replace(written, repeated=repeated))
            progress(1)
        return structs.replace(
            _sum_of(site, parts), twice=self._doubt[site, "twice"], never=self._doubt[site, "never"]
        )

    def _rolled(self, samples: Samples, site: str) -> RollupTable:
        """Roll-ups of samples. What came late of a slot has one of its own, of another probe by name: a replay must not see it, nor that it will come."""
        probe = self._sources.mapping.probe
        came_late = late(samples)
        parts = [windows_of(samples[~came_late], site, probe, self._paths)]
        if came_late.any():
            parts.append(windows_of(samples[came_late], site, late_name(probe), self._paths))
        return roll_up(concatenate(parts))

    def _coarse(self, site: str) -> Callable[[Samples], NDArray[np.bool_]]:
        """Where the very same row of a file counts each time, judged by all that the files have of an office."""
        if self._sources.mapping.file.form == "trace":
            return lambda found: np.ones(len(found), np.bool_)
        coarse = Coarse()
        for found in self._spill.look(site):
            coarse.look(found)
        return coarse.of

    def _fresh(
        self, site: str, table: RollupTable, count: int, reader: StoreReader | None
    ) -> tuple[RollupTable, Written]:
        """What may be written, and what is said of it."""
        slot_ns = table.columns["slot_ns"]
        closed = closes_ns(slot_ns // SLOT_NS) <= self._now_ns
        rows = as_windows(table)
        measured = imported = came_late = known = np.zeros(len(table), np.bool_)
        overtaken = 0
        if reader is not None and len(table):
            span = Selection(int(slot_ns.min()), int(slot_ns.max()) + SLOT_NS, sites=(site,))
            found = reader.rollups(span, histograms=False, columns=(), window_values=())
            there = as_windows(found, ("emulated",), histograms=False)
            made_up = np.asarray(there.columns["emulated"] == 1)
            ours, before = rows_where(there, ~made_up), rows_where(there, made_up)
            measured, imported = is_among(rows, ours), is_among(rows, before)
            late = ours.columns["received_ns"] > closes_ns(ours.columns["start_ns"] // SLOT_NS)
            came_late = is_among(rows, rows_where(ours, late))
            known = came_late & told_before(rows, ours)
            gives_way = rows_where(before, is_among(before, rows_where(rows, closed & ~measured)))
            overtaken = _slots(gives_way, told_before(gives_way, rows))
        takes = closed & ~measured
        kept = as_rollups(rows_where(rows, closed & (came_late | ~measured)))
        reaches = takes | (closed & known)
        if reaches.any():
            written = int(slot_ns[reaches].min()), int(slot_ns[reaches].max()) + SLOT_NS
            first, last = self._spans.get(site, written)
            self._spans[site] = min(first, written[0]), max(last, written[1])
        return kept, Written(
            site=site,
            paths=tuple(sorted({table.paths[code] for code in np.unique(table.columns["path"])})),
            samples=count,
            from_ns=int(slot_ns.min()) if len(table) else None,
            until_ns=int(slot_ns.max()) + SLOT_NS if len(table) else None,
            slots=_slots(rows, takes),
            replaced=_slots(rows, takes & imported),
            overtaken=overtaken,
            measured=_slots(rows, measured),
            open=_slots(rows, ~closed),
            old=_slots(rows, takes & (slot_ns < self._kept_from_ns)),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of what was laid aside."""
        self._aside.cleanup()


def late_name(probe: str) -> str:
    """The name under which stands what came late of an imported slot."""
    return f"{probe[: LONGEST_ID - len(LATE)].rstrip('-')}{LATE}"


def _slots(rows: StreamTable, which: NDArray[np.bool_]) -> int:
    """How many slots of lines some roll-ups of one office are of."""
    keys = np.stack([rows.columns[name][which].astype(np.int64) for name in ("path", "start_ns")])
    return int(np.unique(keys, axis=1).shape[1])


def _sum_of(site: str, parts: Iterable[Written]) -> Written:
    all_ = list(parts)
    counts = {
        name: sum(getattr(part, name) for part in all_)
        for name in ("samples", "slots", "replaced", "overtaken", "measured", "open", "old", "repeated")
    }
    return Written(
        site=site,
        paths=tuple(sorted({path for part in all_ for path in part.paths})),
        from_ns=min((part.from_ns for part in all_ if part.from_ns is not None), default=None),
        until_ns=max((part.until_ns for part in all_ if part.until_ns is not None), default=None),
        **counts,
    )
