"""The addresses of a link's two ends: from the ranges for measuring devices (RFC 2544 and RFC 6815, RFC 5180), which nobody routes."""

from __future__ import annotations

from typing import Final, NamedTuple


class Host(NamedTuple):
    """One end, by both families."""

    ipv4: str
    ipv6: str

    def by(self, version: int) -> str:
        """Its address in IP version 4 or 6."""
        return self.ipv6 if version == 6 else self.ipv4


OFFICE: Final = Host("198.18.0.1", "2001:2::1")
HUB: Final = Host("198.18.0.2", "2001:2::2")
PREFIX4: Final = 30
PREFIX6: Final = 64
