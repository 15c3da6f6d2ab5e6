"""How forecasts that were issued came true: what was said, what happened, and how far the chances can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from scipy.stats import beta

from analytics.forecast.scoring import LEVEL, reliability
from telemetry.decisions import BESIDE_THE_LINE, Horizon, OutcomeState, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telemetry.decisions import Forecast, Outcome, Verdict

_DECIDED: Final = (OutcomeState.HELD, OutcomeState.FAILED)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Of one horizon. Only forecasts whose meeting is over and held or failed count; those without a number have no part in `brier`."""

    forecasts: int
    ready: int
    """Said to be ready."""
    ready_held: int
    flagged: int
    """Said to be at risk or not ready."""
    flagged_failed: int
    failed: int
    numbered: int
    brier: float | None


class Bin(msgspec.Struct, frozen=True):
    """A tenth of the chances: how many forecasts, what they said on average, the share that held with its interval."""

    count: int
    said: float
    held: float
    low: float
    high: float


Decided = tuple["Forecast", bool]
"""A forecast, and whether the office held."""


def decided(forecasts: Iterable[Forecast], outcomes: Iterable[Outcome]) -> dict[Horizon, list[Decided]]:
    """Each forecast whose office held or failed, by horizon; the others (open, excused, without outcome) are left out."""
    came = {(each.site, each.meeting, each.occurrence_ns): each.state for each in outcomes}
    by_horizon: dict[Horizon, list[Decided]] = {horizon: [] for horizon in Horizon}
    for forecast in forecasts:
        said = forecast.verdict
        state = came.get((said.site, said.meeting, said.occurrence_ns))
        if state in _DECIDED:
            by_horizon[forecast.horizon].append((forecast, state is OutcomeState.HELD))
    return by_horizon


def record(rows: Sequence[Decided]) -> Record:
    """Counts and Brier score of the forecasts of one horizon."""
    ready = [held for each, held in rows if each.verdict.state is State.READY]
    flagged = [
        held
        for each, held in rows
        if each.verdict.state in (State.AT_RISK, State.NOT_READY) and not _is_beside_the_line(each.verdict)
    ]
    errors = [
        (each.verdict.probability - held) ** 2 for each, held in rows if each.verdict.probability is not None
    ]
    return Record(
        forecasts=len(rows),
        ready=len(ready),
        ready_held=sum(ready),
        flagged=len(flagged),
        flagged_failed=len(flagged) - sum(flagged),
        failed=sum(not held for _, held in rows),
        numbered=len(errors),
        brier=sum(errors) / len(errors) if errors else None,
    )


def _is_beside_the_line(verdict: Verdict) -> bool:
    """It was flagged for what the windows of the line, which it is scored by, do not show."""
    return bool(verdict.reasons) and verdict.reasons[0].code in BESIDE_THE_LINE


def bins(rows: Sequence[Decided]) -> tuple[Bin, ...]:
    """The chances by tenths, empty ones left out; intervals by Clopper and Pearson, as if forecasts were independent."""
    numbered = [
        (each.verdict.probability, held) for each, held in rows if each.verdict.probability is not None
    ]
    if not numbered:
        return ()
    chance = np.array([p for p, _ in numbered])
    held = np.array([h for _, h in numbered], dtype=bool)
    found = reliability(chance, held)
    return tuple(
        _bin(count, said, share)
        for count, said, share in zip(found.counts, found.chance, found.held, strict=True)
        if said is not None and share is not None
    )


def _bin(count: int, said: float, share: float) -> Bin:
    held, tail = round(share * count), (1.0 - LEVEL) / 2.0
    low = float(beta.ppf(tail, held, count - held + 1)) if held else 0.0
    high = float(beta.ppf(1.0 - tail, held + 1, count - held)) if held < count else 1.0
    return Bin(count, said, share, low, high)
