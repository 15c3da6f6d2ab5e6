"""Bringing points to the server: in batches, with every answer understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.store.server.database import RejectedError, TooLargeError
from telemetry.store.server.influx import outside_retention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.store.server.database import Database
    from telemetry.store.server.quarantine import Quarantine
    from telemetry.store.server.shipping import Shipping

LINES_PER_WRITE: Final = 20_000


class Delivery:
    """Writes points; returns when the server has all but those that it refuses for good."""

    def __init__(self, database: Database, shipping: Shipping, quarantine: Quarantine) -> None:
        self._database, self._shipping, self._quarantine = database, shipping, quarantine
        self._most = LINES_PER_WRITE

    def send(self, lines: Sequence[str]) -> None:
        """Write all.

        Raises:
            AwayError, DeniedError: the server does not take them now; some may be stored, all are to be sent again.
        """
        at = 0
        while at < len(lines):
            some = lines[at : at + self._most]
            self._write(some)
            at += len(some)

    def _write(self, lines: Sequence[str]) -> None:
        try:
            self._database.write(lines)
        except TooLargeError as error:
            self._most = max(min(self._most, len(lines) // 2), 1)  # from now on
            self._halve(lines, error)
        except RejectedError as error:
            if outside_retention(error):
                self._shipping.count("expired_points", len(lines))
                return
            self._halve(lines, error)
        else:
            self._shipping.count("batches")
            self._shipping.count("points_written", len(lines))

    def _halve(self, lines: Sequence[str], error: Exception) -> None:
        """Find the guilty lines: the answer names one fault at most, and the good lines may be stored already."""
        if len(lines) == 1:
            self._shipping.count("rejected_points")
            self._quarantine.keep(lines[0], str(error))
            return
        middle = len(lines) // 2
        self._write(lines[:middle])
        self._write(lines[middle:])
