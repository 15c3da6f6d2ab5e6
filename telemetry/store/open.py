"""Opening the store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.store.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Store
    from telemetry.store.protocol import ReportStore, StoreReader

SQLITE_FILE: Final = "reports.db"
JOURNAL_FILE: Final = "journal.db"
RESTORING: Final = (".restoring", ".restored")
"""Folders within a data folder into which a backup is being put back: copied, and then moved up."""


def open_writer(settings: Store, data_dir: Path) -> ReportStore:
    """The store for writing.

    Raises:
        StoreError: it cannot be opened.
    """
    if any((data_dir / name).exists() for name in RESTORING):
        raise StoreError(
            f"{data_dir}: a backup is being put back here, or that was broken off; run tatpar store restore again"
        )
    if settings.kind == "sqlite":
        from telemetry.store.sqlite import (  # noqa: PLC0415 -- zstandard is the hub's: not for `tatpar --help`
            SqliteStore,
        )

        return SqliteStore(
            data_dir / SQLITE_FILE, raw_days=settings.raw_days, rollup_days=settings.rollup_days
        )
    from telemetry.store.server import ServerStore  # noqa: PLC0415
    from telemetry.store.server.connect import connect  # noqa: PLC0415

    return ServerStore(settings, data_dir, connect(settings, data_dir))


def open_reader(settings: Store, data_dir: Path) -> StoreReader:
    """The store for reading, beside a writer in this or another process.

    Raises:
        StoreError: it cannot be opened.
    """
    if settings.kind == "sqlite":
        from telemetry.store.sqlite import SqliteReader  # noqa: PLC0415

        return SqliteReader(data_dir / SQLITE_FILE)
    from telemetry.store.server import ServerReader  # noqa: PLC0415
    from telemetry.store.server.connect import connect  # noqa: PLC0415
    from telemetry.store.server.journal_reader import JournalReader  # noqa: PLC0415

    return ServerReader(JournalReader(data_dir / JOURNAL_FILE), connect(settings, data_dir))


def store_file(settings: Store, data_dir: Path) -> Path:
    """The file here that the store keeps its books in, whether it is there or not."""
    return data_dir / (SQLITE_FILE if settings.kind == "sqlite" else JOURNAL_FILE)
