"""Stores on real servers, with a proxy between that can spoil writes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.telemetry.store.server.faults import proxied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.telemetry.store.server.faults import Proxy
    from tests.telemetry.store.servers import Servers

WITHIN_S = 60.0


@pytest.fixture(params=["victoriametrics", "influxdb1"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the real servers."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def proxy(servers: Servers, kind: str) -> Iterator[Proxy]:
    """Between the store and the server."""
    yield from proxied(servers.of(kind).url)


@pytest.fixture
def comes_true() -> Callable[..., None]:
    """Waits for a condition, generously."""

    def wait(condition: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
            time.sleep(0.02)

    return wait
