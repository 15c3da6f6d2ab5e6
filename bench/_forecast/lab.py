"""Ground (b), known faults: the forecast on the lab's drawn past, beside the references and the oracle that drew it.

Walk-forward: the weeks of the past are forecast one block after the other, each by a model (and references) fitted to the
pairs whose meetings were over before the block began. The first block is only learned from.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.forecast import scoring
from analytics.forecast.facts import joined_facts
from analytics.forecast.features import facts
from analytics.forecast.model import fit_facts
from analytics.forecast.rails import rails
from analytics.forecast.references import CLIMATOLOGY, PERSISTENCE, fit_reference
from bench._forecast import underway
from bench._forecast.figures import with_interval
from bench._forecast.lab_world import HORIZONS_MIN, draw_world
from lab.past.laws import MINUTE_NS
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bench._forecast.lab_world import World
    from lab.past.truth import Cause

SEED: Final = 20_261
WEEKS: Final = 16
OFFICES: Final = 92
LEARN_DAYS: Final = 28
BLOCK_DAYS: Final = 28
RAIL_WEEKS: Final = 8.0
"""So much of the past the guard rails know hours of, as a deployment does."""
OPERATING: Final = 0.90
"""Flagged: at risk or worse, as the verdict's states have it."""
THRESHOLDS: Final = (0.98, 0.97, 0.96, 0.95, 0.93, 0.90, 0.85, 0.80, 0.70, 0.60, 0.50, 0.30)


@dataclass(frozen=True, slots=True)
class Told:
    """What was forecast for the scored pairs at one horizon, each (Q,): chances of holding.

    `ours` is the model alone, `within` what the NOC is told: the model within the guard rails, as far as slots can tell.
    """

    ours: NDArray[np.float64]
    within: NDArray[np.float64]
    persistence: NDArray[np.float64]
    climatology: NDArray[np.float64]
    oracle: NDArray[np.float64]


def run(
    progress: Callable[[str], None], seed: int = SEED, weeks: int = WEEKS, offices: int = OFFICES
) -> dict[str, object]:
    """Figures by name, the horizons' below each other; `weeks` - 4 of them are scored."""
    world = draw_world(seed, weeks, offices, progress)
    scored = np.flatnonzero(world.pairs.start_ns >= _scored_from_ns(world))
    held = world.held[scored]
    day = world.pairs.start_ns[scored] // DAY_NS
    told = _walked(world, scored, progress)
    progress("why the pairs failed that did")
    causes = _scored_causes(world, scored)
    figures: dict[str, object] = {
        "seed": seed,
        "offices": offices,
        "scored_weeks": (weeks * 7 - LEARN_DAYS - 2) / 7,
        "forecasts_a_horizon": len(scored),
        "failed": int((~held).sum()),
        "failed_share": float((~held).mean()),
        "failed_by_cause": dict(Counter(cause.name for cause in causes).most_common()),
    }
    for horizon, one in told.items():
        progress(f"scores at T-{horizon}")
        ahead_ns = HORIZONS_MIN[horizon] * MINUTE_NS
        now_ns = world.pairs.start_ns[scored] - ahead_ns
        figures |= {f"{horizon}_{name}": value for name, value in _scores(one, held, day).items()}
        figures |= {f"{horizon}_{name}": value for name, value in _hits(one, held, now_ns, causes).items()}
    progress("meetings that have begun")
    return figures | underway.figures(world, scored, RAIL_WEEKS)


def _scored_from_ns(world: World) -> int:
    return int(world.pairs.start_ns.min()) + LEARN_DAYS * DAY_NS


def _walked(world: World, scored: NDArray[np.int64], progress: Callable[[str], None]) -> dict[str, Told]:
    """Fit on what is over, forecast the block that follows, go on."""
    horizons = list(HORIZONS_MIN)
    asks = [world.asks(horizon) for horizon in horizons]
    known = []
    for horizon, one in zip(horizons, asks, strict=True):
        progress(f"what can be known at T-{horizon}")
        known.append(facts(world.track, one))
    every = joined_facts(known)
    held = np.tile(world.held, len(horizons))
    ends_ns = np.tile(world.pairs.end_ns, len(horizons))
    now_ns = np.concatenate([one.now_ns for one in asks])
    starts_ns = np.tile(world.pairs.start_ns, len(horizons))
    out = {name: np.full(len(held), np.nan) for name in ("ours", "persistence", "climatology")}
    first_ns, last_ns = _scored_from_ns(world), int(world.pairs.start_ns.max())
    for block_ns in range(first_ns, last_ns + 1, BLOCK_DAYS * DAY_NS):
        progress(f"fitted to {(block_ns - first_ns) // DAY_NS + LEARN_DAYS} days, forecasting the next")
        # A forecast a day ahead of the block's first meeting is made before the block begins.
        past = np.flatnonzero(ends_ns <= block_ns - DAY_NS)
        ahead = np.flatnonzero((starts_ns >= block_ns) & (starts_ns < block_ns + BLOCK_DAYS * DAY_NS))
        assert now_ns[ahead].min() >= ends_ns[past].max()
        learned, asked = every.rows(past), every.rows(ahead)
        out["ours"][ahead] = fit_facts(learned, learned.ground, held[past], None).of_facts(asked).holds
        for name, figures in (("persistence", PERSISTENCE), ("climatology", CLIMATOLOGY)):
            out[name][ahead] = fit_reference(learned, held[past], figures).of_facts(asked)
    told = {}
    pairs = len(world.held)
    for number, horizon in enumerate(horizons):
        progress(f"what the oracle says at T-{horizon}")
        rows = number * pairs + scored
        guards = rails(world.track, asks[number].rows(scored), ZoneInfo(world.plan.timezone), RAIL_WEEKS)
        told[horizon] = Told(
            **{name: values[rows] for name, values in out.items()},
            within=guards.within(out["ours"][rows]),
            oracle=world.truth(horizon)[scored],
        )
    return told


