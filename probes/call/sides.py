"""Which end of a flow is the office's: `up` or `down`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from probes.call.figures import Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from probes.call.packets import End

Network = IPv4Network | IPv6Network

OUTGOING: Final = 4
"""PACKET_OUTGOING of a packet socket."""
_HOST: Final = 0
"""PACKET_HOST: to this machine."""
MOST_LEARNED: Final = 256


def networks(hosts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as written, `10.1.2.3` or `10.1.2.0/24`.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(ip_network(host, strict=False) for host in hosts)


class Sides:
    """Decides by what is surest: named hosts, then what the kernel says, then private addresses, then who spoke first."""

    def __init__(self, hosts: Sequence[Network] = ()) -> None:
        self._hosts = hosts
        self._learned: set[str] = set()

    def concerns(self, source: End, destination: End) -> bool:
        """Whether a flow has one end among the named hosts; without any, every flow has."""
        return not self._hosts or self._is_named(source) or self._is_named(destination)

    def way(self, source: End, destination: End, packet_type: int) -> Way:
        """Away from the office or to it."""
        named = self._is_named(source), self._is_named(destination)
        if named[0] != named[1]:
            return Way.UP if named[0] else Way.DOWN
        if packet_type in {OUTGOING, _HOST} and not ip_address(source.address).is_loopback:
            return Way.UP if packet_type == OUTGOING else Way.DOWN
        inner = _is_private(source), _is_private(destination)
        if inner[0] != inner[1]:
            return Way.UP if inner[0] else Way.DOWN
        return self._by_who_spoke_first(source, destination)

    def _by_who_spoke_first(self, source: End, destination: End) -> Way:
        on_one_machine = source.address == destination.address  # then the ports tell the ends apart
        ours = str(source) if on_one_machine else source.address
        theirs = str(destination) if on_one_machine else destination.address
        if ours not in self._learned and theirs in self._learned:
            return Way.DOWN
        if len(self._learned) < MOST_LEARNED:
            self._learned.add(ours)
        return Way.UP

    def _is_named(self, end: End) -> bool:
        address = ip_address(end.address)
        return any(address in network for network in self._hosts)


def _is_private(end: End) -> bool:
    return ip_address(end.address).is_private
