"""What the probe uses of Linux, and what stands in for it elsewhere (Windows, macOS): the seam between systems.

Elsewhere nothing is stamped by a kernel: the stamps' source is `user`, which every report says. Nothing is counted of
what a socket's buffer drops, no interface counters are read, and no live call or rehearsal is measured. Tests hide
Linux's names and measure with what is left (`tests/probes_measuring/test_other_systems.py`).
"""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _module(name: str) -> Any:  # noqa: ANN401 - a module that only some systems have
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


fcntl: Final = _module("fcntl")
resource: Final = _module("resource")


def _flag(name: str) -> int:
    return int(getattr(socket, name, 0))


MSG_DONTWAIT: Final = _flag("MSG_DONTWAIT")
"""Elsewhere sockets must be non-blocking, which ours are."""
MSG_TRUNC: Final = _flag("MSG_TRUNC")
MSG_ERRQUEUE: Final = _flag("MSG_ERRQUEUE")
O_CLOEXEC: Final = int(getattr(os, "O_CLOEXEC", 0))
HAS_BATCHES: Final = bool(MSG_ERRQUEUE) and hasattr(socket, "CMSG_SPACE")
"""Whether there are recvmmsg, ancillary data, and an error queue with send stamps."""
HAS_PAIRS: Final = hasattr(socket, "AF_UNIX") and hasattr(socket, "SOCK_SEQPACKET")
"""Whether a child process can be given one end of a pair of sockets that keeps messages whole."""
HAS_COUNTERS: Final = fcntl is not None
"""Whether the kernel tells interfaces' counters the way that we ask."""
_WORD: Final = struct.calcsize("P")
_HEADER: Final = struct.calcsize("@Nii")
_LINK_BUFFER: Final = 8 << 20
_LINK_PATIENCE_S: Final = 10.0


def control_length(octets: int) -> int:
    """CMSG_LEN: octets of a control message with so many octets of data."""
    return -(-_HEADER // _WORD) * _WORD + octets


def control_space(octets: int) -> int:
    """CMSG_SPACE: the same, up to where the next may begin."""
    return control_length(-(-octets // _WORD) * _WORD)


def lock(fd: int) -> None:
    """Lock a file for this process, until it ends or closes the file.

    Raises:
        BlockingIOError: another process has it.
        OSError: the file system has no locks.
    """
    if fcntl is not None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    windows = _module("msvcrt")
    if windows is None:
        raise OSError("this system has no file locks that we know")
    try:
        windows.locking(fd, windows.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(error.errno, "locked by another process") from error


def sync_folder(path: Path) -> None:
    """Have the names in a folder outlive a power cut, as far as the system can promise that.

    Raises:
        OSError: the folder cannot be read.
    """
    if os.name == "nt":  # folders cannot be opened there; NTFS keeps its own journal of names
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def interface_request(sock: socket.socket, request: int, argument: bytes) -> bytes:
    """Ask the kernel about an interface (ioctl).

    Raises:
        OSError: it does not know, or there is no such question.
    """
    if fcntl is None:
        raise OSError("interfaces can be asked about on Linux only")
    return bytes(fcntl.ioctl(sock, request, argument))


def raise_socket_limit() -> None:
    """Allow as many open sockets as the system lets this process have."""
    if resource is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Meeting:
    """Where a child process without an inherited socket meets its owner: a UDP port of this machine and a secret.

    Messages stay whole, as in a pair of sockets. Loopback loses none while the owner reads: the buffer holds more
    than the child says in the time after which its owner counts it as dead.
    """

    def __init__(self) -> None:
        self._sock = _udp()
        self._secret = os.urandom(16).hex()
        host, port = self._sock.getsockname()
        self.name = f"{host}:{port}:{self._secret}"
        """What the child is told."""

    def child(self) -> socket.socket:
        """The link, once the child has come; nobody else can speak on it.

        Raises:
            OSError: it did not come.
        """
        self._sock.settimeout(_LINK_PATIENCE_S)
        while True:
            said, where = self._sock.recvfrom(256)
            if said == self._secret.encode():
                self._sock.connect(where)
                self._sock.send(said)
                self._sock.setblocking(False)
                return self._sock

    def close(self) -> None:
        """Give up."""
        self._sock.close()


def owner(name: str) -> socket.socket:
    """The link to the owner, at the child: an inherited socket by its number, or the `Meeting` that is named.

    Raises:
        OSError: the owner is not there.
    """
    if ":" not in name:
        return socket.socket(fileno=int(name))
    host, port, secret = name.split(":")
    sock = _udp()
    with _closed_on_error(sock):
        sock.connect((host, int(port)))
        sock.settimeout(_LINK_PATIENCE_S)
        sock.send(secret.encode())
        if sock.recv(256) != secret.encode():
            raise ConnectionRefusedError("another answers in the owner's place")
    return sock


def _udp() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with _closed_on_error(sock):
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, _LINK_BUFFER)
        sock.bind(("127.0.0.1", 0))
    return sock


@contextlib.contextmanager
def _closed_on_error(sock: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        sock.close()
        raise
