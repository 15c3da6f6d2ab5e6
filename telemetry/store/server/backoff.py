"""How long to leave the server alone after it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.store.server.database import AwayError, DeniedError

if TYPE_CHECKING:
    from random import Random

FIRST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 30.0


class Backoff:
    """Doubles with each failure up to a limit, with full jitter; never sooner than the server asks for."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._wait_s = FIRST_WAIT_S

    def pause_s(self, error: Exception) -> float:
        """How long to wait after this failure."""
        if isinstance(error, DeniedError):  # the operator must act: no hurry
            return self._chance.uniform(0.5, 1) * LONGEST_WAIT_S
        pause = self._chance.uniform(0, self._wait_s)
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
        asked_s = error.retry_after_s if isinstance(error, AwayError) else None
        return max(pause, asked_s or 0.0)

    def worked(self) -> None:
        """It goes again: the next failure begins with a short wait."""
        self._wait_s = FIRST_WAIT_S
