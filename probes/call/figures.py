"""What one flow of a call was like, over a window or in all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telemetry.messages import Call


class Media(StrEnum):
    """What a flow carries."""

    AUDIO = "audio"
    VIDEO = "video"
    REPAIR = "repair"
    """Retransmissions or redundancy of another flow: a loss in it is no loss of sound or picture."""


class Way(StrEnum):
    """Direction, as everywhere: `up` is away from the office."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts and figures of a flow over some time. Missing is None."""

    packets: int
    """As captured, copies too."""
    octets: int
    """At the IP layer."""
    active_ns: int
    """How long the flow was there; rates are over this."""
    expected: int = 0
    lost: int = 0
    """Numbers that never came, distinct."""
    duplicated: int = 0
    reordered: int = 0
    longest_loss_run: int = 0
    burst_density: float | None = None
    gap_density: float | None = None
    jitter_ms: float | None = None
    """Mean of RFC 3550's J after each packet."""
    jitter_max_ms: float | None = None
    frames: int | None = None
    freezes: int = 0
    longest_freeze_ms: float | None = None
    rate_hz: int | None = None
    """Clock of the time stamps."""
    payload_type: int | None = None

    @property
    def bitrate_bps(self) -> float | None:
        """IP-layer bits per second while the flow was there."""
        return self.octets * 8e9 / self.active_ns if self.active_ns > 0 else None

    @property
    def frames_per_s(self) -> float | None:
        """Frames per second while the flow was there."""
        return None if self.frames is None or self.active_ns <= 0 else self.frames * 1e9 / self.active_ns

    @property
    def cumulative_lost(self) -> int:
        """Expected minus received, copies counted as received, so possibly negative (RFC 3550 A.3; tshark's `Lost`)."""
        return self.expected - self.packets


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowWindow:
    """One flow over one window."""

    start_ns: int
    flow: str
    media: Media
    way: Way
    figures: Figures
    estimated: bool = False
    """Not RTP: frames are guessed from packet sizes, and loss is not known (0)."""

    def item(self) -> Call:
        """As it goes out in an envelope."""
        figures = self.figures
        return Call(
            flow=self.flow,
            media=self.media.value,
            direction=self.way.value,
            packets=figures.packets,
            lost=figures.lost,
            bitrate_bps=figures.bitrate_bps,
            jitter_ms=figures.jitter_ms,
            frames_per_s=None if figures.frames_per_s is None else min(figures.frames_per_s, 1000.0),
            freezes=figures.freezes,
            longest_loss_run=figures.longest_loss_run,
            burst_density=figures.burst_density,
            gap_density=figures.gap_density,
            estimated=self.estimated,
        )
