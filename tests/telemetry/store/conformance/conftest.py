"""The implementations that the suite runs on: a new one is one more line in `BACKENDS`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from telemetry.store.memory import MemoryStore
from telemetry.store.server import ServerStore
from telemetry.store.sqlite import SqliteStore
from tests.telemetry.store.servers import by_hand, ship_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.settings import Store
    from telemetry.store.protocol import ReportStore
    from tests.telemetry.store.servers import Servers

EVERYTHING_NS = 40_000 * 86_400 * 10**9


@dataclass(frozen=True)
class Backend:
    """How to open one: again on the same folder if it keeps anything there."""

    name: str
    open: Callable[[Path], ReportStore] | None
    keeps: bool
    states: tuple[str, ...] = ("fresh", "folded", "reopened")
    float_tolerance: float = 0.0
    """Relative: VictoriaMetrics keeps decimals of some 15 digits; counts are exact everywhere."""


BACKENDS = (
    Backend("memory", lambda _: MemoryStore(raw_days=30, rollup_days=50), keeps=False),
    Backend(
        "sqlite", lambda folder: SqliteStore(folder / "reports.db", raw_days=30, rollup_days=50), keeps=True
    ),
    Backend("victoriametrics", None, keeps=True, states=("shipped", "reopened"), float_tolerance=1e-12),
    Backend("influxdb1", None, keeps=True, states=("shipped", "reopened")),
)


class Held:
    """A store, and what may happen to it between writing and reading."""

    def __init__(self, backend: Backend, folder: Path, fate: str, servers: Callable[[], Servers]) -> None:
        self._backend = backend
        self._folder = folder
        self._fate = fate
        self._servers = servers
        self._settings: Store | None = None
        self._forgets = True
        self.store = self._open()

    def _open(self) -> ReportStore:
        if self._backend.open is not None:
            return self._backend.open(self._folder)
        self._settings = self._settings or self._servers().settings(self._backend.name)
        return by_hand(self._settings, self._folder)

    def follows_the_tail(self) -> None:
        """The test reads the tail, for which a journal in front of a server keeps what is recent."""
        self._forgets = False

    def maintain(self, now_ns: int) -> None:
        """All the upkeep that is due."""
        while self.store.maintain(now_ns):
            pass
        self._ship()
        while self.store.maintain(now_ns):  # what is on the server is folded
            pass

    def _ship(self) -> None:
        """All is on the server, and the journal keeps nothing that it need not."""
        if isinstance(self.store, ServerStore):
            ship_all(self.store, self._servers())
            if self._forgets:
                self.store.drop_shipped(EVERYTHING_NS)

    def settle(self, now_ns: int) -> ReportStore:
        """What the test is parametrised by: nothing, on the server, upkeep, or upkeep and a restart."""
        if self._fate == "shipped":
            self._ship()
        elif self._fate != "fresh":
            self.maintain(now_ns)
        if self._fate == "reopened":
            self.reopen()
        return self.store

    def reopen(self) -> ReportStore:
        """Close and open again, where that keeps anything."""
        if self._backend.keeps:
            self.store.close()
            self.store = self._open()
        return self.store


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Held]:
    """A store as it is."""
    one = Held(request.param, tmp_path, "fresh", lambda: request.getfixturevalue("servers"))
    yield one
    one.store.close()


@pytest.fixture(
    params=[(backend, state) for backend in BACKENDS for state in backend.states],
    ids=lambda pair: f"{pair[0].name}-{pair[1]}",
)
def in_any_state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Held]:
    """A store whose rows are recent, folded into blocks, on the server alone, or opened again: reads must not differ."""
    backend, state = request.param
    one = Held(backend, tmp_path, state, lambda: request.getfixturevalue("servers"))
    yield one
    one.store.close()


class Near(float):
    """A figure that equals another within the tolerance of the store that it came from."""

    tolerance = 0.0
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and math.isclose(self, other, rel_tol=self.tolerance)

    def __ne__(self, other: object) -> bool:
        return not self == other


def _tolerance(request: pytest.FixtureRequest) -> float:
    for name in ("in_any_state", "held"):
        if name in request.fixturenames:
            found: float = request.getfixturevalue(name)._backend.float_tolerance
            return found
    return 0.0


@pytest.fixture
def rows(request: pytest.FixtureRequest, rows: Any) -> Any:
    """The rows of a table, whose figures compare as exactly as the store can keep them."""
    tolerance = _tolerance(request)
    if not tolerance:
        return rows
    kind = type("Near", (Near,), {"tolerance": tolerance})

    def near_rows(table: Any) -> list[dict[str, Any]]:
        return [
            {name: kind(value) if isinstance(value, float) else value for name, value in row.items()}
            for row in rows(table)
        ]

    return near_rows


@pytest.fixture
def same(request: pytest.FixtureRequest) -> Any:
    """Asserts that two columns are the same, floats as exactly as the store can keep them."""
    tolerance = _tolerance(request)

    def check(found: Any, wanted: Any, name: str = "") -> None:
        if tolerance and found.dtype.kind == "f":
            np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=0, err_msg=name)
        else:
            np.testing.assert_array_equal(found, wanted, err_msg=name)

    return check
