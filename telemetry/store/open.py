"""Opening the store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Store
    from telemetry.store.protocol import ReportStore, StoreReader

SQLITE_FILE: Final = "reports.db"


def open_writer(settings: Store, data_dir: Path) -> ReportStore:
    """The store for writing.

    Raises:
        StoreError: it cannot be opened.
    """
    from telemetry.store.sqlite import SqliteStore  # noqa: PLC0415 -- zstandard is the hub's: not for `tatpar --help`

    return SqliteStore(data_dir / SQLITE_FILE, raw_days=settings.raw_days, rollup_days=settings.rollup_days)


def open_reader(settings: Store, data_dir: Path) -> StoreReader:
    """The store for reading, beside a writer in this or another process.

    Raises:
        StoreError: it cannot be opened.
    """
    from telemetry.store.sqlite import SqliteReader  # noqa: PLC0415

    assert settings.kind == "sqlite"
    return SqliteReader(data_dir / SQLITE_FILE)
