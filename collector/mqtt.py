"""The bridge to the broker: connected whenever it can be, reading only while there is room, acknowledging when told.

A watchdog looks at progress, not at the socket: a small echo of our own goes through the broker and must come
back the way the reports do. When nothing at all has come for `Patience.stalled_s` although we read, the connection
is cut and made anew (a subscription that the broker has lost looks healthy on the socket). The echo also tells what
the broker had kept for us: all that has come before it (decision 189).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final

from collector.backoff import Backoff
from collector.link import Link, LinkError, LinkOptions
from collector.packets import FAILURE, RetainHandling, Wish, reason_text
from telemetry.topics import Leaf, shared_subscription, subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.properties import Properties

    from collector.message import Message

log = logging.getLogger(__name__)

ROLE: Final = "collector"
GROUP: Final = "collectors"
ECHO_S: Final = 5.0
STALLED_S: Final = 20.0
SYS_DROPPED: Final = "$SYS/broker/publish/messages/dropped"
SESSION_EXPIRY_S: Final = 3600
_TICK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the bridge waits."""

    stalled_s: float = STALLED_S
    """Nothing came for so long: connect anew."""
    retry_s: float = 15.0
    """Before connecting again, at most."""

    @property
    def echo_s(self) -> float:
        """Between two echoes: four may be lost."""
        return min(ECHO_S, self.stalled_s / 4)


class Sending(Enum):
    """What became of a publication."""

    SENT = "sent"
    HELD = "held"  # not connected, or too many are unanswered: offer it again


@dataclass(frozen=True, slots=True)
class Membership:
    """How collectors divide the reports.

    Alone: a stable client id and a session that outlives us by an hour. Shared: `$share`, clean start and
    expiry 0, because a dead member's session would swallow messages (measured: 50 of 100).
    """

    client_id: str
    shared: bool = False

    @property
    def role(self) -> str:
        """What it is called among the parts of the house; a role is held by one at a time."""
        return self.client_id.removeprefix("tatpar-") if self.shared else ROLE

    @classmethod
    def alone(cls, root: str) -> Membership:
        """The only collector of a topic root."""
        return cls(f"tatpar-collector-{root.replace('/', '-')}")

    @classmethod
    def member(cls) -> Membership:
        """One of several."""
        return cls(f"tatpar-collector-{uuid.uuid4().hex[:12]}", shared=True)


@dataclass(slots=True)
class BridgeCounters:
    """What the bridge did since it was made."""

    connects: int = 0
    connected: bool = False
    session_resumed: int = 0
    stalls: int = 0
    pauses: int = 0
    paused_s: float = 0.0
    publishes_held: int = 0
    publishes_refused: int = 0
    echo_ms: float | None = None
    broker_dropped: int | None = None
    """Messages that the broker says it dropped (`$SYS`), when it says so."""


