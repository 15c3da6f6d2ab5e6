"""Ports for what is started later, or never: none that the kernel hands to somebody else in the meantime."""

from __future__ import annotations

import socket
from typing import Final

import pytest

from collector.broker.ports import free_port

_TRIES: Final = 64


def free_udp_port(host: str = "127.0.0.1") -> int:
    """A UDP port that nobody has at this moment, from below the range out of which the kernel serves `bind` to port 0.

    Three workers bind hundreds of such sockets: one of them would otherwise now and then get the port that was just let go.
    """
    for _ in range(_TRIES):
        port = free_port(host)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        return port
    pytest.fail("no free UDP port")
