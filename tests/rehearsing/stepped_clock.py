"""Machines whose real time is set while packets flow: real packets, kernel stamps and clocks, and a step on top of them.

Each end runs in asyncio tasks with a context of its own; what it reads of real time (`time.time_ns`, the kernel's stamps)
has its machine's step added from a given instant on. Nothing of the code under test is replaced.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probes.kernel.datagram_batch import DatagramBatch
from probes.kernel.kernel_stamps import CMSG_DATA, CMSG_HEADER, SO_TIMESTAMPNS, TIMESPEC
from probes.kernel.system import control_space
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    import pytest


@dataclass
class Machine:
    """Its clock is set by `step_ns` at `at_ns` of true time, once that is told."""

    step_ns: int = 0
    at_ns: int = 1 << 62

    def shown(self, true_ns: int) -> int:
        return true_ns + self.step_ns if true_ns >= self.at_ns else true_ns


true_ns = time.time_ns
here: ContextVar[Machine] = ContextVar("here")
_receive = DatagramBatch.receive


def install(patch: pytest.MonkeyPatch) -> None:
    """From now on, for tasks that have set `here`."""
    patch.setattr(time, "time_ns", lambda: here.get(Machine()).shown(true_ns()))
    patch.setattr(DatagramBatch, "receive", _received)


def _received(batch: DatagramBatch, fileno: int, start: int = 0, flags: int = 0) -> int:
    got = _receive(batch, fileno, start, flags)
    machine = here.get(Machine())
    for slot in range(start, start + got):
        control, at = batch.control[slot].data, 0
        while at + CMSG_HEADER.size <= int(batch.control_lengths[slot]):
            size, _, kind = CMSG_HEADER.unpack_from(control, at)
            if kind == SO_TIMESTAMPNS:
                seconds, ns = TIMESPEC.unpack_from(control, at + CMSG_DATA)
                shown = machine.shown(seconds * SECOND_NS + ns)
                TIMESPEC.pack_into(control, at + CMSG_DATA, *divmod(shown, SECOND_NS))
            at += control_space(size - CMSG_DATA)
    return got
