"""The truth: when echoes and their replies passed the loopback interface, by the kernel's own stamps (AF_PACKET, SO_TIMESTAMPNS)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Final, Self

SO_TIMESTAMPNS: Final = 35
ETH_P_IP: Final = 0x0800
PACKET_OUTGOING: Final = 4
_ETHERNET: Final = 14
_STAMP: Final = struct.Struct("qq")


class Wire:
    """Listens on `lo`; `round_trips_ns` are those of echoes to 127.0.0.0/8 that were answered."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
        self._sock.bind(("lo", ETH_P_IP))
        self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._sock.settimeout(0.2)
        self._ending = threading.Event()
        self._asked: dict[tuple[bytes, bytes], int] = {}
        self.round_trips_ns: list[int] = []
        self._thread = threading.Thread(target=self._listen, name="wire")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._sock.close()

    def _listen(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                frame, ancillary, _, where = self._sock.recvmsg(256, 64)
                if where[2] != PACKET_OUTGOING and ancillary:
                    self._note(frame[_ETHERNET:], ancillary[0][2])

    def _note(self, packet: bytes, stamp: bytes) -> None:
        header = (packet[0] & 15) * 4
        if (
            packet[9] != socket.IPPROTO_ICMP or packet[16] != 127 or not (packet[18] or packet[14])
        ):  # 127.0.0.x is others'
            return
        kind, mark = packet[header], packet[header + 4 : header + 8]
        seconds, ns = _STAMP.unpack(stamp[: _STAMP.size])
        at_ns = seconds * 10**9 + ns
        if kind == 8:
            self._asked[packet[16:20], mark] = at_ns
        elif kind == 0 and (asked_ns := self._asked.pop((packet[12:16], mark), None)) is not None:
            self.round_trips_ns.append(at_ns - asked_ns)
