"""What the collector's duties share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.counters import Counters
from collector.leading import Leading
from collector.worker import Worker

if TYPE_CHECKING:
    from pathlib import Path

    from config.live import LiveConfig
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import ReportStore


@dataclass(frozen=True, slots=True)
class Ground:
    """Configuration, store, state and time, and the threads in which messages are examined, store and state are used."""

    live: LiveConfig
    store: ReportStore
    state: StateDb
    clock: WallClock
    root: str
    leading: Leading = field(default_factory=Leading)
    counters: Counters = field(default_factory=Counters)
    writer: Worker = field(default_factory=lambda: Worker("collector-writer"))
    """Every call to the store is made here, so that it has one writer."""
    examiner: Worker = field(default_factory=lambda: Worker("collector-examiner"))
    """Messages are examined here while the batch before them is being written."""
    desk: Worker = field(default_factory=lambda: Worker("collector-state"))
    """Every call to the state database; apart from the writer, so that a stalled store is still reported."""

    @property
    def folder(self) -> Path:
        """Where the data lie, and the locks and sockets by which several collectors get on."""
        return self.state.path.parent

    def close(self) -> None:
        """Wait for what is being written."""
        self.examiner.close()
        self.writer.close()
        self.desk.close()
