"""One test session in the measuring process: its socket, its packet, its place in the schedule."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from typing import TYPE_CHECKING, Final

from probes.kernel.kernel_stamps import enable_drop_counter, enable_dscp, enable_stamps, restart_send_numbers
from probes.kernel.system import MSG_DONTWAIT, MSG_ERRQUEUE
from probes.stamp.packets import PTP_FLAG, SENDER, SENDER_HEAD
from probes.stamp.stamp_auth import BASE as SIGNED_BASE
from probes.stamp.stamp_auth import SENDER as SIGNED_SENDER
from probes.stamp.stamp_auth import SIGNED, truncated_mac
from probes.stamp.stamp_tlv import (
    HEADER,
    MAC_SIZE,
    SERVICE_TLV,
    SIGNED_FACTS_AT,
    SIGNED_MAC_AT,
    signed_trailer,
    trailer,
)
from probes.stamp.timestamps import MASK32, NTP_EPOCH, SECOND_NS, TAI_UTC_SECONDS
from telemetry.sources import StampSource

if TYPE_CHECKING:
    from probes.measuring.measuring_messages import Open

RECEIVE_BUFFER: Final = 1 << 20
_SIGNED_HEAD: Final = struct.Struct("!I12xQ")


def connect(address: str, port: int, dscp: int = 0) -> socket.socket:
    """A UDP socket connected to a numeric address, so that the kernel lets only its datagrams in.

    `dscp` marks what it sends.

    Raises:
        OSError: there is no route, or no more sockets are to be had.
    """
    family, kind, protocol, _, target = socket.getaddrinfo(
        address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if dscp:
            _mark(sock, dscp)
        sock.connect(target)
    except OSError:
        sock.close()
        raise
    return sock


def _mark(sock: socket.socket, dscp: int) -> None:
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)


class SessionSender:
    """Sends the packets of one session. All times are monotonic, ns, except where said otherwise."""

    __slots__ = (
        "_mac_at", "_packet", "_send", "_sock", "_wary", "address", "dscp", "due_ns", "fileno", "heard_ns", "interval_ns",
        "key", "number", "port", "ptp", "retry_ns", "sequence", "stamp_base", "stamps", "trouble",
    )  # fmt: skip

    def __init__(self, order: Open, error_estimate: int) -> None:
        self.number = order.number
        self.address, self.port = order.address, order.port
        self.interval_ns = round(SECOND_NS / order.rate_pps)
        self.due_ns = 0
        self.sequence = order.first_sequence
        self.stamp_base = order.first_sequence
        """Sequence number of the packet whose send stamp the kernel numbers 0."""
        self.stamps = StampSource.NONE
        self.heard_ns = 0
        self.retry_ns = 0
        self.trouble = ""
        self._sock: socket.socket | None = None
        self.fileno = -1
        """-1 while there is no socket."""
        self._wary = False
        self.dscp = order.dscp
        """Of its packets; above 0 they ask with which one they arrived."""
        self.ptp = order.ptp
        self.key = order.key
        """Of the authenticated mode; empty: unauthenticated."""
        self._mac_at = SIGNED_MAC_AT + (SERVICE_TLV.size if order.dscp else 0)
        if order.key:
            base = SIGNED_SENDER.pack(0, 0, 0, order.ssid) + bytes(SIGNED_BASE - SIGNED)
            self._packet = bytearray(base + signed_trailer(order.payload, order.dscp))
        else:
            self._packet = bytearray(SENDER.pack(0, 0, 0, order.ssid) + trailer(order.payload, order.dscp))
        self.set_error_estimate(error_estimate)

    def open(self) -> None:
        """Get a socket.

        Raises:
            OSError: none can be had now.
        """
        sock = connect(self.address, self.port, self.dscp)
        self.stamps = enable_stamps(sock)
        enable_drop_counter(sock)
        if self.dscp:
            enable_dscp(sock)
        self._sock = sock
        self._send = sock.send
        self.fileno = sock.fileno()
        self.stamp_base = self.sequence

    def close(self) -> None:
        """Give the socket back."""
        if self._sock is not None:
            self._sock.close()
            self._sock, self.fileno = None, -1

    @property
    def sock(self) -> socket.socket:
        """The socket; only while `fileno` is one."""
        assert self._sock is not None
        return self._sock

    @property
    def source(self) -> str:
        """Our own address as the far end sees it from here; empty without a socket."""
        return "" if self._sock is None else str(self._sock.getsockname()[0])

    def set_error_estimate(self, value: int) -> None:
        """What further packets say of our clock."""
        at = 24 if self.key else 12
        self._packet[at : at + 2] = (value | PTP_FLAG if self.ptp else value).to_bytes(2, "big")

    def refused(self) -> None:
        """The far end refuses packets (ICMP): take the error off the socket before each send from now on."""
        self._wary = True

    def send(self, t1_ns: int) -> bool:
        """Send the next packet, stamped with real time `t1_ns`; False when the kernel would not.

        The sequence number is used up either way: a packet that cannot leave the office is lost, not unsent.
        """
        seconds, rest = divmod(t1_ns, SECOND_NS)
        if self.ptp:
            stamp = (seconds + TAI_UTC_SECONDS & MASK32) << 32 | rest
        else:
            stamp = (seconds + NTP_EPOCH & MASK32) << 32 | (rest << 32) // SECOND_NS
        if self.key:
            self._sign(stamp)
        else:
            SENDER_HEAD.pack_into(self._packet, 0, self.sequence & MASK32, stamp)
        self.sequence += 1
        if self._sock is None:
            return False
        if self._wary:
            self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            self._send(self._packet)
        except OSError as error:
            return self._again(error)
        return True

    def _sign(self, stamp: int) -> None:
        """Number, stamp and sign the packet, and its TLVs by their own HMAC (RFC 8762 4.4, RFC 8972 4.8)."""
        packet = self._packet
        _SIGNED_HEAD.pack_into(packet, 0, self.sequence & MASK32, stamp)
        packet[SIGNED:SIGNED_BASE] = truncated_mac(self.key, packet[:SIGNED])
        if len(packet) > SIGNED_BASE:
            at = self._mac_at
            mac = truncated_mac(self.key, packet[:4] + packet[SIGNED_FACTS_AT:at])
            packet[at + HEADER.size : at + HEADER.size + MAC_SIZE] = mac

    def _again(self, error: OSError) -> bool:
        """An error may stem from an earlier packet (ICMP): then this one deserves its own chance."""
        sent = False
        if error.errno == errno.ECONNREFUSED:
            self._wary = True
            try:
                self._send(self._packet)
                sent = True
            except OSError:
                sent = False
        self._renumber()
        return sent

    def _renumber(self) -> None:
        """Begin the numbers of send stamps anew, as the kernel may or may not have counted the failed send.

        Stamps that still wait in the error queue would get wrong numbers: they are thrown away.
        """
        if self._sock is not None and self.stamps is StampSource.KERNEL:
            self._discard_stamps(self._sock)
            restart_send_numbers(self._sock)
            self.stamp_base = self.sequence

    @staticmethod
    def _discard_stamps(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock.recvmsg(1, 1, MSG_ERRQUEUE | MSG_DONTWAIT)
