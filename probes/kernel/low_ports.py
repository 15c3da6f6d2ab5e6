"""Ports that the kernel keeps for those who may have them: what is missing, and what to do."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIRST: Final = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_USUALLY: Final = 1024


def first_open_port() -> int:
    """The lowest port that anybody may listen on (ip_unprivileged_port_start)."""
    with contextlib.suppress(OSError, ValueError):
        return int(_FIRST.read_text(encoding="ascii"))
    return _USUALLY


def low_port_remedy(ports: Iterable[int], error: OSError) -> str | None:
    """What to do when listening was refused because a port is one of those; None when that is not the reason."""
    first = first_open_port()
    if error.errno not in {errno.EACCES, errno.EPERM} or not any(0 < port < first for port in ports):
        return None
    return (
        f"ports below {first} need root or CAP_NET_BIND_SERVICE (tatpar-reflect.service has it);"
        f" without it take a port from {first} on, such as 8620"
    )
