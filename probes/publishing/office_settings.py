"""What one office's agent needs to know: who it is, where its broker is, what it may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from probes.call.ports import PLATFORM_PORTS
from telemetry.topics import DEFAULT_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WINDOWS_PER_DAY: Final = 24 * 3600 // 15
GATEWAY: Final = "gateway"
ENDS: Final = "ends"
AUTO: Final = "auto"


@dataclass(frozen=True, kw_only=True)
class SpoolLimits:
    """How much an office keeps while the hub cannot be reached; past either limit the oldest go."""

    max_reports: int = 30 * WINDOWS_PER_DAY
    """Thirty days of windows. Counted, not timed, so that a wrong clock empties nothing."""
    max_bytes: int = 1_200_000_000
    """Payload bytes, passed by at most one report; the file is up to a quarter larger, as reports fill pages of 4 kB unevenly."""


@dataclass(frozen=True, kw_only=True)
class BacklogPace:
    """How fast old reports follow once the hub is back; they yield to a call, which needs the line more."""

    per_second: float = 20.0
    per_second_in_meeting: float = 2.0
    """While the plan asks for more than the base rate, that is before and during a meeting."""


@dataclass(frozen=True, kw_only=True)
class RehearsalLimits:
    """What the office lets rehearsals do to its line."""

    enabled: bool = True
    most_up_bps: float = 0.0
    """The line's stated rate; rungs that ask for more are left out. 0: not stated."""
    most_down_bps: float = 0.0
    day_octets: int = 300_000_000
    """Both ways, a day."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an office waits before it tries again. The defaults are the house's; shorter ones are for trials of faults."""

    resend_s: float = 60.0
    """Sent but not `stored` for so long: sent again; each further time after twice as long, `resend_cap_s` at most."""
    resend_cap_s: float = 900.0
    settle_s: float = 1.0
    """The backlog waits so long after connecting, for the retained `stored` to say what need not be sent."""
    hold_s: float = 5.0
    """When nobody took a report; doubles up to `hold_cap_s`."""
    hold_cap_s: float = 60.0
    disk_s: float = 5.0
    """When the spool could not be written."""
    reconnect_s: float = 1.0
    """At most so long (drawn evenly) before connecting again; doubles up to `reconnect_cap_s`."""
    reconnect_cap_s: float = 30.0
    connect_s: float = 10.0
    progress_s: float = 20.0
    """With a publish or subscribe unacknowledged for so long, the connection counts as dead."""


@dataclass(frozen=True, kw_only=True)
class OfficeSettings:
    """One office's agent. `key` names the office in `Session.office` and `ClosedWindow.office`."""

    site: str
    probe: str
    broker_host: str
    broker_port: int
    spool: Path
    user: str = ""
    password: str = field(default="", repr=False)
    tls_ca: Path | None = None
    """Certificates that vouch for the broker; None speaks without TLS."""
    credentials: Path | None = None
    """What the enrolment desk handed out; wins over user and password, and is read anew at each connection."""
    root: str = DEFAULT_ROOT
    ends: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """`end` or `uplink.end` -> `host:port` of its reflector; wins over the plan's reflectors."""
    ping_targets: tuple[str, ...] = (GATEWAY, ENDS)
    """Who is pinged: `gateway`, `ends`; empty for nobody, as where many offices share a machine."""
    interface: str = AUTO
    """Whose counters are reported: a name, `auto` for the one of the default route, empty for none."""
    call_interface: str = ""
    """Where live calls are seen: a name, `auto` for the interface of the default route, empty for nowhere."""
    call_hosts: tuple[str, ...] = ()
    """Addresses or networks of the room's devices; none: every flow on the interface is looked at."""
    call_ports: tuple[str, ...] = PLATFORM_PORTS
    """Where calls that are no RTP are looked for: ports, or ranges as `8801-8810`."""
    signed: bool = False
    """Sign test packets with the key of the credentials (STAMP's authenticated mode); every reflector must know it."""
    dscp: int = 0
    """Differentiated services code point of test packets; 0: what the hub's plan says."""
    ptp: bool = False
    """Stamp test packets in truncated PTP instead of NTP64."""
    ssid: int = 0
    """For a probe that is not enrolled (the lab's): by which the headquarters knows it when it rehearses."""
    secret: bytes = field(default=b"", repr=False)
    reach_enabled: bool = True
    """Whether this office asks after its room's device and the meeting platform's edge at all."""
    reach_room: tuple[str, ...] = ()
    """What is asked of the room's device (`config.reach`); empty: what the plan says."""
    reach_edges: tuple[str, ...] = ()
    """The same of the platform's edge."""
    rehearsal: RehearsalLimits = RehearsalLimits()
    spool_limits: SpoolLimits = SpoolLimits()
    backlog: BacklogPace = BacklogPace()
    patience: Patience = Patience()

    @property
    def key(self) -> str:
        """`site/probe`, unique among the offices of one process."""
        return f"{self.site}/{self.probe}"
