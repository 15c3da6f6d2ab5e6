"""What a replay says of the forecast, by horizon and by region: the figures that `tatpar backtest` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from analytics.forecast import scoring
from analytics.forecast.scoring import Flags, Interval, Reliability
from telemetry.decisions import AT_RISK_FROM, READY_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 50
"""With fewer forecasts a row says only how many there were."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Of one group of forecasts. Figures are None where there are too few forecasts, or no failure to speak of; skill also where the reference is no yardstick.

    Attributes:
        forecasts: scored: with a number, and an outcome that is known.
        failed: how many of them did not hold.
        brier: Brier score, 0 best.
        over_persistence: Brier skill against recalibrated persistence.
        over_climatology: Brier skill against recalibrated climatology.
        calibration: mean distance of chance and share held over ten bins.
        flagged: of "at risk or worse".
        not_ready: of "not ready".
        reliability: ten bins.
    """

    forecasts: int
    failed: int
    brier: Interval | None = None
    over_persistence: Interval | None = None
    over_climatology: Interval | None = None
    calibration: Interval | None = None
    flagged: Flags | None = None
    not_ready: Flags | None = None
    reliability: Reliability | None = None

    @property
    def lacks_a_yardstick(self) -> bool:
        """Skill is None because a reference was (nearly) without error."""
        return bool(self.brier and self.failed) and None in (self.over_persistence, self.over_climatology)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Forecasts beside what came true; (M,) each. `block`: forecasts that hang together, as those of a day."""

    chance: NDArray[np.float64]
    persistence: NDArray[np.float64]
    climatology: NDArray[np.float64]
    held: NDArray[np.bool_]
    block: NDArray[np.int64]

    def rows(self, which: NDArray[np.bool_]) -> Scored:
        """Some of them."""
        return Scored(**{name: getattr(self, name)[which] for name in self.__slots__})


def score(of: Scored) -> Score:
    """The figures of a group; all of the same forecasts, so that skill compares like with like."""
    failed = int((~of.held).sum())
    if len(of.held) < LEAST:
        return Score(forecasts=len(of.held), failed=failed)
    blocks = len(np.unique(of.block)) > 1
    compared = blocks and bool(failed)
    return Score(
        forecasts=len(of.held),
        failed=failed,
        brier=scoring.brier_interval(of.chance, of.held, of.block) if blocks else None,
        over_persistence=_skill(of, of.persistence) if compared else None,
        over_climatology=_skill(of, of.climatology) if compared else None,
        calibration=scoring.calibration_error(of.chance, of.held, of.block) if blocks else None,
        flagged=scoring.flags(of.chance, of.held, READY_FROM),
        not_ready=scoring.flags(of.chance, of.held, AT_RISK_FROM),
        reliability=scoring.reliability(of.chance, of.held),
    )


def _skill(of: Scored, reference: NDArray[np.float64]) -> Interval | None:
    if not scoring.is_yardstick(reference, of.held):
        return None
    return scoring.skill_interval(of.chance, reference, of.held, of.block)
