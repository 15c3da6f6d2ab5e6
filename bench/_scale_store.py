"""The past of the scale benchmark: eight weeks of roll-ups of a few offices, drawn and imported, then copied as rows.

Eight offices go the way that every import goes; the blocks of the others are copies of theirs under other names, byte for byte (no
block holds its office's name), which takes seconds in place of a quarter of an hour. Histograms are left out: no readiness pass reads them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from config.load import load_config
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.open import open_writer, store_file
from telemetry.store.ragged import empty
from telemetry.store.sqlite.blocks import PARTS_PER_BLOCK
from telemetry.store.tables import RollupTable
from telemetry.windows import SECOND_NS, SLOT_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WEEKS: Final = 8
SLOTS_PER_WEEK: Final = 2016
PATHS: Final = ("main.state", "main.national")
DRAWN: Final = 8
"""Offices that are drawn."""
T0: Final = 1_795_392_000 * SECOND_NS
END_NS: Final = T0 + WEEKS * SLOTS_PER_WEEK * SLOT_NS
_DECIMALS: Final = 3


def make(folder: Path, offices: int) -> None:
    """A store with `s0` to `s<offices - 1>`."""
    settings = load_config(None).settings.store
    with contextlib.closing(open_writer(settings, folder)) as store:
        for week in range(WEEKS):
            store.import_rollups(_week(week))
    with contextlib.closing(
        sqlite3.connect(store_file(settings, folder), isolation_level=None)
    ) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for number in range(DRAWN, offices):
            connection.execute("BEGIN")
            _copy(connection, f"s{number % DRAWN}", f"s{number}")
            connection.execute("COMMIT")


def _copy(connection: sqlite3.Connection, office: str, name: str) -> None:
    (top,) = connection.execute("SELECT max(id) FROM block").fetchone()
    ids = connection.execute("SELECT id FROM block WHERE kind = 1 AND site = ?", (office,)).fetchall()
    for new, (old,) in enumerate(ids, start=top + 1):
        connection.execute(
            "INSERT INTO block (id, kind, site, start_ns, mark)"
            " SELECT ?, kind, ?, start_ns, random() FROM block WHERE id = ?",
            (new, name, old),
        )
        shift, first = (new - old) * PARTS_PER_BLOCK, old * PARTS_PER_BLOCK
        connection.execute(
            "INSERT INTO part SELECT id + ?, data FROM part WHERE id >= ? AND id < ?",
            (shift, first, first + PARTS_PER_BLOCK),
        )
    for copying in (
        "INSERT INTO line SELECT ?, path, newest_ns, first_received_ns FROM line WHERE site = ?",
        "INSERT INTO contact SELECT ?, probe, first_start_ns, first_received_ns FROM contact WHERE site = ?",
    ):
        connection.execute(copying, (name, office))


def _week(week: int) -> RollupTable:
    """A week drawn once; the other weeks are the same one, begun at another slot."""
    values, columns = _drawn()
    slot = (columns["slot"] + week * 211) % SLOTS_PER_WEEK + week * SLOTS_PER_WEEK
    kept = {name: column for name, column in columns.items() if name != "slot"}
    kept |= {"slot_ns": T0 + slot * SLOT_NS, "received_ns": T0 + (slot + 1) * SLOT_NS + 20 * SECOND_NS}
    none = {name: empty(len(slot)) for name in HISTOGRAM_COLUMNS}
    return RollupTable(tuple(f"s{i}" for i in range(DRAWN)), ("p1",), PATHS, kept, values, none)


@cache
def _drawn() -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.generic]]]:
    """0.1 % random loss, a fault of half an hour in one of a hundred, jitter and round trips with a tail, to the microsecond."""
    rng = np.random.default_rng(1)
    rows = DRAWN * len(PATHS) * SLOTS_PER_WEEK
    site, path, slot = np.unravel_index(np.arange(rows), (DRAWN, len(PATHS), SLOTS_PER_WEEK))
    shape = (rows, WINDOWS_PER_SLOT)
    values = {name: np.zeros(shape, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = 150
    loss = np.where(np.repeat(rng.random(rows // 6) < 0.01, 6), 0.05, 0.001)[:, None]
    values["up_lost"][...] = values["lost"][...] = rng.binomial(150, loss, shape)
    for name in ("up_jitter_ms", "down_jitter_ms"):
        values[name][...] = np.round(rng.gamma(2.0, 2.0, shape), _DECIMALS)
    values["rtt_p95_ms"][...] = np.round(40.0 + rng.gamma(2.0, 10.0, shape), _DECIMALS)
    columns: dict[str, NDArray[np.generic]] = {
        "site": site.astype(np.int32),
        "probe": np.zeros(rows, dtype=np.int32),
        "path": path.astype(np.int32),
        "slot": slot.astype(np.int64),
        "windows": np.full(rows, WINDOWS_PER_SLOT, dtype=np.int64),
    }
    columns |= {name: np.zeros(rows, dtype=np.int64) for name in COUNT_COLUMNS}
    columns |= {name: np.round(rng.gamma(2.0, 10.0, rows), 2 * _DECIMALS) for name in FLOAT_COLUMNS}
    columns["emulated"] = np.ones(rows, dtype=np.int64)
    for name in ("sent", "lost", "up_lost"):
        columns[name] = values[name].sum(axis=-1).astype(np.int64)
    for name in ("up_jitter_ms", "down_jitter_ms", "rtt_p95_ms"):
        columns[name] = np.round(values[name].mean(axis=-1).astype(np.float64), 2 * _DECIMALS)
    return values, columns
