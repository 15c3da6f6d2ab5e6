"""One message as it came from the broker, before anything has been believed of it."""

from __future__ import annotations

from msgspec import Struct


class Message(Struct, frozen=True, gc=False):
    """A PUBLISH that was handed to us and is not acknowledged yet."""

    topic: str
    """Empty when the broker sent a topic that is no UTF-8."""
    payload: bytes
    received_ns: int
    retained: bool = False
    """A copy that the broker had kept, not one that was just said."""
    age_ms: int | None = None
    """User property `age-ms`: time since the report was made, when the probe's monotonic clock vouches for it."""
    qos: int = 1
    mid: int = 0
    link: int = 0
    """Number of the connection that it came on: an acknowledgement counts only there."""
    kept: bool = False
    """The broker may have kept it for us: no echo of ours that was sent not long ago has come before it."""

    @property
    def size(self) -> int:
        """Bytes that it holds in memory, as far as they depend on the sender."""
        return len(self.payload) + len(self.topic)
