"""What makes the machine of tests stand still: it lets everything go on again, but for what a test stopped itself."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.stalls import Pace, pace, stand_still

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAITS = "import sys; print('here', flush=True); sys.stdin.read()"


@contextlib.contextmanager
def waiting() -> Iterator[psutil.Process]:
    """A process that waits."""
    command = [sys.executable, "-c", WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        yield psutil.Process(process.pid)
        process.kill()


def becomes(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    return holds()


def stopped(one: psutil.Process) -> bool:
    return bool(one.status() == psutil.STATUS_STOPPED)


def test_who_was_stopped_goes_on_and_whom_a_test_stopped_does_not() -> None:
    """Both stand still meanwhile."""
    with waiting() as plain, waiting() as its_own:
        its_own.suspend()
        assert becomes(lambda: stopped(its_own))
        thread = threading.Thread(target=stand_still, args=([plain, its_own], 0.5))
        thread.start()
        assert becomes(lambda: stopped(plain) or not thread.is_alive())
        thread.join()
        assert becomes(lambda: not stopped(plain))
        assert stopped(its_own)


def test_a_pace_is_a_gap_and_a_length() -> None:
    """Never, too; what is none is told with what to write."""
    assert pace("4:1.5") == Pace(4.0, 1.5)
    assert pace("0:0").gap_s == 0.0
    for text in ("4", "often:long", "4:0.1", "4:61", "-1:1"):
        with pytest.raises(argparse.ArgumentTypeError, match=text):
            pace(text)
