"""`tatpar report weekly`: gather a week, write its files, and put its mails into the outbox when asked."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports.files import write
from reports.gather import gather
from reports.sending import posts, readers
from telemetry.state.db import StateDb
from telemetry.state.file import STATE_FILE
from telemetry.store.by_blocks import InProcess, InProcesses
from telemetry.store.open import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.config import Config
    from reports.week import Week
    from telemetry.store.by_blocks import Blocks

MANY: Final = 48
"""Offices from which on several processes are quicker than their start takes."""
MOST_PROCESSES: Final = 4
"""Each takes some 300 MB."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for."""

    week: Week
    language: str
    region: str
    forms: tuple[str, ...]
    folder: Path
    send: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it."""

    files: tuple[Path, ...]
    readers: int
    """People and addresses that get it."""
    mails: int
    """Put into the outbox."""


def make(
    config: Config, data_dir: Path, wanted: Wanted, now_ns: int, progress: Callable[[int, int], None]
) -> Made:
    """Make it; `progress` is told offices done and offices in all.

    Raises:
        StoreError, StateError: store or state database cannot be read.
        OSError: a file cannot be written.
    """
    with (
        _blocks(config, data_dir) as blocks,
        contextlib.closing(StateDb(data_dir / STATE_FILE)) as state,
    ):
        figures = gather(config, blocks, state, wanted.week, now_ns, progress, wanted.region)
        files = write(figures, config, wanted.language, now_ns, wanted.folder, wanted.forms)
        mails = state.post(posts(figures, config, now_ns, by_hand=True), now_ns) if wanted.send else 0
    return Made(tuple(files), len(list(readers(config))), mails)


@contextlib.contextmanager
def _blocks(config: Config, data_dir: Path) -> Iterator[Blocks]:
    """In as many processes as there are processors, where there are offices enough to be worth their start."""
    store, processors = config.settings.store, os.cpu_count() or 1
    if processors > 1 and len(list(config.registry.linked())) >= MANY:
        with contextlib.closing(InProcesses(min(processors, MOST_PROCESSES), store, data_dir)) as blocks:
            yield blocks
    else:
        with contextlib.closing(open_reader(store, data_dir)) as reader:
            yield InProcess(reader)
