"""Change points on hand-labelled round trips, beside PELT (ruptures) in the same run.

F1 is pooled over the traces, after W. Shao et al. (ITC 29, arXiv:1709.04819), unweighted: labels and detections are paired one
to one, at most 1200 s apart, 1500 s on line, where the index is the sample at which the decision fell. Intervals are 90 %,
bootstrapped over traces. On the traces that come with the project every figure is in-sample, the settings of ours were chosen
on them, except those `_out_of_fold`: their trees are grown in 8 folds, each on the traces of the others (the thresholds
and the figures were chosen on such folds, which flatters them a little). Of those `_kin_apart` traces that saw the same events
are held back together, and drawn together for the interval (`bench/_changes/folds.py`). PELT's best penalties are in-sample.
On line ours is held against PELT asked on line, with as much delay, and against PELT that knows the whole trace
(`bench/_changes/pelt.py`). Ours tell the edges of silences, PELT does not (decision 157). On other traces (`--traces`)
every figure is out of sample and the shipped trees are used; those that cannot be read are named on standard error and counted.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes import trees
from analytics.changes.offline import changes, standing
from analytics.changes.online import decisions
from analytics.changes.silences import with_edges, with_edges_decided
from analytics.changes.trees import OFFLINE, ONLINE
from analytics.quality.change_scores import window_score
from bench._changes import folds, growing, offline, online
from bench._changes.flags import flags_figures
from bench._changes.pelt import pelt, pelt_online
from bench._traces import read_all, read_readable, told_in_one_line
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analytics.changes.trees import Trees
    from telemetry.traces import Trace

SHIPPED: Final = Path(trees.__file__).parent
"""Where the trees are, beside what reads them."""
TRACES: Final = Path(__file__).parent / "data" / "rtt_labelled"
WINDOW_S: Final = 1200.0
ONLINE_WINDOW_S: Final = 1500.0
PELT_PENALTIES: Final = (300.0, 2000.0)
"""The penalty of the literature's set-up, and the one that is best on the project's traces of 100 to 5000."""
PELT_ONLINE: Final = (3000.0, 3)
"""Penalty and median filter of PELT asked on line: the best of 1000, 2000, 3000, 5000 and 3, 9 (5 in part) on the project's traces."""
DRAWS: Final = 2000
ONE_PENALTY: Final = "offline_one_penalty"
KIN_APART: Final = "_kin_apart"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Other traces than the project's."""
    parser.add_argument("--traces", type=Path, default=TRACES, help="folder of labelled traces, epoch;rtt;cp")
    parser.add_argument(
        "--fit",
        action="store_true",
        help="grow the trees on all these traces and ship them",
    )


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """F1, precision and recall of each detector, and the difference of ours to PELT."""
    with told_in_one_line():
        if options.fit:
            return _fit(read_all(options.traces, progress), progress)
        read = read_readable(options.traces, progress)
    traces = read.traces
    detectors: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.int64]], float]] = {
        "offline": (partial(_past, trees=growing.read(SHIPPED / OFFLINE)), WINDOW_S),
        ONE_PENALTY: (partial(standing, metric="rtt"), WINDOW_S),
        "online": (partial(_as_it_comes, trees=growing.read(SHIPPED / ONLINE)), ONLINE_WINDOW_S),
        **{f"pelt_{int(p)}": (partial(pelt, penalty=p), WINDOW_S) for p in PELT_PENALTIES},
        "pelt_online": (partial(pelt_online, penalty=PELT_ONLINE[0], width=PELT_ONLINE[1]), ONLINE_WINDOW_S),
    }
    counts: dict[str, NDArray[np.int64]] = {}
    figures: dict[str, object] = {
        "traces": len(traces),
        "unreadable": read.unreadable,
        "in_sample": options.traces.resolve() == TRACES.resolve(),
    }
    for name, (detect, window_s) in detectors.items():
        progress(f"{name} over {len(traces)} traces")
        began = time.perf_counter()
        found = [detect(trace.rtt_ms) for trace in traces]
        figures[f"{name}_ms_per_trace"] = (time.perf_counter() - began) * 1000.0 / max(len(traces), 1)
        counts[name] = np.array([count(t, f, window_s) for t, f in zip(traces, found, strict=True)])
    kin = folds.kin_of(traces)
    if figures["in_sample"]:
        counts |= _out_of_fold(traces, kin, progress)
    progress("flags on made noise")
    figures |= flags_figures(growing.read(SHIPPED / ONLINE))
    for name, table in counts.items():
        precision, recall, f1 = score(table.sum(axis=0))
        figures |= {f"{name}_precision": precision, f"{name}_recall": recall, f"{name}_f1": f1}
    drawn = {name: _drawn(table) for name, table in counts.items()}
    of_kin = {name: _drawn(_summed(table, kin)) for name, table in counts.items()}
    for name in drawn:
        own = of_kin if name.endswith(KIN_APART) else drawn
        figures[f"{name}_f1_90"] = _interval(own[name])
        for p in PELT_PENALTIES if name.startswith(("offline", "online")) and name != ONE_PENALTY else ():
            figures[f"{name}_minus_pelt_{int(p)}_90"] = _interval(own[name] - own[f"pelt_{int(p)}"])
        if name.startswith("online"):
            figures[f"{name}_minus_pelt_online_90"] = _interval(own[name] - own["pelt_online"])
    return figures


