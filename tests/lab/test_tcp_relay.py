"""The TCP relay: transparent until cut, silent while cut, itself again afterwards."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from lab.line.tcp_relay import MOST_CONNECTIONS, TcpLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Helpers

    from lab.line.reactor import Reactor


class Server:
    """A listener that hands out what it accepts."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(60)

    @property
    def address(self) -> tuple[str, int]:
        return self.listener.getsockname()

    def accept(self) -> socket.socket:
        sock, _ = self.listener.accept()
        sock.settimeout(60)
        return sock


@pytest.fixture
def server() -> Iterator[Server]:
    """A broker's place on loopback."""
    one = Server()
    yield one
    one.listener.close()


@pytest.fixture
def line(reactor: Reactor, server: Server, helpers: type[Helpers]) -> Iterator[TcpLine]:
    """A running way to the server; changes go through the loop's own thread."""
    tcp = TcpLine(reactor, server.address)
    with helpers.running(reactor):
        yield tcp
    tcp.close()


@pytest.fixture
def cut(line: TcpLine, reactor: Reactor) -> Callable[[bool], None]:
    """Cut or heal the line on the loop's thread, and wait until it is done."""

    def change(value: bool) -> None:
        done = threading.Event()

        def act(_due, _argument) -> None:
            line.cut = value
            done.set()

        reactor.at(0, act)
        reactor.wake()
        assert done.wait(60)

    return change


def client_of(line: TcpLine) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", line.port), timeout=60)
    sock.settimeout(60)
    return sock


def joined(line: TcpLine, server: Server) -> tuple[socket.socket, socket.socket]:
    client = client_of(line)
    return client, server.accept()


def silent(sock: socket.socket, for_s: float = 0.15) -> bool:
    sock.settimeout(for_s)
    try:
        sock.recv(10)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(60)
    return False


def test_bytes_pass_both_ways(line: TcpLine, server: Server) -> None:
    """What one side says the other hears."""
    client, broker = joined(line, server)
    with client, broker:
        client.sendall(b"question")
        assert broker.recv(100) == b"question"
        broker.sendall(b"answer")
        assert client.recv(100) == b"answer"


def test_megabytes_arrive_unchanged(line: TcpLine, server: Server) -> None:
    """A flood against a slow reader arrives whole: the relay holds little and waits."""
    client, broker = joined(line, server)
    data = os.urandom(8_000_000)
    received = hashlib.sha256()

    def read_all() -> None:
        while chunk := broker.recv(1 << 14):
            received.update(chunk)

    with client, broker:
        thread = threading.Thread(target=read_all)
        thread.start()
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        thread.join(60)
    assert received.digest() == hashlib.sha256(data).digest()


def test_half_closed_connections_still_answer(line: TcpLine, server: Server) -> None:
    """When one side has said all, the other can still speak, and both ends are passed on."""
    client, broker = joined(line, server)
    with client, broker:
        client.sendall(b"last words")
        client.shutdown(socket.SHUT_WR)
        assert broker.recv(100) == b"last words"
        assert broker.recv(100) == b""
        broker.sendall(b"heard")
        broker.close()
        assert client.recv(100) == b"heard"
        assert client.recv(100) == b""


def test_reset_ends_both_sides(line: TcpLine, server: Server, helpers: type[Helpers]) -> None:
    """A broker that dies hard ends the office's connection and leaves nothing behind in the relay."""
    client, broker = joined(line, server)
    broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    broker.close()
    with client:
        assert client.recv(10) == b""
    assert helpers.eventually(lambda: not line._connections)


def test_no_broker_closes_the_client(line: TcpLine, server: Server, helpers: type[Helpers]) -> None:
    """When nobody listens behind the line, the office is told at once."""
    server.listener.close()
    with client_of(line) as client:
        assert client.recv(10) == b""
    assert helpers.eventually(lambda: not line._connections)


def test_cut_line_is_silent_and_loses_nothing(
    line: TcpLine, server: Server, cut: Callable[[bool], None]
) -> None:
    """While cut nothing passes in either direction; afterwards what was said arrives, once."""
    client, broker = joined(line, server)
    with client, broker:
        client.sendall(b"before")
        assert broker.recv(100) == b"before"
        cut(True)
        client.sendall(b"during")
        broker.sendall(b"reply")
        assert silent(broker)
        assert silent(client)
        cut(False)
        assert broker.recv(100) == b"during"
        assert client.recv(100) == b"reply"


def test_cut_line_hides_the_other_ends_death(
    line: TcpLine, server: Server, cut: Callable[[bool], None]
) -> None:
    """A broker that gives up during a cut is noticed by the office only when the line is back."""
    client, broker = joined(line, server)
    with client:
        cut(True)
        broker.close()
        assert silent(client)
        cut(False)
        assert client.recv(10) == b""


def test_new_connections_wait_for_the_line(
    line: TcpLine, server: Server, cut: Callable[[bool], None]
) -> None:
    """A connection begun during a cut is answered by nobody, and served when the line is back."""
    cut(True)
    with client_of(line) as client:
        client.sendall(b"hello")
        assert silent(client)
        server.listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
        server.listener.settimeout(60)
        cut(False)
        with server.accept() as broker:
            assert broker.recv(100) == b"hello"


def test_a_cut_costs_no_processor_time(
    line: TcpLine, server: Server, cut: Callable[[bool], None], reactor: Reactor
) -> None:
    """Errors and ends on a cut line do not make the loop spin."""
    client, broker = joined(line, server)
    cut(True)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    client.close()
    broker.close()
    turns_before = reactor.turns
    assert not threading.Event().wait(0.3)
    assert reactor.turns - turns_before < 5


@pytest.mark.usefixtures("server")
def test_connections_are_bounded(line: TcpLine, helpers: type[Helpers]) -> None:
    """Beyond its bound the relay closes new connections and counts them."""
    clients = [client_of(line) for _ in range(MOST_CONNECTIONS + 3)]
    assert helpers.eventually(lambda: line.refused == 3)
    assert len(line._connections) == MOST_CONNECTIONS
    for client in clients:
        client.close()


@pytest.mark.usefixtures("server")
def test_redirected_connections_go_elsewhere(line: TcpLine) -> None:
    """After the broker has moved, new connections find it."""
    other = Server()
    line.redirect(other.address)
    with client_of(line) as client, other.accept() as broker:
        client.sendall(b"x")
        assert broker.recv(10) == b"x"
    other.listener.close()
