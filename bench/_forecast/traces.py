"""Ground (a), real noise: the forecast on public traces, out of sample by trace, beside the references and a plain regression.

Ours learns from `lessons` of the same traces as well; the yardstick and the references have what was asked of them. The shipped
traces are scored by leaving one out: whatever is said of a trace, its model has not seen. Some of them are of one time and share
a stretch of path (`bench/_changes/folds.py`): `kin_apart` leaves out a trace's whole family. Foreign traces (`--traces DIR`) are
scored by a model fitted to all of the shipped ones and nothing else; those that cannot be read are named and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast import scoring
from analytics.forecast.facts import joined_facts
from analytics.forecast.features import facts
from analytics.forecast.model import fit_facts
from analytics.forecast.references import CLIMATOLOGY, PERSISTENCE, fit_reference
from bench._changes.folds import kin_of
from bench._forecast.figures import with_interval
from bench._forecast.lessons import Lessons, lessons
from bench._forecast.plain import plain_chances
from bench._forecast.trace_ground import LEADS_NS, after_quiet, ground
from bench._traces import names_of, read_all, read_readable
from telemetry.trace_lines import TraceError
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.facts import Facts
    from analytics.forecast.model import Model
    from telemetry.traces import Trace

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
        return Sample(self.known.rows(rows), self.held[rows], self.trace[rows], self.quiet[rows])


def run(progress: Callable[[str], None], foreign: Path | None = None) -> dict[str, object]:
    """Brier scores, skills with intervals (whole traces drawn), calibration and the share without a number, by lead."""
    # A trace that is given under a shipped one's name is not learned from; with all of them given, one is left out at a time.
    given = names_of(foreign) if foreign is not None else frozenset()
    learnable = names_of(SHIPPED) - given
    folder = SHIPPED if foreign is None else foreign
    read = read_readable(folder, progress)
    found = read.traces
    scored = sample(folder, found, progress)
    apart: dict[str, NDArray[np.float64]] = {}
    if foreign is None or not learnable:
        more = lessons(found, progress)
        told = _left_out(scored, more, np.arange(len(found)), progress)
        apart = _left_out(scored, more, kin_of(found), progress)
        how = "each trace by a model fitted to the other traces"
    else:
        shipped = read_all(SHIPPED, progress, without=given)
        learned, more = sample(SHIPPED, shipped, progress), lessons(shipped, progress)
        progress("fitting to the shipped traces")
        told = forecasts(learned, more, scored)
        how = f"{foreign} by a model fitted to the {len(learnable)} shipped traces that are not among them"
    figures: dict[str, object] = {
        "scored": how,
        "traces": len(np.unique(scored.trace)),
        "unreadable": read.unreadable,
    }
    for lead in LEADS_NS:
        at = scored.known.lead_ns == lead
        name = f"{lead / HOUR_NS:g}h"
        for prefix, said in ((name, told), (f"kin_apart_{name}", apart)):
            if said:
                scores = _scores({who: chance[at] for who, chance in said.items()}, scored.some(at))
                figures |= {f"{prefix}_{key}": value for key, value in scores.items()}
    return figures


def sample(folder: Path, traces: Sequence[Trace], progress: Callable[[str], None]) -> Sample:
    """All asks of the traces of a folder.

    Raises:
        TraceError: none is long enough to be asked of.
    """
    known, held, of, quiet = [], [], [], []
    for number, trace in enumerate(traces):
        progress(f"{trace.name}: {number + 1} of {len(traces)}")
        one = ground(trace)
        if len(one.held):
            known.append(facts(one.track, one.asks))
            held.append(one.held)
            of.append(np.full(len(one.held), number, dtype=np.int64))
            quiet.append(after_quiet(one.track, one.asks))
    if not known:
        raise TraceError(folder, "no trace goes on for hours after its first day", "give longer ones")
    return Sample(joined_facts(known), np.concatenate(held), np.concatenate(of), np.concatenate(quiet))


def forecasts(learned: Sample, more: Lessons, asked: Sample) -> dict[str, NDArray[np.float64]]:
    """What each forecaster, fitted to `learned`, ours to `more` as well, says of `asked`."""
    out = {
        "ours": fitted(learned, more).of_facts(asked.known).holds,
        "plain": plain_chances(learned.known, learned.held, asked.known),
    }
    for name, figures in (("persistence", PERSISTENCE), ("climatology", CLIMATOLOGY)):
        out[name] = fit_reference(learned.known, learned.held, figures).of_facts(asked.known)
    return out


def fitted(learned: Sample, more: Lessons) -> Model:
    """The model of some traces and of their lessons."""
    known = joined_facts([learned.known, more.known])
    weight = np.concatenate([np.ones(len(learned.held)), more.weight])
    return fit_facts(known, known.ground, np.concatenate([learned.held, more.held]), None, weight)


def _left_out(
    every: Sample, more: Lessons, family: NDArray[np.int64], progress: Callable[[str], None]
) -> dict[str, NDArray[np.float64]]:
    """What is said of each ask by forecasters that have seen no trace of its family; `family` is by the trace's number."""
    told = {who: np.full(len(every.held), np.nan) for who in WHO}
    families = np.unique(family[every.trace])
    for number, one in enumerate(families):
        progress(f"fitting without family {number + 1} of {len(families)}")
        of = family[every.trace] == one
        others = forecasts(every.some(~of), more.some(family[more.trace] != one), every.some(of))
        for who, chance in others.items():
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
            out[f"skill_{who}_over_{reference}"] = with_interval(skill)
    out["skill_ours_over_plain"] = with_interval(
        scoring.skill_interval(told["ours"], told["plain"], held, trace)
    )
    out["calibration_error"] = with_interval(scoring.calibration_error(told["ours"], held, trace))
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
