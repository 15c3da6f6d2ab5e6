"""Ground (a), real noise: the forecast on public traces, out of sample by trace, beside the references and a plain regression.

The shipped traces are scored by leaving one out: whatever is said of a trace, its model has not seen. Foreign traces
(`--traces DIR`) are scored by a model fitted to all of the shipped ones and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast import scoring
from analytics.forecast.features import Facts, facts
from analytics.forecast.model import fit_facts
from analytics.forecast.references import CLIMATOLOGY, PERSISTENCE, fit_reference
from bench._forecast.plain import plain_chances
from bench._forecast.trace_ground import LEADS_NS, after_quiet, ground
from telemetry.traces import TraceError, read_trace
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SHIPPED: Final = Path(__file__).parent.parent / "data" / "rtt_labelled"
WHO: Final = ("ours", "plain", "persistence", "climatology")


@dataclass(frozen=True, slots=True)
class Sample:
    """Asks of several traces: what is known of each, what came true, the trace's number, a quiet past; (M,) each."""

    known: Facts
    held: NDArray[np.bool_]
    trace: NDArray[np.int64]
    quiet: NDArray[np.bool_]

    def some(self, rows: NDArray[np.bool_]) -> Sample:
        """The asks of `rows`."""
        known = self.known
        part = Facts(known.names, known.figures[rows], known.ground[rows], known.lead_ns[rows])
        return Sample(part, self.held[rows], self.trace[rows], self.quiet[rows])


def run(progress: Callable[[str], None], foreign: Path | None = None) -> dict[str, object]:
    """Brier scores, skills with intervals (whole traces drawn), calibration and the share without a number, by lead."""
    # A trace that is given under a shipped one's name is not learned from; with all of them given, one is left out at a time.
    given = frozenset(path.name for path in foreign.glob("*.csv")) if foreign is not None else frozenset()
    learnable = frozenset(path.name for path in SHIPPED.glob("*.csv")) - given
    scored = sample(SHIPPED if foreign is None else foreign, progress)
    if foreign is None or not learnable:
        told = _left_out(scored, progress)
        how = "each trace by a model fitted to the other traces"
    else:
        shipped = sample(SHIPPED, progress, without=given)
        progress("fitting to the shipped traces")
        told = forecasts(shipped, scored)
        how = f"{foreign} by a model fitted to the {len(learnable)} shipped traces that are not among them"
    figures: dict[str, object] = {"scored": how, "traces": len(np.unique(scored.trace))}
    for lead in LEADS_NS:
        at = scored.known.lead_ns == lead
        name = f"{lead / HOUR_NS:g}h"
        scores = _scores({who: chance[at] for who, chance in told.items()}, scored.some(at))
        figures |= {f"{name}_{key}": value for key, value in scores.items()}
    return figures


def sample(folder: Path, progress: Callable[[str], None], without: frozenset[str] = frozenset()) -> Sample:
    """All asks of the traces in a folder, but for the files `without`.

    Raises:
        TraceError: no trace there, one that cannot be read, or none that is long enough to be asked of.
    """
    paths = [path for path in sorted(folder.glob("*.csv")) if path.name not in without]
    if not paths:
        raise TraceError(
            f"{folder}: no trace there; name a folder with files *.csv of the columns epoch;rtt;cp"
        )
    known, held, of, quiet = [], [], [], []
    for number, path in enumerate(paths):
        progress(f"{path.name}: {number + 1} of {len(paths)}")
        one = ground(read_trace(path))
        if len(one.held):
            known.append(facts(one.track, one.asks))
            held.append(one.held)
            of.append(np.full(len(one.held), number, dtype=np.int64))
            quiet.append(after_quiet(one.track, one.asks))
    if not known:
        raise TraceError(f"{folder}: no trace is longer than a day; give longer ones")
    figures = np.concatenate([each.figures for each in known])
    ground_ = np.concatenate([each.ground for each in known])
    lead_ns = np.concatenate([each.lead_ns for each in known])
    every = Facts(known[0].names, figures, ground_, lead_ns)
    return Sample(every, np.concatenate(held), np.concatenate(of), np.concatenate(quiet))


def forecasts(learned: Sample, asked: Sample) -> dict[str, NDArray[np.float64]]:
    """What each forecaster, fitted to `learned`, says of `asked`."""
    out = {
        "ours": fit_facts(learned.known, learned.known.ground, learned.held, None)
        .of_facts(asked.known)
        .holds,
        "plain": plain_chances(learned.known, learned.held, asked.known),
    }
    for name, figures in (("persistence", PERSISTENCE), ("climatology", CLIMATOLOGY)):
        out[name] = fit_reference(learned.known, learned.held, figures).of_facts(asked.known)
    return out


def _left_out(every: Sample, progress: Callable[[str], None]) -> dict[str, NDArray[np.float64]]:
    told = {who: np.full(len(every.held), np.nan) for who in WHO}
    traces = np.unique(every.trace)
    for number, trace in enumerate(traces):
        progress(f"fitting without trace {number + 1} of {len(traces)}")
        of = every.trace == trace
        for who, chance in forecasts(every.some(~of), every.some(of)).items():
            told[who][of] = chance
    return told


def _scores(told: dict[str, NDArray[np.float64]], of: Sample) -> dict[str, object]:
    without = 1.0 - scoring.made(told["ours"])
    use = np.isfinite(told["ours"])
    held, trace, quiet = of.held[use], of.trace[use], of.quiet[use]
    told = {who: chance[use] for who, chance in told.items()}
    out: dict[str, object] = {
        "forecasts": len(held),
        "without_a_number": without,
        "failed_share": float(1.0 - held.mean()),
    }
    out |= {f"brier_{who}": scoring.brier(chance, held) for who, chance in told.items()}
    for who in ("ours", "plain"):
        for reference in ("climatology", "persistence"):
            skill = scoring.skill_interval(told[who], told[reference], held, trace)
            out[f"skill_{who}_over_{reference}"] = _written(skill)
    out["skill_ours_over_plain"] = _written(scoring.skill_interval(told["ours"], told["plain"], held, trace))
    out["calibration_error"] = _written(scoring.calibration_error(told["ours"], held, trace))
    return out | unannounced(told["ours"], held, quiet)


def unannounced(
    chance: NDArray[np.float64], held: NDArray[np.bool_], quiet: NDArray[np.bool_]
) -> dict[str, object]:
    """What the quiet pasts (M,) weigh: shares of the forecasts, of the failures, and of the Brier score by those failures."""
    lost = (chance - held) ** 2
    return {
        "after_a_quiet_day_share": float(quiet.mean()),
        "after_a_quiet_day_share_of_failures": float(quiet[~held].mean()) if not held.all() else float("nan"),
        "after_a_quiet_day_share_of_brier": float(lost[quiet & ~held].sum() / lost.sum()),
    }


def _written(of: scoring.Interval) -> str:
    return f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})"
