"""STAMP packets, authenticated mode (RFC 8762 4.2.2, 4.3.2, 4.4): the same fields in a base of 112 octets, with an HMAC.

Session-Sender                                  Session-Reflector
+-------------------------------+               +-------------------------------+
|  Sequence Number              |  0            |  Sequence Number (its own)    |  0
+-------------------------------+               +-------------------------------+
|  MBZ (12 octets)              |  4            |  MBZ (12 octets)              |  4
+-------------------------------+               +-------------------------------+
|  Timestamp T1                 | 16            |  Timestamp T3                 | 16
+---------------+---------------+               +---------------+---------------+
| Error Estimate|     SSID      | 24            | Error Estimate|     SSID      | 24
+---------------+---------------+               +---------------+---------------+
|  MBZ (68 octets)              | 28            |  MBZ (4 octets)               | 28
|                               |               +-------------------------------+
|                               |               |  Receive Timestamp T2         | 32
|                               |               +-------------------------------+
|                               |               |  MBZ (8 octets)               | 40
|                               |               +-------------------------------+
|                               |               |  Session-Sender Sequence      | 48
|                               |               +-------------------------------+
|                               |               |  MBZ (12 octets)              | 52
|                               |               +-------------------------------+
|                               |               |  Session-Sender Timestamp T1  | 64
|                               |               +---------------+---------------+
|                               |               | Sender Error  |  MBZ (6)      | 72
|                               |               +-------+-------+---------------+
|                               |               |  TTL  |  MBZ (15 octets)      | 80
+-------------------------------+               +-------+-----------------------+
|  HMAC (16 octets)             | 96            |  HMAC (16 octets)             | 96
+-------------------------------+               +-------------------------------+
|  TLVs                         | 112           |  TLVs                         | 112

The HMAC is HMAC-SHA-256, its first 16 octets, over octets 0 to 95. It is checked before any field is believed.
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, Final

from probes.stamp.packets import ReflectorPacket, SenderPacket

if TYPE_CHECKING:
    from types import ModuleType

BASE: Final = 112
SIGNED: Final = 96
MAC: Final = 16
SENDER: Final = struct.Struct("!I12xQHH68x")
REFLECTOR: Final = struct.Struct("!I12xQHH4xQ8xI12xQH6xB15x")


class NotAuthenticError(ValueError):
    """The HMAC is not that of the octets before it under this key, or there is no room for one."""


@functools.cache
def _hmac() -> ModuleType:
    """Python's `hmac`, when there is something to sign: it brings OpenSSL, which an office without keys need not hold."""
    import hmac  # noqa: PLC0415

    return hmac


def truncated_mac(key: bytes, data: bytes | bytearray | memoryview) -> bytes:
    """HMAC-SHA-256-128 (RFC 4868): the first 16 octets."""
    digest: bytes = _hmac().digest(key, data, "sha256")
    return digest[:MAC]


def is_authentic(key: bytes, base: bytes | memoryview) -> bool:
    """Whether the 112 octets of a base packet were signed with this key; takes the same time for every wrong one."""
    return bool(_hmac().compare_digest(truncated_mac(key, base[:SIGNED]), base[SIGNED:BASE]))


def pack_request(packet: SenderPacket, key: bytes, trailer: bytes = b"") -> bytes:
    """A sender's signed packet and what follows it (TLVs, signed by a TLV of their own)."""
    return _signed(
        SENDER.pack(packet.sequence, packet.timestamp, packet.error_estimate, packet.ssid), key, trailer
    )


def parse_request(data: bytes, key: bytes) -> SenderPacket:
    """Read a sender's packet.

    Raises:
        NotAuthenticError: it is shorter than 112 octets, or was not signed with this key.
    """
    return SenderPacket(*SENDER.unpack(_checked(data, key)))


def pack_reply(packet: ReflectorPacket, key: bytes, trailer: bytes = b"") -> bytes:
    """A reflector's signed reply."""
    body = REFLECTOR.pack(
        packet.sequence, packet.timestamp, packet.error_estimate, packet.ssid, packet.receive_timestamp,
        packet.sender_sequence, packet.sender_timestamp, packet.sender_error_estimate, packet.sender_ttl,
    )  # fmt: skip
    return _signed(body, key, trailer)


def parse_reply(data: bytes, key: bytes) -> ReflectorPacket:
    """Read a reflector's reply.

    Raises:
        NotAuthenticError: it is shorter than 112 octets, or was not signed with this key.
    """
    return ReflectorPacket(*REFLECTOR.unpack(_checked(data, key)))


def _signed(body: bytes, key: bytes, trailer: bytes) -> bytes:
    return body + truncated_mac(key, body) + trailer


def _checked(data: bytes, key: bytes) -> bytes:
    if len(data) < BASE:
        raise NotAuthenticError(
            f"{len(data)} octets are no authenticated STAMP packet: at least {BASE} are needed"
        )
    if not is_authentic(key, data[:BASE]):
        raise NotAuthenticError("the HMAC is not that of this packet under this key")
    return data[:SIGNED]
