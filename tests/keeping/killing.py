"""Killing a piece of work with -9 at one of its steps: in a fork, whose files stay as they were at that moment."""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def runs_through(work: Callable[[Callable[[], None]], None], killed_at: int) -> bool:
    """Whether the work came to its end before it was killed.

    Args:
        work: is given what it calls at every step.
        killed_at: the step at which the kernel kills it, from 1; more than there are: it is not killed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads: none of them is used
        child = os.fork()
    if child == 0:
        _in_child(work, killed_at)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the work failed before it could be killed"
    return True


def _in_child(work: Callable[[Callable[[], None]], None], killed_at: int) -> None:
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        work(step)
    except BaseException:  # noqa: BLE001 - nothing of the test's own may run twice
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
