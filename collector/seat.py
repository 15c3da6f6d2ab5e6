"""The leader's seat: which of several collectors does what only one may do.

The leader holds a lock on a file and keeps writing into it how late it is by the clock that counts since the start of
the machine (`CLOCK_BOOTTIME`: no correction of the time of day moves it). Killed, the kernel frees the lock and the
next who looks takes the seat. Stopped or stuck, it stops writing: after `HUNG_S` another puts a new file in the
place of the old one. The old leader does not trust its seat for longer than `TRUST_S` after it last wrote, which is
less, so when it wakes up it knows by the clock alone that it may have lost it.

A lease in a table would do the same with a commit to the disk every second, and not while the disk is full.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEAT: Final = "collector-leader.lock"
HUNG_S: Final = 5.0
TRUST_S: Final = 3.0
_TIME: Final = struct.Struct("<Q")


def since_start_s() -> float:
    """Seconds since the machine started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Seat:
    """One collector's view of the seat. Look at it (`hold`) every half second."""

    def __init__(self, folder: Path, now_s: Callable[[], float] = since_start_s) -> None:
        self._path = folder / SEAT
        self._change = folder / f"{SEAT}-change"
        self._now_s = now_s
        self._fd: int | None = None
        self._wrote_s = 0.0
        self._suspect: tuple[int, bytes] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether we hold it and wrote so lately that nobody can have taken it from us."""
        return self._fd is not None and self._now_s() - self._wrote_s < TRUST_S

    def hold(self) -> bool:
        """Keep the seat, or take it when it is free or its holder is stuck; whether it is ours."""
        if self._fd is not None:
            return self._keep(self._fd)
        return self._take() or self._rob()

    def leave(self) -> None:
        """Let the next one have it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _keep(self, fd: int) -> bool:
        if self.is_ours and _is_at(fd, self._path):
            self._write(fd)
            return True
        with self._changing() as may_change:  # we were stuck: nobody may replace the file while we look
            if not may_change:
                return False
            if _is_at(fd, self._path):
                self._write(fd)
                return True
        self.leave()
        return False

    def _take(self) -> bool:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._write(fd)
        if not _is_at(fd, self._path):  # it was replaced between opening and locking
            os.close(fd)
            return False
        self._fd, self._suspect = fd, None
        return True

    def _rob(self) -> bool:
        """Replace the file of a holder that does not write; only when two looks have found the same old time."""
        seen = self._look()
        suspected, self._suspect = self._suspect, seen
        if seen is None or seen != suspected:
            return False
        with self._changing() as may_change:
            if not may_change or self._look() != seen:
                return False
            self._path.unlink(missing_ok=True)
            return self._take()

    def _look(self) -> tuple[int, bytes] | None:
        """Which file lies there and what its holder wrote last, when that is too long ago."""
        try:
            with self._path.open("rb") as file:
                inode, text = os.fstat(file.fileno()).st_ino, file.read(_TIME.size)
        except FileNotFoundError:
            return None
        wrote_s = _TIME.unpack(text)[0] / 1e9 if len(text) == _TIME.size else 0.0
        return (inode, text) if abs(self._now_s() - wrote_s) > HUNG_S else None

    def _write(self, fd: int) -> None:
        now_s = self._now_s()
        os.pwrite(fd, _TIME.pack(round(now_s * 1e9)), 0)
        self._wrote_s = now_s

    @contextmanager
    def _changing(self) -> Iterator[bool]:
        """Alone among those who would replace the file, or revive their own; False when somebody else is at it."""
        fd = os.open(self._change, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(fd)


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.fstat(fd).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
