"""Network addresses as people write them: `host:port`, `[v6]:port`."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final, NamedTuple

_ADDRESS: Final = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F:.%a-z]+)\]|(?P<host>[A-Za-z0-9._-]{1,253})):(?P<port>[0-9]{1,5})"
)
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


class HostPort(NamedTuple):
    """A host (name or address) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> HostPort | None:
    """`host:port` or `[v6]:port`; None when it is neither, or the port is none of 1..65535."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        return None
    return HostPort(match["v6"] or match["host"], int(match["port"]))


def is_host(text: str) -> bool:
    """Whether the text can be a host: a name, or an IPv4 or IPv6 address without brackets."""
    return _NAME.fullmatch(text) is not None or _address(text) is not None


@lru_cache(4096)  # it is asked for each connection of a crowd
def counted_as(address: str) -> str:
    """As what an address is counted where one may have so much: itself, of IPv6 its /64, which one machine has whole.

    An IPv4 address within IPv6 (`::ffff:10.1.2.3`) is that; what is no address stays as it is.
    """
    found = _address(address)
    if not isinstance(found, ipaddress.IPv6Address):
        return address if found is None else str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), 64), strict=False))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and no other can reach it; a name other than `localhost` never counts."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def is_wildcard(host: str) -> bool:
    """Whether a host means every address of this machine, which nobody can connect to."""
    address = _address(host)
    return address is not None and address.is_unspecified


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
