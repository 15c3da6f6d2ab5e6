"""Offices against seconds and memory: the readiness pass over eight weeks of five-minute roll-ups, by blocks, here and on Dask.

A store lies on the disk, in the page cache; a fresh process opens it, and the clock runs from there until the last chance is
known: of every line, for ten meetings. `first`: no day was judged before, so that all roll-ups are unpacked, judged and kept; `here`
and `dask`: the next fresh process, which finds the days that have passed as they were judged. Imports of Python modules are not counted, nor is the start
of the two Dask workers. Peers are those of the same block. Up to 920 offices are on the disk; what is asked of more reads them again under other numbers.
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

from bench._scale_block import OCCURRENCES, Answer, Block, answer, limits, state_bytes
from bench._scale_store import PATHS, make
from bench._shipped_model import shipped_model
from config.load import load_config
from telemetry.store.by_blocks import InProcess, OnDask
from telemetry.store.derived import FILE
from telemetry.store.open import open_reader, store_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from telemetry.store.by_blocks import Blocks

SIZES: Final = (92, 1_000, 10_000)
BLOCK: Final = 92
"""Offices a block: those of the reference deployment are one."""
ON_DISK: Final = 10 * BLOCK
MOST_FIRST: Final = 1_000
"""More are not judged anew: the way is linear, and would take half an hour."""
WORKERS: Final = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sites", type=int, nargs="+", default=list(SIZES), metavar="N", help="sizes to run")
    parser.add_argument(
        "--where", nargs="+", choices=("first", "here", "dask"), default=["first", "here", "dask"]
    )
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """CPU and wall seconds, peak memory, and whether all ways gave the same bits."""
    if options.child:
        return _child(options.child, options.sites[0], options.where[0])
    figures: dict[str, object] = {
        "block_offices": BLOCK,
        "lines_per_office": len(PATHS),
        "meetings": OCCURRENCES,
        "workers": WORKERS,
    }
    digests: dict[int, set[object]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as name:
        folder, offices = Path(name), min(max(options.sites), ON_DISK)
        progress(f"a store of {offices:,} offices")
        make(folder, offices)
        for sites, where in _runs(options.sites, options.where):
            progress(f"{sites:,} offices, {where}")
            found = _run_child(folder, sites, where)
            digests.setdefault(sites, set()).add(found["digest"])
            said = ("wall_s", "read_cpu_s", "pass_cpu_s", "peak_mb", "greatest_worker_peak_mb")
            progress(", ".join(f"{name} {found[name]:.4g}" for name in said if name in found))
            figures |= {f"{where}_{sites}_{name}": value for name, value in found.items()}
        for file in (store_file(load_config(None).settings.store, folder), folder / FILE):
            figures[f"{file.stem}_kb_per_office"] = file.stat().st_size / 1024 / offices
    figures["same_numbers_every_way"] = all(len(each) == 1 for each in digests.values())
    return figures


def _runs(sizes: Sequence[int], ways: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What to run; the days of all offices on the disk are judged before a run is to find them so."""
    kept = 0
    for sites in sizes:
        there = min(sites, ON_DISK)
        if ("first" in ways and sites <= MOST_FIRST) or kept < there:
            yield (sites if sites <= MOST_FIRST else there), "first"
            kept = there
        for where in ways:
            if where != "first":
                yield sites, where


def failed(figures: dict[str, object]) -> bool:
    return not figures.get("same_numbers_every_way", True)


def _run_child(folder: Path, sites: int, where: str) -> dict[str, object]:
    command = [sys.executable, "-m", "bench", "scale", "--json", "--child", str(folder)]
    command += ["--sites", str(sites), "--where", where]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _child(folder: Path, sites: int, where: str) -> dict[str, object]:
    jobs = [Block(first, min(first + BLOCK, sites), ON_DISK) for first in range(0, sites, BLOCK)]
    settings = load_config(None).settings.store
    shipped_model(), limits()
    if where == "first":
        for file in folder.glob(FILE + "*"):
            file.unlink()
    if where != "dask":
        begin = time.perf_counter()
        with contextlib.closing(open_reader(settings, folder)) as reader:
            found = _measured(InProcess(reader), jobs, begin)
            if sites <= BLOCK:
                found["watch_state_kb_per_office"] = state_bytes(reader, sites) / 1024 / sites
            return found
    from distributed import LocalCluster  # noqa: PLC0415 - only here

    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        OnDask(cluster.scheduler_address, settings, folder) as workers,
    ):
        found = _measured(workers, jobs, time.perf_counter())
        peaks = workers._client.run(_own_peak_mb)  # noqa: SLF001 - what the workers took
        return found | {"greatest_worker_peak_mb": max(peaks.values())}


def _measured(blocks: Blocks, jobs: list[Block], begin: float) -> dict[str, object]:
    found = _reduced(blocks.each(answer, jobs))
    wall_s = time.perf_counter() - begin
    read_s, pass_s, sites = found["read_cpu_s"], found["pass_cpu_s"], jobs[-1].last
    return {
        **found,
        "wall_s": wall_s,
        "cpu_ms_per_office": 1e3 * (read_s + pass_s) / sites,
        "pass_cpu_ms_per_office": 1e3 * pass_s / sites,
        "peak_mb": _own_peak_mb(),
    }


def _reduced(answers: Iterable[Answer]) -> dict[str, Any]:
    """Sums, and a digest of every chance in its order; no answer is kept."""
    digest, read_s, pass_s, asked, known = hashlib.sha256(), 0.0, 0.0, 0, 0
    for each in answers:
        digest.update(each.holds.tobytes())
        read_s, pass_s = read_s + each.read_s, pass_s + each.pass_s
        asked, known = asked + each.holds.size, known + int(np.isfinite(each.holds).sum())
    return {
        "read_cpu_s": read_s,
        "pass_cpu_s": pass_s,
        "chances": asked,
        "with_a_number": known / asked,
        "digest": digest.hexdigest()[:16],
    }


def _own_peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
