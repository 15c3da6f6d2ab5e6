"""What a few tests need beyond an ordinary account, whether this process may do it, and what would let it."""

from __future__ import annotations

import os
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.tun.namespaces import TUN

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY: Final = 65_534
"""The account without any files, by custom."""
_NET_ADMIN: Final = 12
_SYS_ADMIN: Final = 21
"""Numbers of capabilities(7)."""


class Right(NamedTuple):
    """Something that the kernel lets some processes do."""

    what: str
    """As in "may …"."""
    remedy: str
    """What gives it to an account."""
    held: Callable[[], bool]


def _has(*capabilities: int) -> bool:
    """Whether these capabilities are in force, in whichever user namespace we are."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return all(effective >> number & 1 for number in capabilities)


def _opens(family: int, kind: int, protocol: int) -> bool:
    try:
        socket.socket(family, kind, protocol).close()
    except OSError:
        return False
    return True


@cache
def _echoes() -> bool:
    kinds = (socket.SOCK_RAW, socket.SOCK_DGRAM)
    return any(_opens(socket.AF_INET, kind, socket.IPPROTO_ICMP) for kind in kinds)


@cache
def _captures() -> bool:
    return _opens(socket.AF_PACKET, socket.SOCK_RAW, 0)


@cache
def _mounts() -> bool:
    return _has(_SYS_ADMIN)


@cache
def _links() -> bool:
    return os.geteuid() == 0 and _has(_SYS_ADMIN, _NET_ADMIN) and os.access(TUN, os.R_OK | os.W_OK)


@cache
def _gives_away() -> bool:
    """Files to another account. A user namespace has none other than its own."""
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.chown(file.name, NOBODY, NOBODY)
        except OSError:
            return False
    return True


RIGHTS: Final = {
    "ping": Right("send ICMP echoes", "CAP_NET_RAW, or its group within net.ipv4.ping_group_range", _echoes),
    "capture": Right("see the packets of an interface", "CAP_NET_RAW", _captures),
    "give": Right("give a file to another account", "root", _gives_away),
    "mount": Right("mount a disk", "CAP_SYS_ADMIN", _mounts),
    "link": Right(
        "make a link that carries all IP",
        f"root, or a user namespace and {TUN} with mode 0666 (udev's own rule gives it that)",
        _links,
    ),
}
"""By the word in `@pytest.mark.needs(WORD)`."""
