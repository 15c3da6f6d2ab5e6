"""What a server took but may lose with its process is sent again when it may have died, and only then."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from config.settings import Store
from telemetry.store.server import ServerStore
from telemetry.store.server.database import AwayError, ServerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telemetry.store.server.database import Problem


class Forgetful:
    """A server that answers before its disk has it."""

    strings = True
    where = "forgetful"
    settles_s = 3600.0

    def __init__(self) -> None:
        self.started = "1"
        self.written: list[str] = []
        self.fails: ServerError | None = None

    def write(self, lines: Sequence[str]) -> None:
        if self.fails is not None:
            raise self.fails
        self.written += lines

    def incarnation(self) -> str:
        return self.started

    def examine(self) -> list[Problem]:
        return []

    def lost(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def server() -> Forgetful:
    return Forgetful()


def opened(server: Forgetful, folder, settles_s: float | None = None) -> ServerStore:
    settings = Store(kind="victoriametrics", url="http://nowhere.example:1")
    return ServerStore(settings, folder, server, ships=False, settles_s=settles_s)  # type: ignore[arg-type]


def all_shipped(store: ServerStore) -> None:
    while store.ship():
        pass


def test_what_is_not_safe_yet_stays_in_the_journal(server, fleet, tmp_path) -> None:
    """Sent, not settled: no backlog, but the cursor stays; after a restart of ours it is sent again."""
    with closing(opened(server, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(4)))
        all_shipped(store)
        assert store.shipping["journal_backlog_reports"] == 0
        assert store.shipping["unsettled_reports"] == 4
        assert store._shipper.shipped == 0
        first = list(server.written)
    with closing(opened(server, tmp_path, settles_s=0)) as store:
        all_shipped(store)
        assert server.written == first * 2
        assert store.shipping["unsettled_reports"] == 0


@pytest.mark.parametrize("sign", ["no answer", "another process"])
def test_a_server_that_may_have_died_is_sent_the_same_again(server, fleet, tmp_path, sign) -> None:
    """A request without an answer, or another start time: all that was not safe goes once more, the same points."""
    with closing(opened(server, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(4)))
        all_shipped(store)
        first = list(server.written)
        store.append(fleet.hours(["etah"], range(2)))
        shipper = store._shipper
        server.fails = (
            UnreachableError("the connection broke") if sign == "no answer" else AwayError("HTTP 500")
        )
        with pytest.raises(AwayError) as caught:
            store.ship()
        shipper._failed(caught.value)
        server.fails = None
        if sign == "another process":
            server.started = "2"
        all_shipped(store)
        times = Counter(server.written)
        assert {times.pop(line) for line in first} == {2}
        assert len(times) == len(first) // 2
        assert set(times.values()) == {1}


def test_a_server_that_was_only_busy_is_not_sent_the_same_again(server, fleet, tmp_path) -> None:
    """An error that was answered proves that the process lives: only what failed goes again."""
    with closing(opened(server, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(4)))
        all_shipped(store)
        first = list(server.written)
        store.append(fleet.hours(["etah"], range(4)))
        server.fails = AwayError("HTTP 503")
        with pytest.raises(AwayError) as caught:
            store.ship()
        store._shipper._failed(caught.value)
        server.fails = None
        all_shipped(store)
        assert server.written[: len(first)] == first
        assert len(server.written) == 2 * len(first)
