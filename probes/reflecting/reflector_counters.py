"""What a reflector has seen and done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields


@dataclass(slots=True)
class ReflectorCounters:
    """What happened since the start. Every datagram received is answered, or counted under a reason."""

    received: int = 0
    answered: int = 0
    too_short: int = 0
    """Below 14 octets: not even TWAMP."""
    bad_multiplier: int = 0
    """Error estimate with multiplier 0, which RFC 4656 4.1.2 calls corrupt."""
    replies: int = 0
    """Replies of another reflector: answering would bounce the packet between the two for ever."""
    not_authentic: int = 0
    """Signed, but not by the key of its SSID."""
    unknown_office: int = 0
    """Signed under an SSID that has no key here."""
    unsigned: int = 0
    """Not signed, where only signed packets are answered."""
    tlvs_not_intact: int = 0
    """Answered, with the I flag: TLVs that their HMAC does not cover."""
    knocks: int = 0
    """Packets of a rehearsal that began a session, or were turned away."""
    not_allowed: int = 0
    """From a source outside the allow-list."""
    limited: int = 0
    """More than a source may send."""
    send_failed: int = 0
    rx_dropped: int = 0
    """Datagrams that the kernel dropped before us (SO_RXQ_OVFL)."""
    user_stamped: int = 0
    """Received without a kernel stamp."""
    sessions: int = 0
    """Open now."""
    sessions_opened: int = 0
    sessions_expired: int = 0
    answered_stateless: int = 0
    """Answered without a counter because the table was full."""

    def __add__(self, other: ReflectorCounters) -> ReflectorCounters:
        return ReflectorCounters(
            *(getattr(self, f.name) + getattr(other, f.name) for f in fields(ReflectorCounters))
        )

    def as_dict(self) -> dict[str, int]:
        """Name -> count."""
        return asdict(self)
