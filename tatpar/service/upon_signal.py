"""What a signal asks for, done beside the main thread.

A handler runs between any two steps of the main thread, also in the middle of a write: one that writes to the same
stream then ends the program ("reentrant call"). So the handler only notes what is wanted, and a thread does it.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class UponSignal:
    """As a context: does what signals ask for, one after another, until it is left; what came before is still done."""

    def __init__(self) -> None:
        self._wanted: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="what signals ask for", daemon=True)

    def do(self, number: signal.Signals, what: Callable[[], object]) -> None:
        """Do this each time that the signal comes; called by the main thread, as Python wants it."""
        signal.signal(number, lambda *_: self._wanted.put(what))  # `SimpleQueue.put` may interrupt itself

    def _serve(self) -> None:
        while (what := self._wanted.get()) is not None:
            try:
                what()
            except Exception:  # noqa: BLE001 - what one signal asked for has failed: the next ones are still heard
                _log.exception("what a signal asked for failed", extra={"event": "signal.failed"})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wanted.put(None)
        self._thread.join()
