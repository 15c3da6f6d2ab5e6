"""What the embedded broker holds at most; past it, it refuses or drops and counts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of the broker."""

    packet_bytes: int = 320 * 1024
    connections: int = 10_000
    sessions: int = 20_000
    session_expiry_s: int = 24 * 3600
    """The longest that a session outlives its connection."""
    session_messages: int = 50_000
    """Waiting for one subscriber."""
    session_bytes: int = 64 * 1024 * 1024
    total_bytes: int = 256 * 1024 * 1024
    """Waiting for all subscribers together."""
    subscriptions: int = 1000
    """Of one client."""
    inflight: int = 10_000
    """Sent to one subscriber and not acknowledged; its own Receive Maximum may ask for less."""
    retained: int = 200_000
    retained_bytes: int = 64 * 1024 * 1024
    connect_s: float = 10.0
    """A connection must introduce itself so soon."""


@dataclass(slots=True)
class Account:
    """What all subscribers' queues hold together, and what the broker has done."""

    waiting_bytes: int = 0
    received: int = 0
    delivered: int = 0
    dropped: int = 0
    """Messages that a subscriber should have had and did not get (queue full, too large for it, expired at QoS 0 …)."""
    refused: int = 0
    """QoS 1 publications answered with "quota exceeded": their publisher still has them."""
    expired: int = 0
    malformed: int = 0
    connections_refused: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Connections ended by us, by reason."""
