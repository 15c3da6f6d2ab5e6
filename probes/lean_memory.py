"""Asking glibc to hold no more memory than is needed; where the C library is another, nothing happens.

Each thread would get a heap of its own, and what the imports freed would stay with the process.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

_M_ARENA_MAX: Final = -8


def one_heap() -> None:
    """All threads share one heap from now on; to be called before there are threads."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give free memory back to the system."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
