"""What the shipper has done and how it fares, for those who watch it."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

log: Final = logging.getLogger(__name__)


class Shipping:
    """Counters of one process; told on transitions only."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = Lock()
        self._counts = dict.fromkeys(
            ("points_written", "batches", "retries", "rejected_points", "expired_points", "oversized_values"),
            0,
        )
        self._available: bool | None = None
        self._error = ""

    def count(self, name: str, number: int = 1) -> None:
        """Raise a counter."""
        with self._lock:
            self._counts[name] += number

    def well(self) -> None:
        """The server takes what it is given."""
        with self._lock:
            before, self._available, self._error = self._available, True, ""
        if before is False:
            log.info(
                "report store %s: takes reports again", self._where, extra={"event": "store-server.recovered"}
            )

    def trouble(self, error: str) -> None:
        """It does not; said once until that changes."""
        with self._lock:
            before, self._available, self._error = (self._available, self._error), False, error
        if before != (False, error):
            extra = {"event": "store-server.failed", "reason": error}
            log.error("report store: %s; reports wait in the journal, none is lost", error, extra=extra)

    def figures(self) -> Mapping[str, int | bool | str]:
        """Counters and state at this moment."""
        with self._lock:
            known = {} if self._available is None else {"server_available": self._available}
            return {**self._counts, **known, "last_error": self._error}
