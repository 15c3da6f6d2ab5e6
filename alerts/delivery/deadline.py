"""A limit for a whole conversation: a server that sends a byte now and then does not keep us."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def deadline(limit_s: float, current: Callable[[], socket.socket | None]) -> Iterator[Callable[[], bool]]:
    """After `limit_s` seconds shut the socket that `current` gives; the function given tells whether that was done."""
    passed = threading.Event()

    def cut() -> None:
        passed.set()
        found = current()
        if found is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    found, socket.SHUT_RDWR
                )  # below TLS, whose own would wait for an answer

    timer = threading.Timer(limit_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield passed.is_set
    finally:
        timer.cancel()
