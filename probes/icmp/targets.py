"""Whom an office pings: its gateway, and the reflectors that it measures to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.icmp.gateway import default_gateway
from probes.publishing.office_settings import ENDS, GATEWAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probes.measuring.session import Session
    from probes.publishing.office_settings import OfficeSettings


def ping_targets(office: OfficeSettings, sessions: Sequence[Session]) -> dict[str, str]:
    """Name of the target -> host; an end is named by itself, whatever the uplink (the first one's host counts)."""
    targets: dict[str, str] = {}
    if GATEWAY in office.ping_targets:
        gateway = default_gateway()
        if gateway is not None and gateway.address is not None:
            targets[GATEWAY] = gateway.address
    if ENDS in office.ping_targets:
        for session in sessions:
            targets.setdefault(session.path.partition(".")[2], session.host)
    return targets
