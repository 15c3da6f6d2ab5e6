"""The machine: its clock, its time stamps, what the kernel lets us do, its disk."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from typing import TYPE_CHECKING, Final

from probes.icmp.icmp_socket import IcmpRefusedError, open_icmp
from probes.kernel.clock_state import read_clock
from probes.kernel.kernel_stamps import enable_stamps
from tatpar.examination.finding import broken, fine, less
from telemetry.messages import ClockState, StampSource

if TYPE_CHECKING:
    from pathlib import Path

    from tatpar.examination.finding import Finding

_LEAST_FREE_BYTES: Final = 1_000_000_000


def python() -> Finding:
    """Which interpreter runs us (the package itself refuses one that is too old)."""
    return fine("python", platform.python_version())


def clock() -> Finding:
    """Does anybody discipline the clock."""
    found = read_clock()
    if found.state is ClockState.SYNCHRONISED:
        return fine("clock", f"synchronised, error at most {found.error_ms:.0f} ms")
    state = "not synchronised" if found.state is ClockState.UNSYNCHRONISED else "its state cannot be read"
    remedy = "start an NTP client (systemd-timesyncd or chrony); delays of one way are not shown until then"
    return less("clock", state, remedy)


def stamps() -> Finding:
    """Are there kernel time stamps."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        source = enable_stamps(sock)
    if source is StampSource.KERNEL:
        return fine("time stamps", "taken by the kernel, sending and receiving")
    remedy = (
        "measure on Linux, where the kernel takes them; a busy machine's own delay is reported as jitter here"
    )
    return less("time stamps", "taken by the program", remedy)


def icmp() -> Finding:
    """May we ping."""
    try:
        open_icmp().close()
    except IcmpRefusedError as error:
        text, _, remedy = str(error).partition(": ")
        return less("ping", text, remedy or "see the message")
    return fine("ping", "permitted")


def data_dir(path: Path) -> Finding:
    """Can we keep data there."""
    where = path if path.exists() else path.absolute().parent
    while not where.exists():
        where = where.parent
    if not where.is_dir() or not os.access(where, os.W_OK | os.X_OK):
        return broken("data", f"{path} cannot be written", "name a folder that may be written with --data")
    free = shutil.disk_usage(where).free
    text = f"{path}, {free / 1e9:.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return less("data", text, "make room: when the disk is full, reports wait in the probes' spools")
    return fine("data", text)