def _past(values: NDArray[np.float64], trees: Trees) -> NDArray[np.int64]:
    """As `tatpar changes` tells it."""
    return with_edges(changes(values, trees), values)


def _as_it_comes(values: NDArray[np.float64], trees: Trees) -> NDArray[np.int64]:
    """As `tatpar changes --online` tells it."""
    return with_edges_decided(decisions(values, trees), values)


def _fit(traces: Sequence[Trace], progress: Callable[[str], None]) -> dict[str, object]:
    """Grow the trees and ship them."""
    progress(f"growing trees on {len(traces)} traces")
    past = [*(offline.past_of(trace) for trace in traces), *offline.quiet_pasts()]
    growing.write(offline.grown(past), SHIPPED / OFFLINE)
    growing.write(online.grown([online.cut_of(trace) for trace in traces]), SHIPPED / ONLINE)
    return {f"{name}_bytes": (SHIPPED / name).stat().st_size for name in (OFFLINE, ONLINE)}


def _out_of_fold(
    traces: Sequence[Trace], kin: NDArray[np.int64], progress: Callable[[str], None]
) -> dict[str, NDArray[np.int64]]:
    """Counts of both detectors on traces that their trees did not see, dealt one by one and with their kin."""
    past, cut = [offline.past_of(trace) for trace in traces], [online.cut_of(trace) for trace in traces]
    counts: dict[str, NDArray[np.int64]] = {}
    for suffix, dealt in (("", folds.by_trace(len(traces))), (KIN_APART, folds.by_kin(kin))):
        for name, found, window_s in (
            ("offline", offline.out_of_fold(past, dealt, progress), WINDOW_S),
            ("online", online.out_of_fold(cut, dealt, progress), ONLINE_WINDOW_S),
        ):
            rows = [count(t, f, window_s) for t, f in zip(traces, found, strict=True)]
            counts[f"{name}_out_of_fold{suffix}"] = np.array(rows)
    return counts


def count(trace: Trace, found: NDArray[np.int64], window_s: float) -> tuple[int, int, int]:
    """(pairs, labels, detections) of one trace; as many pairs as possible, and of those the nearest."""
    seconds = (trace.time_ns - trace.time_ns[0]) / SECOND_NS
    labels, detected = seconds[trace.changes], seconds[np.unique(found)]
    return window_score(labels, detected, window_s).matched, len(labels), len(detected)


def score(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and F1 of (pairs, labels, detections), each of any shape."""
    pairs, labels, detected = counts
    precision, recall = pairs / np.maximum(detected, 1), pairs / np.maximum(labels, 1)
    return precision, recall, 2.0 * precision * recall / np.maximum(precision + recall, 1e-12)


def _drawn(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """(DRAWS,) F1 of as many rows of counts (N, 3), drawn with replacement; the same N are drawn alike."""
    draws = np.random.default_rng(0).integers(0, len(table), (DRAWS, len(table)))
    return score(table[draws].sum(axis=1).T)[2]


def _summed(table: NDArray[np.int64], kin: NDArray[np.int64]) -> NDArray[np.int64]:
    """(families, 3) the counts (N, 3) of each family together."""
    summed = np.zeros((int(kin.max(initial=-1)) + 1, table.shape[1]), dtype=np.int64)
    np.add.at(summed, kin, table)
    return summed


def _interval(values: NDArray[np.float64]) -> str:
    low, high = np.quantile(values, (0.05, 0.95))
    return f"{low:+.3f} .. {high:+.3f}"
