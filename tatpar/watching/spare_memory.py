"""Memory that is free and still ours, given back to the machine.

Reading the past and fitting the model take several times what they leave behind, on threads of their own. The C library
keeps what they let go, a pool for each thread: the hub would stay as large as it ever was.
"""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def give_back() -> None:
    """Let the machine have what nobody uses; takes milliseconds, other threads go on. Nothing where the C library cannot."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is not None:
        pyarrow.default_memory_pool().release_unused()
    if _malloc_trim is not None:
        _malloc_trim(0)


def _found() -> Callable[[int], int] | None:
    """The function `malloc_trim(3)` of glibc; other C libraries have none."""
    if not sys.platform.startswith("linux"):
        return None
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


_malloc_trim = _found()
