"""Alone on the data, or one of several that share the load: settled by locks that the kernel keeps.

Whoever works alone holds `collector.lock` and, exclusively, `collectors.lock`; whoever shares holds
`collectors.lock` together with the others. A lock goes with its process, however that ends, so there is no time to
wait for and no clock to be wrong. Both files lie in the data folder: what they protect is the data.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

ALONE: Final = "collector.lock"
TOGETHER: Final = "collectors.lock"


class MixedError(RuntimeError):
    """One that works alone and such that share cannot work on the same data; the text says what to do."""


class Standing:
    """Our place among the collectors of a data folder."""

    def __init__(self, folder: Path, *, shared: bool) -> None:
        self._folder = folder
        self._shared = shared
        self._held: list[int] = []

    def take(self) -> bool:
        """Take our place; False while another that works alone has it: wait and try again.

        Raises:
            MixedError: those that share are at work and we would be alone, or the other way round.
            OSError: the folder cannot be written.
        """
        return self._join() if self._shared else self._be_alone()

    def release(self) -> None:
        """Give our place back."""
        while self._held:
            os.close(self._held.pop())

    def _join(self) -> bool:
        if not self._lock(TOGETHER, fcntl.LOCK_SH):
            raise MixedError(
                f"{self._folder}: a collector that works alone (tatpar up, or tatpar collect without --share) is at work"
                " on this data; stop it, or start every one with --share"
            )
        return True

    def _be_alone(self) -> bool:
        if not self._lock(ALONE, fcntl.LOCK_EX):
            return False
        if not self._lock(TOGETHER, fcntl.LOCK_EX):
            self.release()
            raise MixedError(
                f"{self._folder}: collectors that share the load are at work on this data;"
                " start this one with tatpar collect --share too, or stop them"
            )
        return True

    def _lock(self, name: str, how: int) -> bool:
        fd = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._held.append(fd)
        return True


def see_that_nobody_shares(folder: Path) -> None:
    """Look before much is brought up for a collector that works alone.

    Raises:
        MixedError: those that share are at work.
        OSError: the folder cannot be written.
    """
    place = Standing(folder, shared=False)
    try:
        place.take()
    finally:
        place.release()
