"""The measuring process's end of the socket pair: never blocks, bounded, counts what it has to drop."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

LIMIT: Final = 32 << 20
"""Octets kept for an owner that does not read: about 45 s of 112 sessions at 50 packets/s."""


class Outlet:
    """Messages that wait for the owner to read. Records may be dropped, what is said about them may not."""

    def __init__(self, sock: socket.socket, limit: int = LIMIT) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._limit = limit
        self._waiting: deque[tuple[bytes, int | None]] = deque()
        self._octets = 0
        self.dropped = 0
        """Messages dropped since `forget_damage`."""
        self._damaged: tuple[int, int] | None = None

    def put(self, message: bytes, frame: int | None = None) -> None:
        """Queue a message; one of records names the frame that it was made in."""
        self._waiting.append((message, frame))
        self._octets += len(message)
        if self._octets > self._limit:
            self._drop_records()

    def _drop_records(self) -> None:
        frames = [frame for _, frame in self._waiting if frame is not None]
        self.dropped += len(frames)
        first, last = self._damaged or (min(frames), max(frames))
        # A reply belongs to the frame of its request, which may have been the one before.
        self._damaged = min(first, min(frames) - 1), max(last, *frames)
        self._waiting = deque(entry for entry in self._waiting if entry[1] is None)
        self._octets = sum(len(message) for message, _ in self._waiting)

    @property
    def damaged(self) -> tuple[int, int] | None:
        """First and last frame that lost records and are not yet owned up to."""
        return self._damaged

    def forget_damage(self) -> None:
        """The owner has been told, or will be by a message in the queue."""
        self._damaged, self.dropped = None, 0

    def flush(self) -> bool:
        """Send what the owner has room for; False when messages still wait.

        Raises:
            ConnectionError: the owner is gone.
        """
        while self._waiting:
            message, _ = self._waiting[0]
            try:
                self._sock.send(message)
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as error:
                if isinstance(error, ConnectionError):
                    raise
                return False  # ENOBUFS: the system is out of buffers for now
            self._waiting.popleft()
            self._octets -= len(message)
        return True
