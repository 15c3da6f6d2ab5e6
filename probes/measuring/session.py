"""What is asked of the measuring half, and what it hands back: the two types that the agent and the lab see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemetry.messages import Clock, SelfReport, Stream


@dataclass(frozen=True, slots=True)
class Session:
    """One STAMP test session: packets from one office to one end, known by `(office, path)`."""

    office: str
    path: str
    """`<uplink>.<end>`, as `main.state`."""
    host: str
    """Address or host name of the reflector; a name is looked up again from time to time."""
    port: int
    rate_pps: float
    ssid: int = 0
    """Of the office, by which a reflector finds its key; 0: drawn anew for each session."""
    secret: bytes = field(default=b"", repr=False)
    """HMAC key of the authenticated mode, which needs an `ssid`; empty: unauthenticated."""
    dscp: int = 0
    """Differentiated services code point of the test packets, as the calls' own packets have."""
    ptp: bool = False
    """Stamp test packets in truncated PTP (RFC 8186) instead of NTP64."""

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same when host or rate change."""
        return self.office, self.path


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """Everything measured for one office in one 15 s window; nothing about it can change any more.

    After a step of the office's clock a window may be cut in two, or come twice: each part reports its own packets.
    """

    office: str
    start_ns: int
    mono_ns: int
    """Monotonic time at the start of the window, ns."""
    clock: Clock
    self_report: SelfReport
    streams: tuple[Stream, ...]
    """One per path that packets were sent on; empty when none were, or when `fault` says why none can be trusted."""
    fault: str | None = None
    """The probe's own trouble that touched this window: what happened, in one line."""
