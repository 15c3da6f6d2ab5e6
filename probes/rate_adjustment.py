"""How a capacity search changes its sending rate after each feedback: RFC 9097 appendix A.

Rates are rows of a table. As long as all is well it climbs ten rows at a time; after three bad feedbacks it falls by
thirty once, and from then on moves by single rows. It deliberately fills the line, so it never runs beside a call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

MOST_ERRORS: Final = 10
"""Packets lost, reordered or doubled in one feedback; more are congestion."""
LOW_DELAY_MS: Final = 30.0
"""Delay range below which all is well."""
HIGH_DELAY_MS: Final = 90.0
"""Above which it is congestion; between the two the rate stays."""
STEP: Final = 10
FALL: Final = 3 * STEP
PATIENCE: Final = 3
"""So many bad feedbacks end the fast climb."""
HIGH_SPEED_ROW: Final = 1000
"""From this row on (1 Gbit/s) single rows are large enough."""


@dataclass(frozen=True, slots=True)
class RateState:
    """Where the search stands."""

    row: int = 0
    bad: int = 0
    """Bad feedbacks since the last fast step (slowAdjCount)."""

    def after(self, errors: int, delay_range_ms: float) -> RateState:
        """The state after one feedback: errors in sequence, and the range of the delay variation."""
        if errors <= MOST_ERRORS and delay_range_ms < LOW_DELAY_MS:
            return self._faster()
        if errors > MOST_ERRORS or delay_range_ms > HIGH_DELAY_MS:
            return self._slower()
        return self

    def _faster(self) -> RateState:
        if self.row < HIGH_SPEED_ROW and self.bad < PATIENCE:
            return RateState(self.row + STEP, 0)
        return replace(self, row=self.row + 1)

    def _slower(self) -> RateState:
        bad = self.bad + 1
        fall = FALL if self.row < HIGH_SPEED_ROW and bad == PATIENCE else 1
        return RateState(max(self.row - fall, 0), bad)
