"""Free ports."""

from __future__ import annotations

import socket


def free_port(host: str) -> int:
    """A TCP port that nobody listens on at this moment; someone else may still take it first.

    Raises:
        OSError: the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
