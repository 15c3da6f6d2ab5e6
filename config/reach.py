"""What is asked for an answer beside the line: the room's own device, the meeting platform's edge; as people write it.

`sip:10.1.2.3`, `sip+tcp:10.1.2.3:5060`, `h323:10.1.2.3`, `tcp:10.1.2.3:5061`, `stun:stun.example`, `tls:meet.example:443`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from config.address import HostPort, is_host, parse_address

METHODS: Final = {"sip": 5060, "sip+tcp": 5060, "h323": 1720, "tcp": 0, "tls": 443, "stun": 3478}
"""What can be asked, and the port where none is written (RFC 3261 19.1.2, RFC 8489 18.6, IANA); 0: it must be written."""
MOST_CHECKS: Final = 4
"""Of one office's room, and of the platform's edge."""
CHECK_RULE: Final = (
    "sip:HOST, sip+tcp:HOST, h323:HOST, tcp:HOST:PORT, tls:HOST or stun:HOST, with :PORT where it is another"
)


class ReachCheck(NamedTuple):
    """One question: how, and whom."""

    method: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """`host:port`."""
        return str(HostPort(self.host, self.port))

    def __str__(self) -> str:
        return f"{self.method}:{self.address}"


def parse_check(text: str) -> ReachCheck | None:
    """The question that a text means; None when it means none."""
    method, colon, where = text.partition(":")
    default = METHODS.get(method)
    if not colon or default is None or len(text) > 280:
        return None
    address = parse_address(where)
    if address is None and default:
        host = where[1:-1] if where.startswith("[") and where.endswith("]") else where
        address = HostPort(host, default) if is_host(host) else None
    return None if address is None else ReachCheck(method, *address)
