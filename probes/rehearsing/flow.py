"""One end of a rehearsal's traffic: a connected socket that sends a load by its plan and takes in the other end's."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.kernel.datagram_batch import DatagramBatch
from probes.kernel.kernel_stamps import (
    CMSG_DATA,
    SO_RXQ_OVFL,
    SO_TIMESTAMPNS,
    TIMESPEC,
    control_messages,
    enable_drop_counter,
    enable_receive_stamps,
)
from probes.kernel.steady_time import SteadyTime, Translated
from probes.rehearsing.arrivals import Arrivals, Arrived
from probes.rehearsing.shape import packets
from probes.rehearsing.wire import CONTROL, HEADER, IP_UDP, MAGIC, Control, Kind, pack, unpack
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from probes.rehearsing.shape import Packets

SLOTS: Final = 64
OCTETS: Final = 2048
_ANCILLARY: Final = 96
ROUNDS: Final = 8
"""Batches a tick, so that one flow does not starve the others."""
BUFFER: Final = 4 << 20
_NOTHING: Final = packets(0.0, 1.0, 0.0)
_DATA: Final = np.dtype({
    "names": ["magic", "kind", "step", "token", "sent_ns", "number"],
    "formats": [">u4", "u1", "u1", ">u8", ">i8", ">u4"],
    "offsets": [0, 4, 5, 16, 24, 32],
    "itemsize": HEADER.size,
})  # fmt: skip
_STAMP: Final = np.dtype({
    "names": ["level", "kind", "seconds", "ns"],
    "formats": ["=i4", "=i4", "=i8", "=i8"],
    "offsets": [CMSG_DATA - 8, CMSG_DATA - 4, CMSG_DATA, CMSG_DATA + 8],
    "itemsize": CMSG_DATA + TIMESPEC.size,
})  # fmt: skip
_MAGIC: Final = int.from_bytes(MAGIC)
_USUAL: Final = socket.CMSG_SPACE(TIMESPEC.size)


class Flow:
    """One session's socket at one end. `tick` does all the work, a few hundred times a second."""

    def __init__(
        self, sock: socket.socket, key: bytes, ssid: int, heard: Callable[[Control, int], None]
    ) -> None:
        """`heard(packet, received_ns)` is told of every signed packet."""
        self.sock = sock
        self.ssid = ssid
        self.token = 0
        self._key = key
        self._heard = heard
        self.time = SteadyTime()
        """What packets are stamped with, both ways: a clock that is set in mid-run moves no delay."""
        self._batch = DatagramBatch(SLOTS, OCTETS, _ANCILLARY)
        self._heads = np.lib.stride_tricks.as_strided(
            self._batch.data.reshape(-1)[: HEADER.size].view(_DATA),
            (SLOTS,),
            (OCTETS,),
        )
        self._stamps = np.lib.stride_tricks.as_strided(
            self._batch.control.reshape(-1)[: _STAMP.itemsize].view(_STAMP), (SLOTS,), (_ANCILLARY,)
        )
        self._out = bytearray(OCTETS)
        self.step = 0
        self.planned: Packets = _NOTHING
        self.sent = 0
        self._at: list[int] = []
        self._sizes: list[int] = []
        self._began_ns = 0
        self.late_ns = 0
        """The worst of the running load: how long after its time a packet left."""
        self.arrivals = Arrivals()
        self.dropped = 0
        """Datagrams that the kernel dropped at this socket since the beginning."""
        self.refused = 0
        self.octets_sent = 0
        self.octets_received = 0

    def expect(self, step: int) -> None:
        """Count what arrives of this step from now on, and send nothing yet."""
        self.step, self.arrivals = step, Arrivals()
        self.load(_NOTHING)

    def load(self, plan: Packets) -> None:
        """Send this from now on."""
        self.planned, self.sent, self.late_ns = plan, 0, 0
        self._at, self._sizes = plan.at_ns.tolist(), plan.octets.tolist()
        self._began_ns = time.monotonic_ns()

    def hush(self) -> None:
        """Send no more of the load; what was sent stays counted."""
        self._at = self._at[: self.sent]

    def say(self, kind: Kind, body: bytes = b"", number: int = 0, step: int | None = None) -> None:
        """Send a signed packet; what the kernel does not take is lost, as on any line."""
        packet = Control(
            kind, self.step if step is None else step, self.ssid, self.token, self.time.now_ns(), number, body
        )
        self._send(pack(self._key, packet))

    def tick(self) -> None:
        """Send what is due, take in what has come."""
        self._send_due()
        for _ in range(ROUNDS):
            try:
                got = self._batch.receive(self.sock.fileno())
            except OSError:  # an ICMP error: nobody listens there
                self.refused += 1
                continue
            self.time.look(emptied=got < SLOTS)
            if got:
                self._take(got)
                self._batch.clear(got)
            if got < SLOTS:
                return

    def close(self) -> None:
        """Give the socket back."""
        self.sock.close()

    def _send(self, data: bytes | memoryview) -> bool:
        try:
            self.octets_sent += self.sock.send(data) + IP_UDP
        except BlockingIOError:
            return False
        except OSError:
            self.refused += 1
        return True

    def _send_due(self) -> None:
        """Packets of the load whose time has come; T1 is taken as each leaves, so lateness is no delay."""
        since_ns = time.monotonic_ns() - self._began_ns
        at, out = self._at, self._out
        while self.sent < len(at) and at[self.sent] <= since_ns:
            late = since_ns - at[self.sent]
            self.late_ns = max(self.late_ns, late)
            head = (MAGIC, Kind.DATA, self.step, 0, 0, self.ssid, self.token, self.time.now_ns(), self.sent)
            HEADER.pack_into(out, 0, *head)
            if not self._send(memoryview(out)[: self._sizes[self.sent] - IP_UDP]):
                return
            self.sent += 1

    def _take(self, got: int) -> None:
        heads, lengths = self._heads[:got], self._batch.lengths[:got].astype(np.int64)
        received_ns, sure = self._received_ns(got)
        self.octets_received += int(lengths.sum()) + IP_UDP * got
        ours = (heads["magic"] == _MAGIC) & (lengths >= HEADER.size)
        data = ours & (heads["kind"] == Kind.DATA) & (heads["token"] == self.token)
        data &= heads["step"] == self.step
        if data.any():
            one = heads[data]
            self.arrivals.add(
                Arrived(
                    one["number"].astype(np.int64),
                    one["sent_ns"].astype(np.int64),
                    received_ns[data],
                    lengths[data] + IP_UDP,
                    sure[data],
                )
            )
        for slot in np.flatnonzero(ours & (lengths == CONTROL) & (heads["kind"] != Kind.DATA)).tolist():
            packet = unpack(self._key, bytes(self._batch.data[slot, :CONTROL]))
            if packet is not None and packet.ssid == self.ssid:
                self._heard(packet, int(received_ns[slot]) if sure[slot] else self.time.now_ns())

    def _received_ns(self, got: int) -> Translated:
        """Kernel stamps of a batch, in our time; the time now for those without one."""
        stamps = self._stamps[:got]
        received = stamps["seconds"] * SECOND_NS + stamps["ns"]
        known = (stamps["kind"] == SO_TIMESTAMPNS) & (stamps["level"] == socket.SOL_SOCKET)
        if not known.all() or (self._batch.control_lengths[:got] > _USUAL).any():
            for slot in range(got):
                self._look_closer(slot, received, known)
        at_ns, sure = self.time.of_stamps(received)
        return Translated(np.where(known, at_ns, self.time.now_ns()), sure | ~known)

    def _look_closer(self, slot: int, received: NDArray[np.int64], known: NDArray[np.bool_]) -> None:
        size = min(int(self._batch.control_lengths[slot]), _ANCILLARY)
        for level, kind, data in control_messages(self._batch.control[slot, :size].data):
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, ns = TIMESPEC.unpack_from(data)
                received[slot], known[slot] = seconds * SECOND_NS + ns, True
            elif (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                self.dropped = max(self.dropped, int.from_bytes(data[:4], "little"))


def prepared(sock: socket.socket) -> socket.socket:
    """A socket ready for a flow: stamps, a count of drops, room for a burst, never blocking."""
    enable_receive_stamps(sock)
    enable_drop_counter(sock)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    sock.setblocking(False)
    return sock


def connected(host: str, port: int) -> socket.socket:
    """A socket to the headquarters' reflector.

    Raises:
        OSError: the name is not known, or there is no way there.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        prepared(sock).connect(address)
    except OSError:
        sock.close()
        raise
    return sock
