"""The report store in one SQLite file: recent reports as rows, closed hours and days as packed blocks."""

from telemetry.store.sqlite.reader import SqliteReader
from telemetry.store.sqlite.writer import SqliteStore

__all__ = ["SqliteReader", "SqliteStore"]
