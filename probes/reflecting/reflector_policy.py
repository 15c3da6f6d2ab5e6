"""Whom a reflector answers, how much, and in which format of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ReflectorPolicy:
    """The operator's word. Without any: everybody is answered, as RFC 8762 has it, short packets at a bounded rate."""

    keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    """SSID -> HMAC key: the offices that may use the authenticated mode, wherever their packets come from."""
    authenticated_only: bool = False
    """Drop what is not signed."""
    allowed: tuple[Network, ...] = ()
    """Sources that are answered; empty: all."""
    rate_pps: float | None = None
    """Packets a second and source; None: no limit."""
    short_pps: float = 100.0
    """The same for requests below the base packet, the only ones whose reply is longer (RFC 8762 4.6)."""
    ptp: bool = False
    """Stamp in truncated PTP (TAI) instead of NTP64."""
    rehearsal_bps: float = 0.0
    """What all rehearsals together may load the line with, each way; 0: none are admitted. They need `keys`."""