class Bridge:
    """Keeps one link to the broker for as long as it runs."""

    def __init__(  # noqa: PLR0913 - what it needs of its surroundings
        self,
        options: LinkOptions,
        root: str,
        membership: Membership,
        receive: Callable[[Message], None],
        *,
        now_ns: Callable[[], int] = time.time_ns,
        patience: Patience | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self._options = replace(
            options,
            client_id=membership.client_id,
            clean_start=membership.shared,
            session_expiry_s=0 if membership.shared else SESSION_EXPIRY_S,
        )
        self._root = root
        self._shared = membership.shared
        self._receive = receive
        self._now_ns = now_ns
        self._echo_topic = f"{root}/{membership.client_id}/echo"
        self._token = uuid.uuid4().hex.encode()
        """Whose an echo is: the broker may have kept one of whoever ran before us."""
        self._link: Link | None = None
        self._links = 0
        self._ready = False
        self._leaving = False
        self._paused_at: float | None = None
        self._echo_due = 0.0
        self._progress = (0, 0.0)
        self.counters = BridgeCounters()
        self.on_connected: Callable[[], None] = lambda: None
        """Called when the subscriptions stand; what was published before may be unknown to the broker."""

    async def run(self) -> None:
        """Stay connected until cancelled."""
        backoff = Backoff(0.25, self._patience.retry_s)
        said = ""
        while True:
            try:
                reason = await self._one_link(backoff)
            except LinkError as error:
                reason = str(error)
            if backoff.failures == 0 or reason != said:
                extra = {"event": "broker.lost", "reason": reason}
                log.warning("no connection to the broker: %s; trying again", reason, extra=extra)
                said = reason
            await asyncio.sleep(backoff.next_s())

    def pause(self) -> None:
        """Stop reading from the broker."""
        if self._paused_at is None:
            self._paused_at = self._now()
            self.counters.pauses += 1
            if self._link is not None:
                self._link.pause()

    def resume(self) -> None:
        """Read again."""
        if self._paused_at is not None:
            self.counters.paused_s += self._now() - self._paused_at
            self._paused_at = None
            if self._link is not None:
                self._link.resume()
                self._progress = (self._link.packets_in, self._now())

    @property
    def paused(self) -> bool:
        """Whether reading is stopped."""
        return self._paused_at is not None

    def acknowledge(self, message: Message) -> None:
        """PUBACK a message; one of an earlier connection is left to come again."""
        if self._link is not None and self._link.number == message.link:
            self._link.acknowledge(message)

    def defer(self, message: Message) -> None:
        """PUBACK a message that is refused for now: the broker is to forget it, its probe keeps it."""
        if self._link is not None and self._link.number == message.link:
            self._link.refuse(message)

    def publish(
        self, topic: str, payload: bytes, *, retain: bool, properties: Properties | None = None
    ) -> Sending:
        """Publish at QoS 1, or say that it must be offered again."""
        if self._link is None or not self._ready:
            return Sending.HELD
        if self._link.publish(topic, payload, 1, retain=retain, properties=properties) is None:
            self.counters.publishes_held += 1
            return Sending.HELD
        return Sending.SENT

    async def leave(self) -> None:
        """Give our share of the reports to the others; what the broker had sent us before has then been received.

        Returns at once when we are alone or not connected. Whoever may wait only so long cancels it.
        """
        self._leaving = True
        if self._shared and self._ready and self._link is not None:
            await self._link.unsubscribe([wish.filter for wish in self._reports()])

    # ------------------------------------------------------------------ one connection

    async def _one_link(self, backoff: Backoff) -> str:
        self._links += 1
        link = Link(self._links, self._options, self._on_message, self._now_ns)
        link.published = self._on_published
        self._progress = (0, self._now())
        self._link = link  # a resumed session's backlog may come while `open` still waits for its turn
        try:
            await link.open()
            return await self._serve(link, backoff)
        finally:
            self._link = None
            self._ready = False
            self.counters.connected = False
            link.close()

    async def _serve(self, link: Link, backoff: Backoff) -> str:
        if self.paused:
            link.pause()
        self.counters.session_resumed += link.session_present
        suback = link.subscribe(self._filters())
        while (reason := await link.lost(_TICK_S)) is None:
            if suback.done() and not self._ready:
                refused = [reason_text(code) for code in suback.result()[: self._needed] if code >= FAILURE]
                if refused:
                    return f"it refuses our subscriptions: {refused[0]}"
                self._stand(link, backoff)
            self._tick(link)
        return reason

    def _stand(self, link: Link, backoff: Backoff) -> None:
        self._ready = True
        self.counters.connects += 1
        self.counters.connected = True
        backoff.reset()
        log.info(
            "connected to the broker at %s:%s%s",
            self._options.host,
            self._options.port,
            ", session resumed" if link.session_present else "",
            extra={"event": "broker.connected", "session_resumed": link.session_present},
        )
        self._echo_due = self._now()
        self.on_connected()

    def _filters(self) -> list[Wish]:
        """What we ask for: the needed ones first, then `$SYS`, which a broker may refuse."""
        spared = RetainHandling.DO_NOT_SEND
        return [
            *(() if self._leaving else self._reports()),
            Wish(subscription(self._root, Leaf.PRESENCE)),
            Wish(subscription(self._root, Leaf.ANSWER), retained=spared),
            Wish(self._echo_topic, retained=spared),
            Wish(SYS_DROPPED, qos=0),
        ]

    def _group(self) -> str:
        """The members' group, by a name that follows from the hub's password.

        Mosquitto lets anybody join a group and then drops what he may not read: a probe that could guess the name
        would swallow its share of everybody's reports (measured: 50 of 100).
        """
        options = self._options
        password = options.login()[1] if options.login else options.password
        return GROUP + (
            f"-{hashlib.sha256(f'share {password}'.encode()).hexdigest()[:16]}" if password else ""
        )

    def _reports(self) -> list[Wish]:
        """The reports, all of them or our share."""
        reports = partial(shared_subscription, group=self._group()) if self._shared else subscription
        retained = RetainHandling.SEND if self._shared else RetainHandling.DO_NOT_SEND
        return [Wish(reports(self._root, leaf), retained=retained) for leaf in (Leaf.REPORT, Leaf.BACKLOG)]

    @property
    def _needed(self) -> int:
        return len(self._filters()) - 1

    def _tick(self, link: Link) -> None:
        link.keep_alive()
        now = self._now()
        if self._ready and now >= self._echo_due:
            self._echo_due = now + self._patience.echo_s
            # at QoS 0 while paused: its PUBACK would lie unread; either way the broker hears from us
            echo = b"%s %r" % (self._token, now)
            link.publish(self._echo_topic, echo, 0 if self.paused else 1, retain=False)
        if self.paused or link.packets_in != self._progress[0]:
            self._progress = (link.packets_in, now)
        elif now - self._progress[1] > self._patience.stalled_s:
            self.counters.stalls += 1
            link.drop(f"nothing came through the broker for {self._patience.stalled_s:g} s")
        if link.login_is_old:
            link.drop("there is a new password: coming back with it")

    def _on_message(self, message: Message) -> None:
        if message.topic == self._echo_topic:
            self._on_echo(message)
        elif message.topic == SYS_DROPPED:
            self._on_dropped(message.payload)
        else:
            self._receive(message)

    def _on_echo(self, message: Message) -> None:
        """What the broker had for us when it was sent has come before it; at QoS 0 it may have overtaken some."""
        self.acknowledge(message)
        token, _, sent = message.payload.partition(b" ")
        if token != self._token or self._link is None:
            return
        self.counters.echo_ms = 1e3 * (self._now() - float(sent))
        if message.qos:
            self._link.current_s = max(self._link.current_s, float(sent))

    def _on_dropped(self, payload: bytes) -> None:
        if not payload.isdigit() or len(payload) > 18:
            return
        dropped = int(payload)
        before, self.counters.broker_dropped = self.counters.broker_dropped, dropped
        if before is not None and dropped > before:
            log.warning(
                "the broker dropped %d messages (%d since it started); the probes send them again",
                dropped - before,
                dropped,
                extra={"event": "broker.dropped", "dropped": dropped - before, "dropped_in_all": dropped},
            )

    def _on_published(self, mid: int, reason: int) -> None:
        if reason >= 0x80:
            self.counters.publishes_refused += 1
            if self.counters.publishes_refused == 1:
                extra = {"event": "broker.publish-refused", "reason_code": reason}
                log.warning("the broker refused publication %d with reason 0x%02x", mid, reason, extra=extra)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
