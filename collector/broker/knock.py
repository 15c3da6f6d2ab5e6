"""Whether a broker answers: one CONNECT, one CONNACK, on a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl

_CLEAN_START: Final = 0x02
_HAS_PASSWORD: Final = 0x40
_HAS_USER: Final = 0x80
_CONNACK: Final = 0x20


@dataclass(frozen=True, slots=True)
class Answered:
    """A broker is there and would have us."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A broker is there and refuses us, with MQTT 5's reason code."""

    reason: int


@dataclass(frozen=True, slots=True)
class NoBroker:
    """Nobody there, or nobody who speaks MQTT 5."""

    why: str


async def knock(  # noqa: PLR0913 - as whom, and how
    host: str,
    port: int,
    user: str = "",
    password: str = "",
    timeout_s: float = 3.0,
    *,
    tls: ssl.SSLContext | None = None,
) -> Answered | TurnedAway | NoBroker:
    """Connect to a broker as a client without a name, and leave."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            try:
                writer.write(_connect(user, password))
                head = await reader.readexactly(4)
            finally:
                writer.write(b"\xe0\x00")
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        return NoBroker(f"no answer within {timeout_s:g} s")
    except (OSError, asyncio.IncompleteReadError) as error:
        return NoBroker(str(error))
    if head[0] != _CONNACK:
        return NoBroker(f"it answers with byte 0x{head[0]:02x}, which is no CONNACK")
    return Answered() if head[3] == 0 else TurnedAway(head[3])


def _connect(user: str, password: str) -> bytes:
    """MQTT 5 CONNECT (3.1) with a clean start, no properties, keepalive 10 s and an empty client id."""
    flags = _CLEAN_START | (_HAS_USER | _HAS_PASSWORD if user else 0)
    body = _text("MQTT") + struct.pack("!BBHB", 5, flags, 10, 0) + _text("")
    if user:
        body += _text(user) + _text(password)
    length = len(body)
    head = bytearray([0x10])
    while True:
        length, low = divmod(length, 128)
        head.append(low | 0x80 if length else low)
        if not length:
            return bytes(head) + body


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw
