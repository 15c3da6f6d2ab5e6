"""A client's session: its subscriptions and the messages that wait for it; it may outlive the connection."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from collector.broker.embedded.properties import Property

if TYPE_CHECKING:
    from collector.broker.embedded.limits import Account, Limits
    from collector.broker.embedded.packets import Publish, Wish
    from collector.broker.embedded.properties import Properties

_OVERHEAD: Final = 256
"""Bytes that a waiting message costs beside its own."""


class Offer(Enum):
    """What became of a message offered to a subscriber."""

    TAKEN = "taken"
    DROPPED = "dropped"  # nobody has a claim on it: QoS 0, or it could never be delivered
    FULL = "full"  # it has a claim on it, and there is no room


class Line(Protocol):
    """A session's connection, as far as the session needs it."""

    @property
    def is_writable(self) -> bool:
        """Whether more may be sent now."""
        ...

    def send_publish(self, message: Publish) -> bool:
        """Send a message; False when the client said it takes none so large."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way to subscribers, with the monotonic second at which it expires."""

    publish: Publish
    expires_s: float | None = None

    @property
    def size(self) -> int:
        """Bytes that it costs while it waits."""
        return len(self.publish.payload) + len(self.publish.topic) + _OVERHEAD

    def at(self, now_s: float) -> Publish | None:
        """The packet to send now, its remaining life written into it; None when that is over."""
        if self.expires_s is None:
            return self.publish
        if now_s >= self.expires_s:
            return None
        left_s = max(1, round(self.expires_s - now_s))
        properties: Properties = tuple(
            (i, left_s if i == Property.MESSAGE_EXPIRY else value) for i, value in self.publish.properties
        )
        return replace(self.publish, properties=properties)


@dataclass(slots=True)
class Session:
    """State of one client id (4.1)."""

    client_id: str
    account: Account
    limits: Limits
    expiry_s: int = 0
    ends_s: float | None = None
    """When a session without a connection ends; None while it is connected."""
    line: Line | None = None
    receive_maximum: int = 65_535
    subscriptions: dict[str, Wish] = field(default_factory=dict)
    waiting: deque[Message] = field(default_factory=deque)
    inflight: dict[int, Message] = field(default_factory=dict)
    """Sent at QoS 1 and not acknowledged, in order of sending."""
    bytes_held: int = 0
    last_mid: int = 0

    def offer(self, message: Message, now_s: float) -> Offer:
        """Take a message for delivery, at once or later."""
        if message.publish.qos == 0:
            if self.line is None or not self._has_room(message):
                self.account.dropped += self.line is not None
                return Offer.DROPPED
        elif not self._has_room(message):
            self.account.dropped += 1
            return Offer.FULL
        self._hold(message)
        self.waiting.append(message)
        self.pump(now_s)
        return Offer.TAKEN

    def pump(self, now_s: float) -> None:
        """Send what may be sent: while the line is writable and the client's window is open."""
        line = self.line
        if line is None:
            return
        window = min(self.receive_maximum, self.limits.inflight)
        while self.waiting and line.is_writable:
            if self.waiting[0].publish.qos and len(self.inflight) >= window:
                return
            self._send(self.waiting.popleft(), line, now_s)

    def acknowledged(self, mid: int, now_s: float) -> None:
        """The client has settled a message; one that it was not sent is ignored."""
        message = self.inflight.pop(mid, None)
        if message is not None:
            self._release(message)
            self.pump(now_s)

    def resume(self, line: Line, now_s: float) -> None:
        """Serve a new connection: first again what was not acknowledged, as duplicates, then the rest (4.4)."""
        self.line, self.ends_s = line, None
        unsettled, self.inflight = self.inflight, {}
        for mid, message in unsettled.items():
            packet = message.at(now_s) or message.publish  # sent once: it must be settled even when expired
            if line.send_publish(replace(packet, mid=mid, dup=True)):
                self.inflight[mid] = message
            else:
                self._drop(message)
        self.pump(now_s)

    def detach(self, now_s: float) -> None:
        """The connection is gone. QoS 0 messages have no claim on waiting."""
        self.line = None
        self.ends_s = now_s + self.expiry_s
        kept: deque[Message] = deque()
        for message in self.waiting:
            if message.publish.qos:
                kept.append(message)
            else:
                self._drop(message)
        self.waiting = kept

    def discard(self) -> int:
        """Let go of everything that waits; how many messages that were."""
        lost = [*self.inflight.values(), *self.waiting]
        for message in lost:
            self._release(message)
        self.inflight.clear()
        self.waiting.clear()
        return len(lost)

    def _send(self, message: Message, line: Line, now_s: float) -> None:
        packet = message.at(now_s)
        if packet is None:
            self.account.expired += 1
            self._release(message)
            return
        mid = self._next_mid() if packet.qos else 0
        if not line.send_publish(replace(packet, mid=mid)):
            self._drop(message)
            return
        self.account.delivered += 1
        if packet.qos:
            self.inflight[mid] = message
        else:
            self._release(message)

    def _next_mid(self) -> int:
        mid = self.last_mid
        while True:
            mid = mid % 65_535 + 1
            if mid not in self.inflight:
                self.last_mid = mid
                return mid

    def _has_room(self, message: Message) -> bool:
        return (
            len(self.waiting) + len(self.inflight) < self.limits.session_messages
            and self.bytes_held + message.size <= self.limits.session_bytes
            and self.account.waiting_bytes + message.size <= self.limits.total_bytes
        )

    def _hold(self, message: Message) -> None:
        self.bytes_held += message.size
        self.account.waiting_bytes += message.size

    def _release(self, message: Message) -> None:
        self.bytes_held -= message.size
        self.account.waiting_bytes -= message.size

    def _drop(self, message: Message) -> None:
        self.account.dropped += 1
        self._release(message)
