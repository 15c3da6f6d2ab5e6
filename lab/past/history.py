"""Gives the lab's offices a plausible past in the report store, marked as emulated.

Five-minute roll-ups for weeks, and 15 s windows for the last two days, from the same characters and the same script as
the live lab, with faults drawn by lot (`lab.past.faults`). What was measured stays; what is there already is not made again.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import tempfile
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.past.office import PastDrawer, StoppedError
from lab.past.plan import plan_history
from lab.running.scope import Places
from lab.running.script import load_script, script_path
from telemetry.store.assembly import rows_where
from telemetry.store.open import open_writer
from telemetry.store.protocol import Selection
from telemetry.store.rollup_tables import as_rollups, as_windows
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from multiprocessing.synchronize import Event

    from numpy.typing import NDArray

    from config.config import Config
    from config.settings import Store
    from config.sites import Site
    from lab.past.office import OfficePast
    from lab.past.plan import PastPlan
    from telemetry.store.protocol import ReportStore
    from telemetry.store.tables import RollupTable, StreamTable

_AHEAD: Final = 2
"""Offices made ahead of the writer: each is some 60 MB."""
_LOOK_S: Final = 0.2
"""So often it is asked whether to stop while an office is awaited: one of two years takes seconds to draw."""


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_history` did for one office."""

    site: str
    rollups: int
    windows: int


def past_of(config: Config, *, weeks: float, seed: int | None = None, now_ns: int | None = None) -> PastPlan:
    """The past of every linked office of a deployment.

    Args:
        config: the deployment.
        weeks: how far back.
        seed: another past; None for the one that goes with the running lab.
        now_ns: where the past ends; None for now.

    Raises:
        ConfigError: the script is wrong.
    """
    linked = list(config.registry.linked())
    providers = {site.id: site.provider for site in linked if site.provider}
    places = Places(linked, tuple(config.headquarters), providers)
    lab = config.settings.lab
    return plan_history(
        config,
        load_script(script_path(config.file, lab.script), places),
        places,
        now_ns=time.time_ns() if now_ns is None else now_ns,
        weeks=weeks,
        seed=lab.seed if seed is None else seed,
    )


def _never() -> bool:
    return False


def give_past(
    plan: PastPlan,
    settings: Store,
    data_dir: Path,
    progress: Callable[[Written], None],
    stopped: Callable[[], bool] = _never,
) -> None:
    """Write a past into the store of a data directory; a collector may write to it at the same time.

    Raises:
        StoreError: the store cannot be written.
        StoppedError: `stopped` said so.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    store = open_writer(settings, data_dir)
    try:
        write_history(plan, store, progress, stopped=stopped)
    finally:
        store.close()


def write_history(
    plan: PastPlan,
    store: ReportStore,
    progress: Callable[[Written], None],
    *,
    workers: int = 2,
    stopped: Callable[[], bool] = _never,
) -> None:
    """Draw and write what is missing of every office's past; an office takes two short transactions.

    Args:
        plan: from `lab.past.plan.plan_history`.
        store: the writing half.
        progress: told after each office.
        workers: processes that draw while this one writes; 0: this one does both.
        stopped: whether nobody wants the past any more; asked all the time.

    Raises:
        StoppedError: `stopped` said so; what was written of earlier offices stays.
    """
    lacking = [site for site in plan.places.sites if len(_lacking_slots(plan, store, site.id))]
    have = {site.id for site in plan.places.sites} - {site.id for site in lacking}
    for name in sorted(have):
        progress(Written(name, 0, 0))
    with closing(
        _drawn(plan, lacking, workers, stopped)
    ) as drawn:  # whatever ends it here, no helper is left
        for past in drawn:
            rollups = _new_rollups(plan, store, past.rollups)
            streams = _new_streams(plan, store, past.streams)
            if len(rollups):
                store.import_rollups(rollups)
            if len(streams):
                store.import_streams(streams)
            progress(Written(past.site, len(rollups), len(streams)))
            if stopped():
                raise StoppedError


def _drawn(
    plan: PastPlan, sites: Sequence[Site], workers: int, stopped: Callable[[], bool]
) -> Generator[OfficePast, None, None]:
    """The offices' pasts in order, a few made ahead."""
    if workers == 0 or len(sites) < 2:
        drawer = PastDrawer(plan)
        for site in sites:
            yield drawer.draw(site, stopped)
        return
    context = multiprocessing.get_context("spawn")
    given_up = context.Event()
    # Through a file: a helper that is ended while it is being handed more than a pipe holds leaves its maker waiting for ever.
    with (
        tempfile.NamedTemporaryFile(prefix="tatpar-past-") as handed,
        ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=(handed.name, given_up)) as pool,
    ):
        pickle.dump(plan, handed)
        handed.flush()
        waiting: deque[Future[OfficePast]] = deque()
        try:
            for site in sites:
                waiting.append(pool.submit(_draw, site))
                if len(waiting) >= workers + _AHEAD:
                    yield _awaited(waiting.popleft(), stopped)
            while waiting:
                yield _awaited(waiting.popleft(), stopped)
        finally:
            given_up.set()
            for future in waiting:
                future.cancel()


