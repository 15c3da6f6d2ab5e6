"""What a stranger can make uvicorn say, as often as they like: said once a minute, with how often it was meant to be."""

from __future__ import annotations

import logging
import time
from typing import Final

SAID_AGAIN_S: Final = 60.0
_SPEAKER: Final = "uvicorn.error"
_SPEAKS_HTTP: Final = "h11_impl"
"""The module whose warnings are all about what came from outside: no HTTP, or an upgrade that is not offered."""


class _OnceAMinute(logging.Filter):
    """Lets the first through, and after a minute the next, which tells of all since; whatever else is said passes."""

    def __init__(self) -> None:
        super().__init__()
        self._last_s = -SAID_AGAIN_S
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.module != _SPEAKS_HTTP or record.levelno != logging.WARNING:
            return True
        self._count += 1
        now_s = time.monotonic()
        if now_s - self._last_s < SAID_AGAIN_S:
            return False
        self._last_s = now_s
        told = {"event": "wall.bad-request", "count": self._count}
        record.__dict__.update(told)
        record.msg = f"{record.getMessage()} ({self._count} since this was last said)"
        record.args = None
        self._count = 0
        return True


_once_a_minute: Final = _OnceAMinute()


def say_seldom() -> None:
    """See to it, in this process; again changes nothing."""
    logging.getLogger(_SPEAKER).addFilter(_once_a_minute)
