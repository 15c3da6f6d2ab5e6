"""The machine: its clock, its time stamps, what the kernel lets us do, its disk."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from typing import TYPE_CHECKING, Final

from probes.icmp.icmp_socket import IcmpForbiddenError, IcmpRefusedError, open_icmp
from probes.kernel.clock_state import read_clock
from probes.kernel.kernel_stamps import enable_stamps
from tatpar.examination.finding import broken, fine, less
from tatpar.examination.phrase import Figure, as_it_is, phrase
from telemetry.messages import ClockState, StampSource

if TYPE_CHECKING:
    from pathlib import Path

    from tatpar.examination.finding import Finding

_LEAST_FREE_BYTES: Final = 1_000_000_000


def python() -> Finding:
    """Which interpreter runs us (the package itself refuses one that is too old)."""
    return fine(phrase("python"), as_it_is(platform.python_version()))


def clock() -> Finding:
    """Does anybody discipline the clock."""
    found = read_clock()
    if found.state is ClockState.SYNCHRONISED:
        return fine(phrase("clock"), phrase("clock.synchronised", error_ms=Figure(found.error_ms or 0.0)))
    unknown = found.state is not ClockState.UNSYNCHRONISED
    state = phrase("clock.unknown") if unknown else phrase("clock.unsynchronised")
    return less(phrase("clock"), state, phrase("clock.do_ntp"))


def stamps() -> Finding:
    """Are there kernel time stamps."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        source = enable_stamps(sock)
    if source is StampSource.KERNEL:
        return fine(phrase("stamps"), phrase("stamps.kernel"))
    return less(phrase("stamps"), phrase("stamps.program"), phrase("stamps.do_linux"))


def icmp() -> Finding:
    """May we ping."""
    try:
        open_icmp().close()
    except IcmpForbiddenError:
        return less(phrase("ping"), phrase("ping.forbidden"), phrase("ping.do_permit"))
    except IcmpRefusedError as error:
        text, _, remedy = str(error).partition(": ")
        do = as_it_is(remedy) if remedy else phrase("ping.do_see")
        return less(phrase("ping"), phrase("ping.refused", why=text), do)
    return fine(phrase("ping"), phrase("ping.permitted"))


def data_dir(path: Path) -> Finding:
    """Can we keep data there."""
    where = path if path.exists() else path.absolute().parent
    while not where.exists():
        where = where.parent
    if not where.is_dir() or not os.access(where, os.W_OK | os.X_OK):
        return broken(
            phrase("data"), phrase("data.unwritable", path=str(path)), phrase("data.do_name_another")
        )
    free = shutil.disk_usage(where).free
    text = phrase("data.free", path=str(path), free_gb=Figure(free / 1e9, 1))
    if free < _LEAST_FREE_BYTES:
        return less(phrase("data"), text, phrase("data.do_make_room"))
    return fine(phrase("data"), text)
