"""How many octets rehearsals may still cost the office's line today; kept on disk, so that a restart gives none back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from pathlib import Path


class _Day(msgspec.Struct):
    day: int = 0
    """Days since the epoch, UTC."""
    octets: int = 0


class DayBudget:
    """Octets both ways, by the day."""

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._most = most

    def left(self, now_ns: int) -> int:
        """Octets that today still has."""
        return max(self._most - self._today(now_ns).octets, 0)

    def spend(self, octets: int, now_ns: int) -> None:
        """Take them from today's; on a disk that refuses they are not remembered."""
        day = self._today(now_ns)
        day.octets += octets
        with contextlib.suppress(OSError):
            new = self._path.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(day))
            new.replace(self._path)

    def _today(self, now_ns: int) -> _Day:
        today = now_ns // DAY_NS
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Day)
            if kept.day == today:
                return kept
        return _Day(today)
