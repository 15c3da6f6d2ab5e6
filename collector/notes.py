"""What the members tell their leader: of which probes they have committed something, so that it says `stored` to them.

One datagram socket of the leader's in the data folder. A note that finds nobody stays with its sender, which tries
again; a leader that dies with notes in hand owes their probes a `stored`, which they get when they send again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SOCKET: Final = "collector-notes.sock"
AT_ONCE: Final = 200
"""Probes in one datagram: at most about 45 kB with the longest names."""
_MAX_BYTES: Final = 1 << 17
_BURST: Final = 50

Note = tuple[str, str, str]
"""Site, probe, epoch."""
_decoder = msgspec.json.Decoder(list[Note])


class NoteBox:
    """The leader's end."""

    def __init__(self, folder: Path, take: Callable[[list[Note]], None]) -> None:
        """Listen in place of whoever did before.

        Raises:
            OSError: the folder cannot be written.
        """
        self._take = take
        self.garbled = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with _near(folder) as path, contextlib.ExitStack() as undo:
            undo.callback(self._socket.close)
            with contextlib.suppress(FileNotFoundError):
                (folder / SOCKET).unlink()
            self._socket.bind(path)
            (folder / SOCKET).chmod(0o600)
            undo.pop_all()
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Listen no more; the next leader puts its own socket here."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_BURST):
            try:
                data = self._socket.recv(_MAX_BYTES)
            except BlockingIOError:
                return
            try:
                self._take(_decoder.decode(data))
            except msgspec.MsgspecError:
                self.garbled += 1


class NotePad:
    """A member's end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._box: int | None = None
        self._socket: socket.socket | None = None

    def is_new(self) -> bool:
        """Whether another leader listens than when last asked: it knows nothing of what the one before was told."""
        try:
            box = (self._folder / SOCKET).stat().st_ino
        except FileNotFoundError:
            return False
        before, self._box = self._box, box
        return before != box

    def send(self, notes: Sequence[Note]) -> int:
        """Tell the leader; how many of the notes, from the first on, it has been told."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        with _near(self._folder) as path:
            for start in range(0, len(notes), AT_ONCE):
                try:
                    self._socket.sendto(msgspec.json.encode(notes[start : start + AT_ONCE]), path)
                except OSError:  # nobody there yet, or its box is full
                    return start
        return len(notes)

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()


@contextlib.contextmanager
def _near(folder: Path) -> Iterator[str]:
    """A path to the socket that is short enough (108 bytes at most), however deep the folder lies."""
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{SOCKET}"
    finally:
        os.close(fd)
