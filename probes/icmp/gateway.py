"""The default route, from `/proc/net/route` (Linux, IPv4)."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Final, NamedTuple

ROUTES: Final = Path("/proc/net/route")
_UP: Final = 0x1
_GATEWAY: Final = 0x2


class Gateway(NamedTuple):
    """Where everything goes that has no way of its own."""

    interface: str
    address: str | None
    """None on a line without a next hop, as point-to-point ones are."""


def default_gateway(file: Path = ROUTES) -> Gateway | None:
    """The default route with the least metric; None when there is none, or none can be read."""
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return None
    routes = [found for line in lines if (found := _default(line)) is not None]
    return min(routes, key=lambda route: route[0])[1] if routes else None


def _default(line: str) -> tuple[int, Gateway] | None:
    """Metric and gateway of one line when it is a default route that is up.

    Columns: interface, destination, gateway, flags, reference count, use, metric, mask, …; addresses are
    hexadecimal in the machine's (little-endian) order.
    """
    columns = line.split()
    try:
        interface, destination, gateway, flags = columns[:4]
        metric, mask = int(columns[6]), columns[7]
        if int(destination, 16) or int(mask, 16) or not int(flags, 16) & _UP:
            return None
        address = (
            str(ipaddress.IPv4Address(bytes.fromhex(gateway)[::-1])) if int(flags, 16) & _GATEWAY else None
        )
    except (ValueError, IndexError):
        return None
    return metric, Gateway(interface, address)
