"""Windows of a clock that runs ahead: stored like any other, but never taken for the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.store import assembly
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from telemetry.store.tables import StreamTable

AHEAD_NS: Final = 300 * SECOND_NS
"""A window that starts so much later than it was received has a wrong clock."""


def is_ahead(start_ns: int, received_ns: int) -> bool:
    """Whether a window's clock was wrong: it would hide every later window of its line for years."""
    return start_ns > received_ns + AHEAD_NS


def without_ahead(table: StreamTable) -> StreamTable:
    """The rows whose clock did not run ahead."""
    return assembly.rows_where(table, table.columns["start_ns"] <= table.columns["received_ns"] + AHEAD_NS)
