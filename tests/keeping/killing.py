"""Killing a piece of work with -9 at one of its steps: in a fork, whose files stay as they were at that moment."""

from __future__ import annotations

import os
import signal
import sqlite3
import traceback
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Unsynced(sqlite3.Connection):
    """Never waits for the disk: what a process has written outlives its being killed all the same."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous=FULL", "synchronous=OFF"), *parameters)


def stop_syncing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this test and what it forks quick: a killed process is not a power cut."""
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *one, **more: connect(*one, **({"factory": Unsynced} | more))
    )
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


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
