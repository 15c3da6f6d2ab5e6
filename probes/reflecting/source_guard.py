"""Who is answered at all: the allow-list and the limits by source, for one family of addresses."""

from __future__ import annotations

import ipaddress
import socket
import struct
from enum import Enum
from typing import TYPE_CHECKING, Final

from probes.reflecting.source_limits import MAX_SOURCES, SourceLimits

if TYPE_CHECKING:
    from probes.reflecting.reflector_policy import ReflectorPolicy

BURST_S: Final = 1.0
"""A bucket holds what a source may send in so long: a probe that was held up sends what is due at once."""
_SOURCE: Final = {socket.AF_INET: struct.Struct("!4xI"), socket.AF_INET6: struct.Struct("!8xQ")}
"""IPv4 address, or the /64 of an IPv6 address, out of a sockaddr."""
_ADDRESS: Final = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}


class Gate(Enum):
    """What the guard says of a packet."""

    OPEN = "open"
    NOT_ALLOWED = "not allowed"
    TOO_MANY = "too many"


class SourceGuard:
    """Looks at the source of each packet, before any of its octets are."""

    def __init__(self, family: int, policy: ReflectorPolicy) -> None:
        self._source = _SOURCE[socket.AddressFamily(family)].unpack_from
        self._address = _ADDRESS[socket.AddressFamily(family)]
        self._allowed = policy.allowed
        self._known: dict[bytes, bool] = {}
        self._limits = _limits(policy.rate_pps)
        self._short = _limits(policy.short_pps)

    def look(self, names: memoryview, at: int, now_ns: int, *, short: bool) -> Gate:
        """Of a packet whose sockaddr begins at `at`; `short`: its reply would be longer than itself."""
        if self._allowed and not self._is_allowed(
            bytes(names[at + self._address.start : at + self._address.stop])
        ):
            return Gate.NOT_ALLOWED
        if self._limits is None and not short:
            return Gate.OPEN
        (source,) = self._source(names, at)
        for limits in (self._limits, self._short if short else None):
            if limits is not None and not limits.admits(source, now_ns):
                return Gate.TOO_MANY
        return Gate.OPEN

    def _is_allowed(self, packed: bytes) -> bool:
        known = self._known.get(packed)
        if known is None:
            address = ipaddress.ip_address(packed)
            known = any(address in network for network in self._allowed)
            if len(self._known) >= MAX_SOURCES:  # forged sources: begin anew rather than grow
                self._known.clear()
            self._known[packed] = known
        return known


def _limits(rate_pps: float | None) -> SourceLimits | None:
    return None if rate_pps is None else SourceLimits(rate_pps, max(round(rate_pps * BURST_S), 1))