def _awaited(future: Future[OfficePast], stopped: Callable[[], bool]) -> OfficePast:
    while not stopped():
        with suppress(TimeoutError):
            return future.result(_LOOK_S)
    raise StoppedError


_drawer: PastDrawer
_given_up: Event
"""Of a worker process."""


def _prepare(handed: str, given_up: Event) -> None:
    global _drawer, _given_up  # noqa: PLW0603 - a pool's workers are prepared through globals
    _given_up = given_up
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the owner's, who ends the pool
    _drawer = PastDrawer(pickle.loads(Path(handed).read_bytes()))  # noqa: S301 - of our own maker, readable by us only


def _draw(site: Site) -> OfficePast:
    return _drawer.draw(site, _given_up.is_set)


def _lacking_slots(plan: PastPlan, store: ReportStore, site: str) -> NDArray[np.int64]:
    """Slots of an office that its past has on some path and the store has not."""
    table = store.rollups(
        Selection(plan.start_ns, plan.end_ns, sites=(site,)), histograms=False, columns=(), window_values=()
    )
    slots, paths = np.unique(table.columns["slot_ns"], return_counts=True)
    return np.setdiff1d(plan.slots_of(site), slots[paths >= len(plan.paths)], assume_unique=True)


def _new_rollups(plan: PastPlan, store: ReportStore, table: RollupTable) -> RollupTable:
    """The roll-ups that the store does not have."""
    span = Selection(plan.start_ns, plan.end_ns, sites=table.sites)
    there = store.rollups(span, histograms=False, columns=(), window_values=())
    known = _keys(plan, there, there.columns["slot_ns"])
    return as_rollups(
        rows_where(as_windows(table), ~np.isin(_keys(plan, table, table.columns["slot_ns"]), known))
    )


def _new_streams(plan: PastPlan, store: ReportStore, table: StreamTable) -> StreamTable:
    """The windows that the store does not have."""
    span = Selection(plan.raw_from_ns, plan.end_ns, sites=table.sites)
    there = store.streams(span, histograms=False, columns=())
    known = _keys(plan, there, there.columns["start_ns"])
    return rows_where(table, ~np.isin(_keys(plan, table, table.columns["start_ns"]), known))


def _keys(
    plan: PastPlan, table: RollupTable | StreamTable, start_ns: NDArray[np.generic]
) -> NDArray[np.int64]:
    """(path, start) of each row of one office as one number."""
    number = {path: i for i, path in enumerate(plan.paths)}
    paths = np.array([number.get(name, len(number)) for name in table.paths], dtype=np.int64)
    start = start_ns.astype(np.int64) // WINDOW_NS * (len(number) + 1)
    return np.asarray(start + paths[table.columns["path"].astype(np.int64)]) if len(paths) else start
