"""A filter in the kernel (classic BPF): UDP alone, and of each datagram no octet behind the headers.

The filter runs on packets that begin with their IP header, and returns how much of each may be copied: through the
RTP header where the first two bits of the datagram say that it may be RTP, four octets more for RTP inside a TURN
channel, and one octet of anything else, which is enough to tell what it is (RFC 7983).
"""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Final, NamedTuple

from probes.call.packets import CHANNEL_HEADER, RTP_HEADER, UDP, UDP_HEADER

SO_ATTACH_FILTER: Final = 26


class Step(NamedTuple):
    """One instruction, with its jumps as in `struct sock_filter`."""

    code: int
    if_true: int
    if_false: int
    k: int


# From linux/filter.h: class | size | mode.
_LOAD_BYTE: Final = 0x30
_LOAD_HALF: Final = 0x28
_LOAD_BYTE_X: Final = 0x50
_X_IS_IP_HEADER: Final = 0xB1
_X_IS: Final = 0x01
_AND: Final = 0x54
_ADD: Final = 0x04
_X_TO_A: Final = 0x87
_IF_EQUAL: Final = 0x15
_IF_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06
_RETURN_A: Final = 0x16

PROGRAM: Final = (
    Step(_LOAD_BYTE, 0, 0, 0),
    Step(_AND, 0, 0, 0xF0),
    Step(_IF_EQUAL, 0, 6, 0x40),  # IPv4?
    Step(_LOAD_BYTE, 0, 0, 9),
    Step(_IF_EQUAL, 0, 21, UDP),
    Step(_LOAD_HALF, 0, 0, 6),
    Step(_IF_ANY_BIT, 19, 0, 0x1FFF),  # a fragment but the first has no ports
    Step(_X_IS_IP_HEADER, 0, 0, 0),
    Step(_IF_EQUAL, 4, 4, 0),  # both ways to the payload
    Step(_IF_EQUAL, 0, 16, 0x60),  # IPv6?
    Step(_LOAD_BYTE, 0, 0, 6),
    Step(_IF_EQUAL, 0, 14, UDP),
    Step(_X_IS, 0, 0, 40),
    Step(_LOAD_BYTE_X, 0, 0, UDP_HEADER),  # first octet of the datagram
    Step(_AND, 0, 0, 0xC0),
    Step(_IF_EQUAL, 0, 3, 0x80),  # may be RTP
    Step(_X_TO_A, 0, 0, 0),
    Step(_ADD, 0, 0, UDP_HEADER + RTP_HEADER),
    Step(_RETURN_A, 0, 0, 0),
    Step(_LOAD_BYTE_X, 0, 0, UDP_HEADER),
    Step(_AND, 0, 0, 0xF0),
    Step(_IF_EQUAL, 1, 0, 0x40),  # a TURN channel
    Step(_IF_EQUAL, 4, 4, 0),
    Step(_X_TO_A, 0, 0, 0),
    Step(_ADD, 0, 0, UDP_HEADER + CHANNEL_HEADER + RTP_HEADER),
    Step(_RETURN_A, 0, 0, 0),
    Step(_RETURN, 0, 0, 0),
    Step(_X_TO_A, 0, 0, 0),
    Step(_ADD, 0, 0, UDP_HEADER + 1),
    Step(_RETURN_A, 0, 0, 0),
)


def attach(sock: socket.socket) -> None:
    """Let the kernel run the filter on every packet of a packet socket before it copies anything."""
    program = b"".join(struct.pack("HBBI", *step) for step in PROGRAM)
    buffer = ctypes.create_string_buffer(program, len(program))
    sock.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(PROGRAM), ctypes.addressof(buffer))
    )
