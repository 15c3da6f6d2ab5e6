"""The implementations that the suite runs on: a new one is one more line in `BACKENDS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from telemetry.store.memory import MemoryStore
from telemetry.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from telemetry.store.protocol import ReportStore


@dataclass(frozen=True)
class Backend:
    """How to open one: again on the same folder if it keeps anything there."""

    name: str
    open: Callable[[Path], ReportStore]
    keeps: bool


BACKENDS = (
    Backend("memory", lambda _: MemoryStore(raw_days=30, rollup_days=50), keeps=False),
    Backend(
        "sqlite", lambda folder: SqliteStore(folder / "reports.db", raw_days=30, rollup_days=50), keeps=True
    ),
)


class Held:
    """A store, and what may happen to it between writing and reading."""

    def __init__(self, backend: Backend, folder: Path, fate: str) -> None:
        self._backend = backend
        self._folder = folder
        self._fate = fate
        self.store = backend.open(folder)

    def maintain(self, now_ns: int) -> None:
        """All the upkeep that is due."""
        while self.store.maintain(now_ns):
            pass

    def settle(self, now_ns: int) -> ReportStore:
        """What the test is parametrised by: nothing, upkeep, or upkeep and a restart."""
        if self._fate != "fresh":
            self.maintain(now_ns)
        if self._fate == "reopened":
            self.reopen()
        return self.store

    def reopen(self) -> ReportStore:
        """Close and open again, where that keeps anything."""
        if self._backend.keeps:
            self.store.close()
            self.store = self._backend.open(self._folder)
        return self.store


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.param
    return chosen


@pytest.fixture
def held(backend: Backend, tmp_path: Path) -> Iterator[Held]:
    """A store as it is."""
    one = Held(backend, tmp_path, "fresh")
    yield one
    one.store.close()


@pytest.fixture(params=["fresh", "folded", "reopened"])
def in_any_state(request: pytest.FixtureRequest, backend: Backend, tmp_path: Path) -> Iterator[Held]:
    """A store whose rows are recent, folded into blocks, or folded and opened again: reads must not differ."""
    one = Held(backend, tmp_path, request.param)
    yield one
    one.store.close()
