"""STAMP packets, unauthenticated mode (RFC 8762 4.2.1 and 4.3.1, with the SSID of RFC 8972).

Session-Sender                                  Session-Reflector
 0                   1                   2       0                   1                   2
+-------------------------------+               +-------------------------------+
|  Sequence Number              |  0            |  Sequence Number (its own)    |  0
+-------------------------------+               +-------------------------------+
|  Timestamp T1                 |  4            |  Timestamp T3                 |  4
|                               |               |                               |
+---------------+---------------+               +---------------+---------------+
| Error Estimate|     SSID      | 12            | Error Estimate|     SSID      | 12
+---------------+---------------+               +---------------+---------------+
|  MBZ (28 octets)              | 16            |  Receive Timestamp T2         | 16
|                               |               |                               |
|                               |               +-------------------------------+
|                               |               |  Session-Sender Sequence      | 24
|                               |               +-------------------------------+
|                               |               |  Session-Sender Timestamp T1  | 28
|                               |               |                               |
|                               |               +---------------+---------------+
|                               |               | Sender Error  |      MBZ      | 36
|                               |               +-------+-------+---------------+
|                               |               |  TTL  |         MBZ           | 40
+-------------------------------+               +-------+-----------------------+
|  TLVs (RFC 8972) or padding   | 44            |  as received                  | 44
+-------------------------------+               +-------------------------------+

Network order throughout. The authenticated mode puts the same fields into a base of 112 octets: `stamp_auth`.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

BASE: Final = 44
TWAMP_SENDER_MIN: Final = 14
"""Sequence, time stamp, error estimate: the least a TWAMP-Test sender sends (RFC 5357 4.1.2). Less is no test packet."""
TWAMP_REFLECTOR_MIN: Final = 41
"""A reply up to and with the sender's TTL (RFC 5357 4.2.1)."""
DEFAULT_PORT: Final = 862
MULTIPLIER_MASK: Final = 0x00FF
PTP_FLAG: Final = 0x4000

SENDER: Final = struct.Struct("!IQHH28x")
SENDER_HEAD: Final = struct.Struct("!IQ")
"""The part of a sender's packet that changes from packet to packet."""
REQUEST: Final = struct.Struct("!IQHH")
"""What a reflector reads: sequence, T1, error estimate, SSID."""
REFLECTOR: Final = struct.Struct("!IQHHQIQHHBBBB")


class SenderPacket(NamedTuple):
    """A Session-Sender's test packet. `timestamp` is the 64-bit field as it stands on the wire."""

    sequence: int
    timestamp: int
    error_estimate: int
    ssid: int = 0

    def pack(self, trailer: bytes = b"") -> bytes:
        """The base packet and what follows it (TLVs, padding)."""
        return SENDER.pack(self.sequence, self.timestamp, self.error_estimate, self.ssid) + trailer

    @classmethod
    def parse(cls, data: bytes) -> SenderPacket:
        """Read a request of at least 14 octets; one without room for an SSID has 0.

        Raises:
            ValueError: too short to be a test packet.
        """
        if len(data) < TWAMP_SENDER_MIN:
            raise ValueError(
                f"{len(data)} octets are no STAMP request: at least {TWAMP_SENDER_MIN} are needed"
            )
        return cls(*REQUEST.unpack_from(data[: REQUEST.size].ljust(REQUEST.size, b"\0")))


class ReflectorPacket(NamedTuple):
    """A Session-Reflector's reply. Time stamps are the 64-bit fields as they stand on the wire."""

    sequence: int
    timestamp: int
    error_estimate: int
    ssid: int
    receive_timestamp: int
    sender_sequence: int
    sender_timestamp: int
    sender_error_estimate: int
    sender_ttl: int

    def pack(self, trailer: bytes = b"") -> bytes:
        """The base packet and what follows it."""
        base = REFLECTOR.pack(
            self.sequence, self.timestamp, self.error_estimate, self.ssid, self.receive_timestamp,
            self.sender_sequence, self.sender_timestamp, self.sender_error_estimate, 0, self.sender_ttl, 0, 0, 0,
        )  # fmt: skip
        return base + trailer

    @classmethod
    def parse(cls, data: bytes) -> ReflectorPacket:
        """Read a reply of at least 41 octets (TWAMP reflectors leave out the last three).

        Raises:
            ValueError: too short to be a reply.
        """
        if len(data) < TWAMP_REFLECTOR_MIN:
            raise ValueError(
                f"{len(data)} octets are no STAMP reply: at least {TWAMP_REFLECTOR_MIN} are needed"
            )
        f = REFLECTOR.unpack_from(data[:BASE].ljust(BASE, b"\0"))
        return cls(f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], sender_ttl=f[9])


def reflect(  # noqa: PLR0913 - as many as the packet has fields of the reflector's own
    request: SenderPacket, *, sequence: int, received_at: int, sent_at: int, error_estimate: int, ttl: int
) -> ReflectorPacket:
    """The reply to a request; `received_at` (T2) and `sent_at` (T3) are 64-bit fields. Stateless: `sequence` is the request's."""
    return ReflectorPacket(
        sequence, sent_at, error_estimate, request.ssid, received_at,
        request.sequence, request.timestamp, request.error_estimate, ttl,
    )  # fmt: skip
