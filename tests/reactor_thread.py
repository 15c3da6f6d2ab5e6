"""The lab's loop on a thread, for the tests of more than one room."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.line.reactor import Reactor


@contextmanager
def running(reactor: Reactor) -> Iterator[None]:
    """Run it until the end of the block."""
    thread = threading.Thread(target=reactor.run, name="test reactor")
    thread.start()
    try:
        yield
    finally:
        reactor.stop()
        thread.join()
