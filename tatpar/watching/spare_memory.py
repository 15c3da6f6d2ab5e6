"""Memory that is free and still ours, given back to the machine.

Reading the past and fitting the model take several times what they leave behind, on threads of their own. The C library
keeps what they let go, a pool for each thread, and Arrow a pool of its own: the hub would stay as large as it ever was.
"""

from __future__ import annotations

import contextlib
import sys

from probes import lean_memory


def give_back() -> None:
    """Let the machine have what nobody uses; takes milliseconds, other threads go on. Nothing where the C library cannot."""
    with contextlib.suppress(KeyError, AttributeError):  # nobody has imported it, or is just about to
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    lean_memory.give_back()
