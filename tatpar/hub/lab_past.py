"""What `up --lab` sees to first: the script, and a past for an empty store, so that forecasts have something to stand on."""

from __future__ import annotations

import asyncio
import signal
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Final

from lab.past.history import give_past, past_of
from lab.running.scope import Places
from lab.running.script import load_script, script_path
from tatpar.terminal.options import offices as counted
from telemetry.store.open import SQLITE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.config import Config
    from lab.past.history import Written
    from lab.past.plan import PastPlan

_SAY_EVERY: Final = 8


class _Progress:
    """Says how far it is, every few offices; and whether to stop."""

    def __init__(self, offices: int, say: Callable[[str], None]) -> None:
        self.stopping = False
        self._offices = offices
        self._say = say
        self._done = 0

    def __call__(self, _: Written) -> None:
        self._done += 1
        if self._done % _SAY_EVERY == 0 or self._done == self._offices:
            self._say(f"lab: past of {self._done} of {counted(self._offices)} made")


def check_script(config: Config) -> None:
    """Read the lab's script, so that a wrong one is told before anything is started.

    Raises:
        ConfigError: it is wrong.
    """
    linked = list(config.registry.linked())
    providers = {site.id: site.provider for site in linked if site.provider}
    places = Places(linked, tuple(config.headquarters), providers)
    load_script(script_path(config.file, config.settings.lab.script), places)


async def give_a_past(config: Config, data_dir: Path, weeks: float, say: Callable[[str], None]) -> None:
    """Make a past of so many weeks where there is no store yet; `say` is told how far it is.

    Made beside and moved into place when whole, so that a stop half-way leaves no half a past.

    Raises:
        StoreError: the store cannot be made.
    """
    if (data_dir / SQLITE_FILE).exists():
        return
    offices = sum(1 for _ in config.registry.linked())
    say(
        f"lab: making {weeks:g} week{'' if weeks == 1 else 's'} of past for {counted(offices)}, once (--history 0 does without)"
    )
    folder = data_dir / "making-past"
    folder.mkdir(parents=True, exist_ok=True)
    _empty(folder)
    await _made(past_of(config, weeks=weeks), config, folder, _Progress(offices, say))
    (folder / SQLITE_FILE).rename(data_dir / SQLITE_FILE)
    _empty(folder)
    folder.rmdir()


async def _made(plan: PastPlan, config: Config, folder: Path, progress: _Progress) -> None:
    """Make it in a thread; when cancelled, wait until nobody writes any more, which is soon.

    Its helpers end with the day that they are drawing. They are not killed: of one that was handing its office over, the
    thread would wait for the rest for ever.
    """
    work = asyncio.create_task(
        asyncio.to_thread(_make, plan, config, folder, progress), name="making the past"
    )
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        progress.stopping = True
        await asyncio.wait({work})
        work.exception()
        raise


def _make(plan: PastPlan, config: Config, folder: Path, progress: _Progress) -> None:
    """Make it in this thread, whose helper processes inherit that a Ctrl-C at the terminal is not theirs to heed."""
    resource_tracker.ensure_running()  # it would start with the first helper, and undo what is set here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        give_past(plan, config.settings.store, folder, progress, lambda: progress.stopping)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        left.unlink()
