"""The end of a connection: say the last word, and let the broker hang up.

A socket that is closed at once resets the line when the broker's next PUBACK comes. A broker that cannot write then
reads no further: it never comes to our DISCONNECT, and sends the will of a probe that left on purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HANG_UP_S: Final = 2.0
"""So long the broker has to read what is still on its way, and to hang up."""
_UNREAD_BYTES: Final = 65_536


async def say_goodbye(
    sock: socket.socket, say: Callable[[], object], said: Callable[[], Awaitable[object]]
) -> None:
    """Say the last word on a socket, and wait until the other side has hung up, 2 s at most. Raises nothing.

    Args:
        sock: of which a second handle is held meanwhile, for paho closes its own with its DISCONNECT.
        say: puts the last word on its way.
        said: waits until it is out. Until then what comes in is its owner's to read, afterwards nobody's.
    """
    with (
        contextlib.suppress(TimeoutError, OSError),
        socket.fromfd(sock.fileno(), sock.family, sock.type) as line,
    ):
        line.setblocking(False)
        async with asyncio.timeout(HANG_UP_S):
            say()
            await said()
            while await asyncio.get_running_loop().sock_recv(line, _UNREAD_BYTES):
                continue
