"""Telling everybody who looks: frames are made once, each viewer has a bounded queue.

A viewer that falls behind loses its queue and is given the whole picture instead; so is one that comes back
with an event id that is no longer remembered. Memory is bounded by viewers × queue, of frames that they share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from secrets import token_hex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_QUEUE: Final = 64
_HISTORY: Final = 512


def frame(event: str, data: bytes, event_id: str = "") -> bytes:
    """One server-sent event (WHATWG HTML 9.2); `data` holds no line break."""
    head = f"id: {event_id}\n" if event_id else ""
    return head.encode() + b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"


class Viewer:
    """One open page's queue."""

    def __init__(self, whole: Callable[[], bytes]) -> None:
        self._whole = whole
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._behind = False
        self._closed = False

    def offer(self, made: bytes) -> bool:
        """Queue a frame; False when the viewer was too slow and will get the whole picture instead."""
        self._wake.set()
        if self._behind:
            return False
        if len(self._frames) >= _QUEUE:
            self.restart()
            return False
        self._frames.append(made)
        return True

    def restart(self) -> None:
        """Give the whole picture next."""
        self._frames.clear()
        self._behind = True
        self._wake.set()

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        self._wake.set()

    async def take(self) -> bytes | None:
        """The next bytes to send, all that wait in one piece; None at the end."""
        await self._wake.wait()
        self._wake.clear()
        if self._closed:
            return None
        if self._behind:
            self._behind = False
            return self._whole()
        waiting = b"".join(self._frames)
        self._frames.clear()
        return waiting


class Broadcast:
    """Numbered changes for all viewers. Only the event loop's thread may call it."""

    def __init__(self, whole: Callable[[], bytes]) -> None:
        self._whole = whole
        self._token = token_hex(4)
        self._number = 0
        self._history: deque[bytes] = deque(maxlen=_HISTORY)
        self._viewers: set[Viewer] = set()
        self._closed = False
        self.restarts = 0
        """Times that a viewer was too slow or came back too late and got the whole picture."""

    @property
    def event_id(self) -> str:
        """Id of the last change."""
        return f"{self._token}-{self._number}"

    @property
    def viewers(self) -> int:
        """Pages that are open."""
        return len(self._viewers)

    def join(self, last_event_id: str) -> Viewer:
        """A new viewer that has seen everything up to an event; it gets what it missed, or the whole picture."""
        viewer = Viewer(self._whole)
        missed = self._missed(last_event_id)
        if missed is None:
            self.restarts += 1
            viewer.restart()
        else:
            for made in missed:
                viewer.offer(made)
        if self._closed:
            viewer.close()
        self._viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """The viewer is gone."""
        self._viewers.discard(viewer)

    def publish(self, event: str, data: bytes) -> None:
        """Number a change, remember it and queue it for everybody."""
        self._number += 1
        made = frame(event, data, self.event_id)
        self._history.append(made)
        self._offer(made)

    def beat(self, data: bytes) -> None:
        """Say that we are alive; not numbered, not remembered."""
        self._offer(frame("beat", data))

    def restart_all(self) -> None:
        """What everybody sees is of another configuration: all get the whole picture."""
        self._number += 1
        self._history.clear()
        for viewer in self._viewers:
            viewer.restart()

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._closed = True
        for viewer in self._viewers:
            viewer.close()

    def _offer(self, made: bytes) -> None:
        for viewer in self._viewers:
            if not viewer.offer(made):
                self.restarts += 1

    def _missed(self, last_event_id: str) -> list[bytes] | None:
        token, _, number = last_event_id.partition("-")
        if token != self._token or not number.isdecimal():
            return None
        behind = self._number - int(number)
        if not 0 <= behind <= min(len(self._history), _QUEUE):
            return None
        return list(self._history)[len(self._history) - behind :]
