"""Times of which neither they nor the mapping say the zone: taken for UTC, a local past would lie hours beside itself, and nobody told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tatpar.importing.mapping import Mapping
    from tatpar.importing.samples import Sampled


class NoZone:
    """Which columns of times have none in one file."""

    def __init__(self, mapping: Mapping, timezone: str) -> None:
        """`timezone` is the deployment's: where it is UTC by any of its names, nothing is in doubt."""
        self._columns = {
            table: told.column
            for table, told in (("time", mapping.time), ("arrived", mapping.arrived))
            if told is not None
        }
        self._timezone = timezone
        self._is_utc = datetime.now(ZoneInfo(timezone)).tzname() == UTC.tzname(None)
        self._found: set[str] = set()

    def look(self, sampled: Sampled) -> None:
        """At some of its rows."""
        self._found.update(sampled.no_zone)

    def doubts(self) -> Iterator[str]:
        """A line for people, if any has none."""
        tables = [table for table in self._columns if table in self._found]
        if tables and not self._is_utc:
            columns = " and ".join(self._columns[table] for table in tables)
            yield (
                f"times of {columns} name no zone and are taken for UTC; under {' and '.join(f'[{table}]' for table in tables)}"
                f' of the mapping write zone = "{self._timezone}" if they are local, else zone = "UTC";'
                " --dry-run tells this before anything is written"
            )
