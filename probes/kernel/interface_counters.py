"""The kernel's counters of every interface: /proc/net/dev and SIOCGIFFLAGS, the way psutil reads them, without its megabyte."""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from probes.kernel.system import HAS_COUNTERS, interface_request

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTERS: Final = Path("/proc/net/dev")
_SIOCGIFFLAGS: Final = 0x8913
_IFF_RUNNING: Final = 0x40
_REQUEST: Final = struct.Struct("16sH22x")
"""struct ifreq with its flags."""


class Sample(NamedTuple):
    """One interface's counters at an instant."""

    mono_ns: int
    sent_bytes: int
    received_bytes: int
    errors: int
    drops: int
    is_up: bool


def read_counters(mono_ns: int) -> dict[str, Sample]:
    """Every interface's counters now, in both directions together where they are errors and drops.

    Raises:
        OSError: /proc is not mounted.
    """
    if not HAS_COUNTERS:
        return {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        return {
            name: Sample(mono_ns, sent, received, errors, drops, _is_running(asking, name))
            for name, sent, received, errors, drops in _lines(COUNTERS.read_text(encoding="utf-8"))
        }


def _lines(table: str) -> Iterator[tuple[str, int, int, int, int]]:
    """Name, octets sent, octets received, errors and drops of each line of /proc/net/dev (behind two of headings)."""
    for line in table.splitlines()[2:]:
        name, _, figures = line.rpartition(":")
        received, _, in_errors, in_drops, _, _, _, _, sent, _, out_errors, out_drops, *_ = map(
            int, figures.split()
        )
        yield name.strip(), sent, received, in_errors + out_errors, in_drops + out_drops


def _is_running(asking: socket.socket, name: str) -> bool:
    """Whether an interface is up and has its carrier; not when it has just gone."""
    with contextlib.suppress(OSError):
        answer = interface_request(asking, _SIOCGIFFLAGS, _REQUEST.pack(name.encode(), 0))
        return bool(_REQUEST.unpack(answer)[1] & _IFF_RUNNING)
    return False