def _scores(told: Told, held: NDArray[np.bool_], day: NDArray[np.int64]) -> dict[str, object]:
    """Brier scores, skills with their intervals (whole days drawn), and the share of the oracle's."""
    assert np.isfinite(told.ours).all(), "every pair gets a number here"
    out: dict[str, object] = {
        "brier": scoring.brier(told.ours, held),
        "brier_within_rails": scoring.brier(told.within, held),
        "brier_oracle": scoring.brier(told.oracle, held),
        "calibration_error": with_interval(scoring.calibration_error(told.ours, held, day)),
        "calibration_error_oracle": with_interval(scoring.calibration_error(told.oracle, held, day)),
    }
    for name, reference in (("persistence", told.persistence), ("climatology", told.climatology)):
        ours = scoring.skill_interval(told.ours, reference, held, day)
        best = scoring.skill_interval(told.oracle, reference, held, day)
        out[f"skill_{name}"] = with_interval(ours)
        out[f"skill_{name}_oracle"] = with_interval(best)
        out[f"share_of_oracle_{name}"] = round(ours.value / best.value, 3)
        within = scoring.skill_interval(told.within, reference, held, day)
        out[f"skill_{name}_within_rails"] = with_interval(within)
        out[f"share_of_oracle_{name}_within_rails"] = round(within.value / best.value, 3)
    return out


def _hits(
    told: Told, held: NDArray[np.bool_], now_ns: NDArray[np.int64], causes: list[Cause]
) -> dict[str, object]:
    """Failures flagged, of those that had begun, of those that could be foreseen, and of all; and the false alarms."""
    failed = np.flatnonzero(~held)
    begun = np.array([cause.onset_ns for cause in causes]) <= now_ns[failed]
    foreseeable = np.array([cause.known_ns for cause in causes]) <= now_ns[failed]
    at = scoring.flags(told.ours, held, OPERATING)
    said = scoring.flags(told.within, held, OPERATING)
    flagged = told.ours[failed] < OPERATING
    best = told.oracle[failed] < OPERATING
    missed = Counter(
        cause.name
        for cause, could, hit in zip(causes, foreseeable, flagged, strict=True)
        if could and not hit
    )
    return {
        "begun_share": float(begun.mean()),
        "foreseeable_share": float(foreseeable.mean()),
        "hits_of_begun": _share(flagged, begun),
        "hits_of_foreseeable": _share(flagged, foreseeable),
        "hits_of_foreseeable_oracle": _share(best, foreseeable),
        "hits_of_all": at.hit_rate,
        "false_alarm_rate": at.false_alarm_rate,
        "hits_of_all_within_rails": said.hit_rate,
        "false_alarm_rate_within_rails": said.false_alarm_rate,
        "false_alarm_rate_oracle": scoring.flags(told.oracle, held, OPERATING).false_alarm_rate,
        "curve": [_point(told, held, begun, foreseeable, threshold) for threshold in THRESHOLDS],
        "missed_though_foreseeable": dict(missed.most_common()),
    }


def _point(
    told: Told,
    held: NDArray[np.bool_],
    begun: NDArray[np.bool_],
    foreseeable: NDArray[np.bool_],
    threshold: float,
) -> dict[str, float]:
    flagged = told.ours[~held] < threshold
    at = scoring.flags(told.ours, held, threshold)
    return {
        "below": threshold,
        "hits_of_begun": round(_share(flagged, begun), 3),
        "hits_of_foreseeable": round(_share(flagged, foreseeable), 3),
        "hits_of_all": round(at.hit_rate, 3),
        "false_alarm_rate": round(at.false_alarm_rate, 3),
    }


def _share(flagged: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(flagged[among].mean()) if among.any() else float("nan")


def _scored_causes(world: World, scored: NDArray[np.int64]) -> list[Cause]:
    """Causes of the scored pairs that failed, in the pairs' order."""
    failed = np.flatnonzero(~world.held)
    first = int(np.searchsorted(failed, scored[0]))
    assert (np.diff(scored) == 1).all()
    return world.causes()[first:]
