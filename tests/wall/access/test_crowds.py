"""Who connects and says nothing, or half, stops nobody else."""

from __future__ import annotations

import contextlib
import logging
import socket
import time
import urllib.request
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from dashboards.wall import bad_requests, patience
from dashboards.wall.patience import most_connections

if TYPE_CHECKING:
    from collections.abc import Iterator

TRIES = 8


@contextlib.contextmanager
def connected(url: str, count: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections that say only this."""
    where = urlsplit(url)
    with contextlib.ExitStack() as stack:
        sockets = []
        for _ in range(count):
            one = stack.enter_context(socket.create_connection((where.hostname, where.port), timeout=60))
            one.sendall(said)
            sockets.append(one)
        yield sockets


def closed_within(sockets: list[socket.socket], limit_s: float) -> int:
    """How many the wall has ended."""
    until = time.monotonic() + limit_s
    ended = 0
    for one in sockets:
        one.settimeout(max(0.01, until - time.monotonic()))
        with contextlib.suppress(TimeoutError, ConnectionError):
            one.recv(1 << 16)
            ended += 1
            continue
        ended += _is_reset(one)
    return ended


def _is_reset(one: socket.socket) -> bool:
    try:
        one.send(b"x")
    except OSError:
        return True
    return False


def answers(url: str) -> bool:
    with urllib.request.urlopen(url + "/sign-in", timeout=60) as page:
        return bool(page.status == 200)


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nhost: ", b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 900\r\n\r\nname=a"],
    ids=["nothing", "half a head", "half a body"],
)  # fmt: skip
def test_a_request_that_does_not_come_is_not_waited_for(
    closed: Any, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", 0.3)
    with connected(closed.url, 5, said) as sockets:
        assert closed_within(sockets, 60) == 5
    monkeypatch.undo()  # a machine that is busy may take 0.3 s over what is asked here
    assert answers(closed.url)


def test_a_stream_is_no_request_that_does_not_come(closed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has asked may be answered for as long as it takes, and asks again on the same connection."""
    monkeypatch.setattr(patience, "REQUEST_S", 0.3)
    where = urlsplit(closed.url)
    with contextlib.closing(HTTPConnection(str(where.hostname), where.port, timeout=60)) as connection:
        for _ in range(TRIES):
            own_ports = set()
            try:
                for _ in range(3):
                    connection.request("GET", "/sign-in")
                    own_ports.add(connection.sock.getsockname()[1])
                    answer = connection.getresponse()
                    assert answer.status == 200
                    answer.read()
                    time.sleep(0.5)
            except ConnectionError:  # a machine that is busy took 0.3 s over a request: the wall was right
                connection.close()
                continue
            break
        else:
            pytest.fail(f"closed in each of {TRIES} conversations")
    assert len(own_ports) == 1, "it was the same connection all the time"


def test_those_above_the_limit_are_closed_and_said_once(
    closed: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "most_connections", lambda: 40)
    monkeypatch.setattr(patience.PatientProtocol, "_last_said", -patience.SAID_AGAIN_S)
    with caplog.at_level(logging.WARNING), connected(closed.url, 60) as sockets:
        ended = closed_within(sockets[25:], 20)
        assert ended >= 30, "half of the limit is one address's share"
    assert [row.__dict__["event"] for row in caplog.records].count("wall.crowded") == 1


def test_half_of_the_files_are_left() -> None:
    assert 2 <= most_connections() <= patience.MOST


def test_nobody_fills_the_log_by_speaking_no_http(
    closed: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is refused; the log says so once a minute, with how many there were, under an event of its own."""
    monkeypatch.setattr(bad_requests._once_a_minute, "_last_s", -bad_requests.SAID_AGAIN_S)
    monkeypatch.setattr(bad_requests._once_a_minute, "_count", 0)
    with connected(closed.url, 12, b"\x16\x03\x01 no HTTP\r\n\r\n") as sockets:
        assert closed_within(sockets, 60) == 12
    monkeypatch.setattr(bad_requests._once_a_minute, "_last_s", -bad_requests.SAID_AGAIN_S)  # a minute later
    with connected(closed.url, 1, b"\x16\x03\x01 no HTTP\r\n\r\n") as sockets:
        assert closed_within(sockets, 60) == 1
    said = [record for record in caplog.records if record.name == "uvicorn.error"]
    assert [record.__dict__.get("event") for record in said] == ["wall.bad-request"] * 2
    assert [record.__dict__.get("count") for record in said] == [1, 12]
    assert answers(closed.url)
