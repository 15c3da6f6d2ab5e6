"""The headquarters' reflectors: does each answer a STAMP packet."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

from config.address import parse_address
from probes.stamp.packets import ReflectorPacket, SenderPacket
from probes.stamp.timestamps import ErrorEstimate, ntp64
from tatpar.examination.finding import broken, fine, less
from tatpar.examination.phrase import Figure, phrase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.settings import Headquarters
    from tatpar.examination.finding import Finding

_TIMEOUT_S: Final = 1.0
_TRIES: Final = 3
_ERROR: Final = ErrorEstimate.of(1.0, synchronised=False).encode()
Where = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
"""What `getaddrinfo` gives to connect to."""


def reflectors(headquarters: Iterable[Headquarters], *, begun: bool) -> list[Finding]:
    """One finding a reflector; `begun`: a hub with the operator's own settings has been at work here, so that it misses each.

    Before that the built-in addresses are nothing that is broken: they stand where the operator's own will.
    """
    named = [(end.id, address) for end in headquarters for address in end.reflectors]
    stand_ins = [] if begun else [address for _, address in named if is_placeholder(address)]
    found = [ask(end, address) for end, address in named if address not in stand_ins]
    return [*([_to_be_named(stand_ins)] if stand_ins else []), *found]


def is_placeholder(address: str) -> bool:
    """Whether it is one of the names that are kept for examples and lead nowhere (RFC 2606, section 2)."""
    parsed = parse_address(address)
    return parsed is not None and parsed.host.rpartition(".")[2].lower() == "example"


def _to_be_named(addresses: list[str]) -> Finding:
    return less(
        phrase("reflectors"),
        phrase("reflectors.placeholders", names=", ".join(addresses)),
        phrase("reflectors.do_name"),
    )


def answers(address: tuple[str, int]) -> bool:
    """Whether something at an address answers a STAMP packet."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as sock:
            sock.settimeout(_TIMEOUT_S)
            return _round_trip_ms(sock, where) is not None
    except OSError:
        return False


def ask(end: str, address: str) -> Finding:
    """Does one reflector answer."""
    subject = phrase("reflector", end=end)
    parsed = parse_address(address)
    try:
        family, kind, _, _, where = socket.getaddrinfo(*(parsed or ("", 0)), type=socket.SOCK_DGRAM)[0]
    except OSError:
        why = "reflector.placeholder" if is_placeholder(address) else "reflector.unknown"
        return broken(subject, phrase(why, address=address), phrase("reflector.do_write"))
    with socket.socket(family, kind) as sock:
        sock.settimeout(_TIMEOUT_S)
        took_ms = _round_trip_ms(sock, where)
    if took_ms is not None:
        return fine(subject, phrase("reflector.answers", address=address, took_ms=Figure(took_ms, 1)))
    return broken(subject, phrase("reflector.silent", address=address), phrase("reflector.do_start"))


def _round_trip_ms(sock: socket.socket, where: Where) -> float | None:
    """How long one answer took, of a few questions; None without an answer.

    A reply is known by the T1 that it repeats: a late one still counts, and what merely echoes repeats none.
    """
    asked_ns: dict[int, int] = {}
    for sequence in range(_TRIES):
        stamp = ntp64(time.time_ns())
        asked_ns[stamp] = time.monotonic_ns()
        try:
            sock.connect(where)
            sock.send(SenderPacket(sequence, stamp, _ERROR).pack())
            reply = ReflectorPacket.parse(sock.recv(2048))
        except (OSError, ValueError):
            continue
        if reply.sender_timestamp in asked_ns:
            return (time.monotonic_ns() - asked_ns[reply.sender_timestamp]) / 1e6
    return None
