"""Running before others: the lab's lines are a network, not a program, and should not slow down because others work."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

_NICENESS: Final = -15


def take_precedence() -> None:
    """Ask to run before others, in the session and among sessions (sched(7)); without the right to, packets leave later."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(f"{_NICENESS}\n", encoding="ascii")
