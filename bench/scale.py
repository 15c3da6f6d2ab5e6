"""Offices against seconds and memory: the readiness pass over eight weeks of five-minute roll-ups, by blocks, here and on Dask.

Every size runs in a process of its own, so that its greatest memory is its own; on Dask two worker processes do the work.
The roll-ups are made where the work is done (their making is not counted in CPU seconds) and judged by the week; a block's
slots become its track, and the model says the chance of every line for ten meetings. Peers are those of the same block.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench._scale_block import OCCURRENCES, PATHS, Answer, Block, answer, fitted
from config.load import load_config
from telemetry.store.by_blocks import InProcess, OnDask
from telemetry.store.open import open_reader, open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telemetry.store.by_blocks import Blocks

SIZES: Final = (92, 1_000, 10_000)
BLOCK: Final = 92
"""Offices a block: those of the reference deployment are one."""
WORKERS: Final = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sites", type=int, nargs="+", default=list(SIZES), metavar="N", help="sizes to run")
    parser.add_argument("--where", nargs="+", choices=("here", "dask"), default=["here", "dask"])
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """CPU and wall seconds, peak memory, and whether both ways gave the same bits."""
    if options.child:
        return _child(options.sites[0], options.where[0])
    figures: dict[str, object] = {
        "block_offices": BLOCK,
        "lines_per_office": len(PATHS),
        "meetings": OCCURRENCES,
        "workers": WORKERS,
    }
    digests: dict[int, set[object]] = {}
    for where in options.where:
        for sites in options.sites:
            progress(f"{sites:,} offices, {where}")
            found = _run_child(sites, where)
            digests.setdefault(sites, set()).add(found["digest"])
            said = ("wall_s", "judge_cpu_s", "pass_cpu_s", "peak_mb", "greatest_worker_peak_mb")
            progress(", ".join(f"{name} {found[name]:.4g}" for name in said if name in found))
            figures |= {f"{where}_{sites}_{name}": value for name, value in found.items()}
    figures["same_numbers_either_way"] = all(len(each) == 1 for each in digests.values())
    return figures


def failed(figures: dict[str, object]) -> bool:
    return not figures.get("same_numbers_either_way", True)


def _run_child(sites: int, where: str) -> dict[str, object]:
    command = [
        sys.executable,
        "-m",
        "bench",
        "scale",
        "--json",
        "--child",
        "--sites",
        str(sites),
        "--where",
        where,
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _child(sites: int, where: str) -> dict[str, object]:
    model = fitted()
    jobs = [Block(first, min(first + BLOCK, sites), model) for first in range(0, sites, BLOCK)]
    settings = load_config(None).settings.store
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as name:
        folder = Path(name)
        open_writer(settings, folder).close()  # an empty store: the work opens one wherever it runs
        with contextlib.ExitStack() as stack:
            if where == "here":
                blocks: Blocks = InProcess(
                    stack.enter_context(contextlib.closing(open_reader(settings, folder)))
                )
                return _measured(blocks, jobs, sites, _own_peak_mb)
            from distributed import LocalCluster  # noqa: PLC0415 - only here

            cluster = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=WORKERS,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                )
            )
            workers = stack.enter_context(OnDask(cluster.scheduler_address, settings, folder))
            found = _measured(workers, jobs, sites, _own_peak_mb)
            peaks = workers._client.run(_own_peak_mb)  # noqa: SLF001 - what the workers took
            return found | {"greatest_worker_peak_mb": max(peaks.values())}


def _measured(
    blocks: Blocks, jobs: list[Block], sites: int, peak_mb: Callable[[], float]
) -> dict[str, object]:
    begin = time.perf_counter()
    found = _reduced(blocks.each(answer, jobs))
    wall_s = time.perf_counter() - begin
    judge_s, pass_s = found["judge_cpu_s"], found["pass_cpu_s"]
    return {
        **found,
        "wall_s": wall_s,
        "cpu_ms_per_office": 1e3 * (judge_s + pass_s) / sites,
        "pass_cpu_ms_per_office": 1e3 * pass_s / sites,
        "peak_mb": peak_mb(),
    }


def _reduced(answers: Iterable[Answer]) -> dict[str, Any]:
    """Sums, and a digest of every chance in its order; no answer is kept."""
    digest, judge_s, pass_s, asked, known = hashlib.sha256(), 0.0, 0.0, 0, 0
    for each in answers:
        digest.update(each.holds.tobytes())
        judge_s, pass_s = judge_s + each.judge_s, pass_s + each.pass_s
        asked, known = asked + each.holds.size, known + int(np.isfinite(each.holds).sum())
    return {
        "judge_cpu_s": judge_s,
        "pass_cpu_s": pass_s,
        "chances": asked,
        "with_a_number": known / asked,
        "digest": digest.hexdigest()[:16],
    }


def _own_peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
