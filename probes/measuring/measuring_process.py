"""`python -m probes.measuring.measuring_process LINK`: the measuring loop as a process of its own, on the link to its owner."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from typing import Final

from probes.kernel.system import owner, raise_socket_limit
from probes.measuring.measuring_loop import MeasuringLoop

_PR_SET_TIMERSLACK: Final = 29
TIMER_SLACK_NS: Final = 20_000
"""How much later than asked the kernel may wake us, to save wake-ups (50 µs unless asked)."""
REAL_TIME_PRIORITY: Final = 1
NICE: Final = -10


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(
        OSError, AttributeError, TypeError
    ):  # TypeError: Windows has no library without a name
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def _prefer() -> None:
    """Be let run when a packet is due, before ordinary work; only where we have the privilege.

    Real-time scheduling of the least priority: the loop sleeps nine tenths of the time at the greatest load, and the
    kernel keeps 5 % for others even if it should not.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))
    except (OSError, AttributeError):
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, 0, NICE)


def main() -> None:
    """Measure until the owner is gone or SIGTERM comes."""
    loop = MeasuringLoop(owner(sys.argv[1]))

    def stop(*_: object) -> None:
        loop.running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the owner's to handle
    _prctl(_PR_SET_TIMERSLACK, TIMER_SLACK_NS)
    raise_socket_limit()
    _prefer()
    loop.run()


if __name__ == "__main__":
    main()
