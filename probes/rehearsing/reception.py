"""The reflector's part in rehearsals: the door, a socket for each session, and the process that serves them."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from probes.child_process import command, environment
from probes.rehearsing.door import Door
from probes.rehearsing.flow import prepared
from probes.rehearsing.responder_process import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from probes.rehearsing.door import Terms

STOP_S: Final = 3.0
_LONGEST: Final = 4096

Peer = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A session to be: its terms, whose, and the packed address of ours that was asked."""

    terms: Terms
    peer: Peer
    asked: bytes


class Reception:
    """Admits sessions and hands them over. Belongs to the reflector's thread.

    Raises:
        OSError: the serving process cannot be started.
    """

    def __init__(self, capacity_bps: float) -> None:
        self.door = Door(capacity_bps)
        self.is_dead = False
        self._link: socket.socket
        self._process: subprocess.Popen[bytes]
        self._start()

    def fileno(self) -> int:
        """For epoll: the process has something to say."""
        return self._link.fileno()

    def knock(self, data: bytes, source: bytes, keys: Mapping[int, bytes]) -> tuple[bytes, Terms | None]:
        """The answer to a packet, if any, and the session that it began, if one."""
        knocked = self.door.knock(data, source, keys, time.monotonic_ns())
        return knocked.reply, knocked.admitted

    def socket_for(self, admitted: Admitted, listening: socket.socket) -> socket.socket:
        """A socket of the address that was asked, connected to one peer: the kernel gives it what comes from there.

        Between bind and connect it may get what is meant for the listening one: the caller answers that.

        Raises:
            OSError: there is no socket to be had.
        """
        sock = socket.socket(listening.family, socket.SOCK_DGRAM)
        try:
            local = (socket.inet_ntop(sock.family, admitted.asked), *listening.getsockname()[1:])
            prepared(sock)
            for each in (
                listening,
                sock,
            ):  # only for the moment of binding: no other program can share the port
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(local)
                sock.connect(admitted.peer)
            finally:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        except OSError:
            sock.close()
            raise
        return sock

    def hand_over(self, admitted: Admitted, sock: socket.socket) -> None:
        """Have the process serve it; ours may be closed then.

        Raises:
            OSError: the process does not listen.
        """
        message = msgspec.json.encode(admitted.terms)
        socket.send_fds(self._link, [message], [sock.fileno()], socket.MSG_DONTWAIT)

    def give_up(self, admitted: Admitted) -> None:
        """There will be no session after all."""
        self.door.release(admitted.terms.token, 0, time.monotonic_ns())

    def hear(self) -> None:
        """Take in which sessions are over; start the process again if it has died."""
        while True:
            try:
                data = self._link.recv(_LONGEST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                break
            ended = msgspec.json.decode(data, type=Ended)
            self.door.release(ended.token, ended.octets_sent, time.monotonic_ns())
        self.is_dead = True

    def start_again(self) -> None:
        """After `is_dead`.

        Raises:
            OSError: it cannot be started.
        """
        self.close()
        self._start()

    def close(self) -> None:
        """End the process."""
        self._link.close()  # without an owner it ends by itself
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self.is_dead = False
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command("probes.rehearsing.responder_process", str(theirs.fileno())),
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=environment(),
                )
            except OSError:
                self._link.close()
                raise
