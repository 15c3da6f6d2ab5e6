"""Where a request comes from: the machine, through which proxy, and from which page."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request

UNKNOWN: Final = "unknown"
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def peer_of(request: Request) -> str:
    """Address of the other end of the connection."""
    return request.client.host if request.client is not None else UNKNOWN


def is_trusted(request: Request, proxies: tuple[str, ...]) -> bool:
    """Whether the other end is one of the proxies (addresses or networks)."""
    address = _address(peer_of(request))
    return address is not None and any(address in ip_network(one, strict=False) for one in proxies)


def is_forwarded(request: Request) -> bool:
    """Whether some proxy has had it in its hands: then this machine's address says nothing about who asks."""
    return any(name in request.headers for name in _FORWARDED)


def source_of(request: Request, proxies: tuple[str, ...]) -> str:
    """Who asks, as one that can be counted: an IPv4 address, an IPv6 /64; behind a trusted proxy the last address that it names."""
    address = _address(peer_of(request))
    if is_trusted(request, proxies):
        named = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        address = _address(named) or address
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address or UNKNOWN)


def is_secure(request: Request, proxies: tuple[str, ...]) -> bool:
    """Whether the browser speaks TLS, to us or to a trusted proxy."""
    if is_trusted(request, proxies):
        return request.headers.get("x-forwarded-proto", request.url.scheme).lower() == "https"
    return request.url.scheme == "https"


def is_from_our_page(request: Request) -> bool:
    """Whether a page of ours has sent it, by what browsers say themselves and no script can forge.

    `Sec-Fetch-Site` (W3C Fetch Metadata) where there is one; else `Origin` (RFC 6454) must name the host that was asked.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return site == "same-origin"
    host = request.headers.get("host", "")
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # no address at all, as http://[
        return False


@lru_cache(4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
