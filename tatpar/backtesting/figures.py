"""The figures of a back-test: by horizon, by region and horizon, and how early failures were flagged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from analytics.forecast.asking import LEADS_NS
from analytics.forecast.report import Score, score
from analytics.forecast.scoring import lead_ns
from tatpar.backtesting.replaying import HORIZONS, regions_of
from telemetry.decisions import READY_FROM

if TYPE_CHECKING:
    from config.config import Config
    from tatpar.backtesting.replaying import Replayed


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """One horizon: the figures, and of the pairs that were asked after the first refit the share that got a number.

    `score` and `regions` are of the chance within the guard rails, which the desk would have seen; `model_alone` is not.
    """

    horizon: str
    with_a_number: float | None
    score: Score
    model_alone: Score
    regions: dict[str, Score]


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """Of the pairs that failed, the share flagged from each horizon on until the start, and never."""

    failed: int
    by_horizon: dict[str, float]
    never: float | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All that a back-test says."""

    pairs: int
    failed: int
    hours_as_meetings: int
    refits_ns: tuple[int, ...]
    horizons: tuple[Horizon, ...]
    lead: Lead

    @property
    def nothing(self) -> bool:
        """No forecast could be scored."""
        return not any(each.score.forecasts for each in self.horizons)


def figures_of(config: Config, found: Replayed) -> Figures:
    """The figures of a replay."""
    regions = regions_of(config, found)
    names = [region for region in config.regions if (regions == region).any()]
    known = found.known
    return Figures(
        pairs=int(known.sum()),
        failed=int((known & ~found.held).sum()),
        hours_as_meetings=sum(
            1 for uid, there in zip(found.meetings, known, strict=True) if there and not uid
        ),
        refits_ns=tuple(at_ns for at_ns, _ in found.refits),
        horizons=tuple(
            Horizon(
                horizon=horizon,
                with_a_number=_with_a_number(found, index),
                score=score(found.scored(index)),
                model_alone=score(found.scored(index, model_alone=True)),
                regions={name: score(found.scored(index, regions == name)) for name in names},
            )
            for index, horizon in enumerate(HORIZONS)
        ),
        lead=_lead(found),
    )


def _with_a_number(found: Replayed, horizon: int) -> float | None:
    asked = found.asked(horizon)
    return float(np.isfinite(found.chance[asked, horizon]).mean()) if asked.any() else None


def _lead(found: Replayed) -> Lead:
    """Over pairs that failed and have every forecast; flagged means at risk or worse."""
    whole = np.logical_and.reduce([found.comparable(index) for index in range(len(HORIZONS))])
    rows = np.flatnonzero(whole & ~found.held)
    if not len(rows):
        return Lead(failed=0, by_horizon={}, never=None)
    lead = lead_ns(
        found.chance[rows].ravel(),
        np.repeat(np.arange(len(rows)), len(HORIZONS)),
        np.tile(np.asarray(LEADS_NS, dtype=np.int64), len(rows)),
        READY_FROM,
    )
    return Lead(
        failed=len(rows),
        by_horizon={
            name: float((lead >= ahead).mean()) for name, ahead in zip(HORIZONS, LEADS_NS, strict=True)
        },
        never=float((lead < 0).mean()),
    )
