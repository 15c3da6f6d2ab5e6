"""How long after T3 was taken the kernel takes the reply, learned from the kernel's own send stamps of a few replies.

T3 stands in the reply, so it must be taken before the reply is sent: it is early by what is left to do then, packing the reply
and the way through the kernel to the device's queue. That much every round trip would come out too long (17 µs where this
was written), and by another amount on every machine. So now and then the kernel is asked when a reply really reached the
device (SOF_TIMESTAMPING_TX_SCHED, the moment at which probes take T1), and T3 is set ahead by the median of the last answers.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from typing import Final

from probes.kernel.kernel_stamps import SO_TIMESTAMPING, TIMESPEC, disable_send_stamps, enable_send_stamps

EVERY_NS: Final = 100_000_000
"""Asked no more often than this, once enough is known: the question costs three system calls."""
KEPT: Final = 15
PLAUSIBLE_NS: Final = 1_000_000
"""Anything longer, or below nothing, says that the process was interrupted or the clock was set, not how long sending takes."""
_ERROR_OCTETS: Final = 256
_MOST_WAITING: Final = 64


class SendLag:
    """The lag of the replies of one socket, which must not block; without send stamps from the kernel it stays 0."""

    def __init__(self) -> None:
        self.ns = 0
        self._recent: deque[int] = deque(maxlen=KEPT)
        self._due_ns = 0
        self._refused = False
        self._is_owed = False
        """A stamp that was asked for has not come yet: where the packet waits for its neighbour's address, say."""

    def is_due(self, now_ns: int) -> bool:
        """Whether the next reply should be looked at; `now_ns` is monotonic."""
        return now_ns >= self._due_ns and not self._refused

    def ask(self, sock: socket.socket, now_ns: int) -> None:
        """Have the kernel stamp what is sent from here on."""
        self._due_ns = now_ns + (EVERY_NS if len(self._recent) == KEPT else 0)
        drain(sock)
        self._refused = not enable_send_stamps(sock)

    def learn(self, sock: socket.socket, taken_ns: int) -> None:
        """Take in when the one reply sent since `ask` left, of which the clock was read at `taken_ns` (real time)."""
        left_ns = drain(sock)
        disable_send_stamps(sock)
        self._is_owed = left_ns is None and not self._refused
        if left_ns is None:
            return
        lag_ns = left_ns - taken_ns
        if 0 <= lag_ns <= PLAUSIBLE_NS:
            self._recent.append(lag_ns)
            self.ns = sorted(self._recent)[len(self._recent) // 2]

    def calm(self, sock: socket.socket) -> None:
        """To be called when the socket was ready and nothing was there to read: take in a stamp that came late."""
        if self._is_owed:
            self._is_owed = drain(sock) is None


def drain(sock: socket.socket) -> int | None:
    """Empty the error queue, which would otherwise wake its owner for ever; the first send stamp in it."""
    first = None
    with contextlib.suppress(OSError):
        for _ in range(_MOST_WAITING):
            _, beside, _, _ = sock.recvmsg(1, _ERROR_OCTETS, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            stamp = _stamp_ns(beside)
            first = stamp if first is None else first
    return first


def _stamp_ns(beside: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
            seconds, ns = TIMESPEC.unpack_from(data)
            return int(seconds * 1_000_000_000 + ns) or None
    return None
