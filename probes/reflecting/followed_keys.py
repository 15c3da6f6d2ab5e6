"""A reflector's file of keys, looked at while it runs: who was enrolled, renewed or revoked counts a second later, without a signal."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from probes.reflecting.reflector_keys import ReflectorKeysError, read_keys
from probes.transition import Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

LOOK_S: Final = 1.0
EMPTY: Final = (
    "no key stands in it; write {} anew (tatpar enroll --reflector-keys), or remove the option --keys"
)
_log = logging.getLogger(__name__)


class FollowedKeys:
    """Follows the file in a thread of its own; a context manager. While the file is wrong or away, the keys before stay."""

    def __init__(self, file: Path, take: Callable[[Mapping[int, bytes]], None]) -> None:
        """`take` gets SSID -> key after each change; it may be called from another thread."""
        self._file, self._take = file, take
        self._known: tuple[int, int, int] | None = (
            None  # read once more: it may have changed since the caller did
        )
        self._turn = threading.Lock()  # its own thread and who asks
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="keys of the offices", daemon=True)
        self._state = Transition(_log, f"keys {file}", "read again", "keys")

    def read_again(self) -> None:
        """Read the file now, whether or not it has changed."""
        with self._turn:
            self._known = self._mark()
            try:
                self._take(self._read())
            except (OSError, ReflectorKeysError) as error:
                self._state.bad(f"the keys stay as they were: {error}")
            else:
                self._state.good()

    def _read(self) -> dict[int, bytes]:
        """SSID -> key; a file without any is wrong: `>` has cut it short, nobody means to shut out every office."""
        found = read_keys(self._file)
        if not found:
            raise ReflectorKeysError(EMPTY.format(self._file))
        return found

    def _mark(self) -> tuple[int, int, int] | None:
        """By what a change shows: another file under the name, or another time or size; None: it is away."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _follow(self) -> None:
        while not self._over.wait(LOOK_S):
            if self._mark() != self._known:
                self.read_again()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
