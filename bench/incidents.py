"""Shared faults against known truth: the lab's faults and lines, drawn by lot, watched window by window as the watch does.

Of every group of scenes: precision (told incidents that were there), recall (shared faults that were told before five
minutes were over, from when the last of its offices was hit, or the fault was), right factor (of those told), each with a 90 % interval (Wilson), the error of the
onset and of the end, and the time to name. A told incident is right when the offices it lists and those that were hit are the same by half
(Jaccard), and it is the first that was told of that fault; the factor is right when it is the one that covers just the lines that were hit,
or of which a part was.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench._incident_scenes import ALONE, GROUPS, Ground, places_of, scene
from bench._incident_watch import watch
from config.load import load_config
from lab.running.script import load_script
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from bench._incident_scenes import Truth
    from bench._incident_watch import Told

SCENES: Final = 25
FIRST_SEED: Final = 1_000_000
"""Seeds below belong to the tests and to the tuning."""
IN_TIME_S: Final = 300.0
SMALL: Final = 3
"""Faults of fewer offices than this are counted apart."""
_Z: Final = 1.645
_SAME: Final = 0.5


@dataclass
class Tally:
    """What became of one group's scenes."""

    told: int = 0
    true: int = 0
    made: int = 0
    found: int = 0
    named: int = 0
    small_made: int = 0
    small_found: int = 0
    onset_s: list[float] = field(default_factory=list)
    name_s: list[float] = field(default_factory=list)
    end_s: list[float] = field(default_factory=list)
    minutes: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def count(self, truths: list[Truth], told: list[Told]) -> None:
        """One scene."""
        false = _false(truths, told)
        self.told += len(told)
        self.true += len(told) - len(false)
        for truth in truths:
            until_ns = min(truth.whole_ns + round(IN_TIME_S * SECOND_NS), truth.end_ns + 30 * SECOND_NS)
            hits = [each for each in told if _same(truth, each) and each.first_ns <= until_ns]
            small = len(truth.sites) < SMALL
            self.small_made, self.made = self.small_made + small, self.made + (not small)
            if not hits:
                self.wrong.append(f"missed {truth.factor} ({len(truth.sites)})")
                continue
            best = next((each for each in hits if each.last.factor == truth.factor), hits[0])
            self.small_found, self.found = self.small_found + small, self.found + (not small)
            right = best.last.factor == truth.factor
            self.named += right
            if not right:
                self.wrong.append(f"{truth.factor} named {best.last.factor}")
            self.onset_s.append((best.last.since_ns - truth.start_ns) / SECOND_NS)
            self.name_s.append((best.first_ns - truth.start_ns) / SECOND_NS)
            if best.ended_ns is not None:
                self.end_s.append((best.ended_ns - truth.end_ns) / SECOND_NS)
        self.wrong += [f"false {each.last.factor} ({len(each.sites)})" for each in false]

    def figures(self) -> dict[str, object]:
        """As they are printed."""
        out: dict[str, object] = {
            "precision": _ratio(self.true, self.told),
            "recall": _ratio(self.found, self.made),
        }
        out["recall_two_offices"] = _ratio(self.small_found, self.small_made)
        out["right_factor"] = _ratio(self.named, self.found + self.small_found)
        if self.onset_s:
            out["onset_error_s"] = _error(self.onset_s)
            ranked = sorted(self.name_s)
            out["time_to_name_s"] = (
                f"median {statistics.median(ranked):.0f}, 9 of 10 within {ranked[int(0.9 * (len(ranked) - 1))]:.0f}"
            )
        if self.end_s:
            out["end_error_s"] = _error(self.end_s)
        return out


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of its own."""
    parser.add_argument("--scenes", type=int, default=SCENES, help="scenes of each group")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first seed")
    parser.add_argument("--wrong", action="store_true", help="list what went wrong, on standard error")


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Figures by group."""
    config = load_config(None)
    ground = Ground(config, load_script(None, places_of(config)))
    out: dict[str, object] = {"offices": len(ground.sites), "scenes_a_group": options.scenes}
    whole = Tally()
    begun = time.process_time()
    for group in GROUPS:
        tally = Tally()
        for number in range(options.scenes):
            made = scene(ground, group, options.seed + number)
            told = watch(ground, made, options.seed + number)
            tally.count(made.truths, told)
            whole.count(made.truths, told)
        progress(f"{group}: {options.scenes} scenes")
        if options.wrong:
            for each in tally.wrong:
                progress(f"  {each}")
        if group.startswith(ALONE):
            out[f"{group}: incidents told in {options.scenes} scenes of 13 min"] = tally.told
        else:
            out |= {f"{group}: {name}": value for name, value in tally.figures().items()}
    out |= {f"all: {name}": value for name, value in whole.figures().items()}
    out["cpu_s_a_scene"] = (time.process_time() - begun) / (options.scenes * len(GROUPS))
    return out


def _false(truths: list[Truth], told: list[Told]) -> list[Told]:
    """Those of no fault, and those of one that was told before."""
    left, out = list(truths), []
    for each in sorted(told, key=lambda one: one.first_ns):
        truth = next((one for one in left if _same(one, each)), None)
        if truth is None:
            out.append(each)
        else:
            left.remove(truth)
    return out


def _same(truth: Truth, told: Told) -> bool:
    common, either = len(truth.sites & told.sites), len(truth.sites | told.sites)
    alive = told.last.since_ns < truth.end_ns and told.first_ns > truth.start_ns
    return alive and common >= _SAME * either


def _error(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):+.0f}, worst {max(seconds, key=abs):+.0f}"


def _ratio(k: int, n: int) -> str:
    """`0.97 (0.93-0.99; 121 of 125)`: with Wilson's 90 % interval."""
    if not n:
        return "none"
    centre = (k + _Z**2 / 2) / (n + _Z**2)
    half = _Z / (n + _Z**2) * (k * (n - k) / n + _Z**2 / 4) ** 0.5
    return f"{k / n:.3f} ({max(centre - half, 0):.3f}-{min(centre + half, 1):.3f}; {k} of {n})"
