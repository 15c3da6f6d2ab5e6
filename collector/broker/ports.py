"""Free ports."""

from __future__ import annotations

import errno
import secrets
import socket
from pathlib import Path
from typing import Final

LOWEST: Final = 10_000
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_FROM: Final = 32_768
"""Linux's own default, where the file cannot be read."""
_TRIES: Final = 64


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on at this moment; someone else may still take it first.

    It is drawn from below the range that the kernel hands to outgoing connections: one of those would otherwise sit
    on it before the server does, or while the server is down, and a client that knocks there could even reach itself.

    Raises:
        OSError: the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    above = _first_ephemeral() - LOWEST
    for _ in range(_TRIES if above > 0 else 0):
        port = LOWEST + secrets.randbelow(above)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
            else:
                return port
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _first_ephemeral() -> int:
    try:
        return int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _EPHEMERAL_FROM
