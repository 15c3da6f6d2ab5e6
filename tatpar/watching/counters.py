"""What the watch counts of itself, for its heartbeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tatpar.watching.ring import Taken


@dataclass(slots=True)
class Counters:
    """Since the start of this process."""

    windows: int = 0
    late: int = 0
    future: int = 0
    emulated: int = 0
    foreign: int = 0
    looks: int = 0
    verdicts: int = 0
    voided: int = 0
    troubles: int = 0
    """Times that the store or the state database could not be used."""
    _last_s: float = field(default=0.0)
    _worst_s: float = field(default=0.0)

    def took(self, rows: Taken) -> None:
        """Count rows by what became of them."""
        self.windows += rows.in_time
        self.late += rows.late
        self.future += rows.future
        self.emulated += rows.emulated
        self.foreign += rows.foreign

    def looked(self, seconds: float) -> None:
        """Count one look and how long it took."""
        self.looks += 1
        self._last_s, self._worst_s = seconds, max(self._worst_s, seconds)

    def detail(self) -> dict[str, object]:
        """As plain JSON; the worst time is since the last call."""
        worst, self._worst_s = self._worst_s, 0.0
        return {
            "windows": self.windows,
            "late": self.late,
            "future": self.future,
            "emulated": self.emulated,
            "foreign": self.foreign,
            "looks": self.looks,
            "verdicts": self.verdicts,
            "voided": self.voided,
            "troubles": self.troubles,
            "look_ms": round(1e3 * self._last_s, 2),
            "look_worst_ms": round(1e3 * worst, 2),
        }
