"""One connection to the broker: MQTT 5 on our own event loop, without a thread (decision 086).

Reading can simply stop, in the middle of what has arrived (back-pressure: the broker keeps what we do not read; its own
in-flight window is not to be relied upon, eclipse-mosquitto #2301), and acknowledging is left to us.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from collector import packets
from collector.broker.embedded.packets import Kind
from collector.broker.embedded.reasons import PacketError, Reason
from collector.message import Message
from collector.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.packets import Connack, Wish

CONNECT_S: Final = 5.0
CONNACK_S: Final = 10.0
MAX_UNACKED_PUBLISHES: Final = 500
MAX_PACKET_BYTES: Final = 1024 * 1024
"""Greater ones the broker must keep to itself; reports between their own bound and this are refused and counted."""
BUFFER_BYTES: Final = 2 * MAX_PACKET_BYTES
_MAX_MID: Final = 65_535
_WAITED_S: Final = 30.0
"""What the broker kept for us for no longer is no older than it seems to be."""
_TOPICS_REMEMBERED: Final = 20_000


class LinkError(ConnectionError):
    """The broker cannot be reached, or will not have us; the text says why."""


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How to introduce ourselves."""

    host: str
    port: int
    client_id: str = ""
    clean_start: bool = True
    session_expiry_s: int = 0
    receive_maximum: int = 65_535
    keepalive_s: int = 60
    connack_s: float = CONNACK_S
    user: str = ""
    password: str = field(default="", repr=False)
    login: Callable[[], tuple[str, str]] | None = field(default=None, repr=False)
    """User and password asked for anew at each connection; wins over the two above."""
    ca: str = ""
    """PEM file of the authority that vouches for the broker; empty: no TLS."""


class Properties(Protocol):
    """Properties of a publication, as paho's class of that name has them."""

    def pack(self) -> bytes:
        """Their length and themselves, as they go on the wire."""
        ...


class Link(asyncio.BufferedProtocol):
    """A connection from CONNECT to its loss. Everything happens on the event loop."""

    def __init__(
        self,
        number: int,
        options: LinkOptions,
        receive: Callable[[Message], None],
        now_ns: Callable[[], int],
    ) -> None:
        self.number = number
        self._now_ns = now_ns
        self._options = options
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[Connack] = self._loop.create_future()
        self._suback: asyncio.Future[list[int]] = self._loop.create_future()
        self._unsuback: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._login: tuple[str, str] | None = None
        self._transport: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._at = 0
        self._filled = 0
        self._reading = True
        self._topics: dict[bytes, str] = {}
        self._acks = bytearray()
        self._mid = 0
        self._unanswered: set[int] = set()
        self._may_publish = MAX_UNACKED_PUBLISHES
        self._keepalive_s = float(options.keepalive_s)
        self._said_s = self._heard_s = self._loop.time()
        self._pinged = False
        self.session_present = False
        self.current_s = -math.inf
        """By the loop's clock: what comes now reached the broker after this."""
        self.packets_in = 0
        """Packets seen, of any kind that says the broker is alive to us."""
        self.published: Callable[[int, int], None] = lambda _mid, _code: None
        """Called with message id and reason code of every PUBACK."""

    async def open(self) -> None:
        """Connect and wait until the broker has accepted us.

        Raises:
            LinkError: it cannot be reached, refuses us or does not answer.
        """
        options = self._options
        self._login = options.login() if options.login else None
        user, password = self._login or (options.user, options.password)
        try:
            tls = client_context(options.ca) if options.ca else None
            async with asyncio.timeout(CONNECT_S):
                await self._loop.create_connection(lambda: self, options.host, options.port, ssl=tls)
        except TimeoutError as error:
            raise LinkError(f"{self._where}: no connection within {CONNECT_S:.0f} s") from error
        except OSError as error:
            raise LinkError(f"{self._where}: {error.strerror or error}") from error
        self._send(
            packets.connect(
                options.client_id,
                clean_start=options.clean_start,
                keepalive_s=options.keepalive_s,
                session_expiry_s=options.session_expiry_s,
                receive_maximum=options.receive_maximum,
                max_packet_bytes=MAX_PACKET_BYTES,
                user=user,
                password=password,
            )
        )
        await self._accepted()

    async def lost(self, timeout_s: float) -> str | None:
        """Why the connection was lost, or None when it still stands after `timeout_s`."""
        await asyncio.wait({self._lost}, timeout=timeout_s)
        return self._lost.result() if self._lost.done() else None

    @property
    def login_is_old(self) -> bool:
        """Whether user and password are others by now than those that we came with."""
        return self._options.login is not None and self._options.login() != self._login

    def subscribe(self, wishes: Sequence[Wish]) -> asyncio.Future[list[int]]:
        """Ask for subscriptions; the future holds one reason code each.

        A resumed session's backlog comes *before* the answer, so nobody may wait for it before consuming.
        """
        self._send(packets.subscribe(self._next_mid(), wishes))
        return self._suback

    def unsubscribe(self, filters: Sequence[str]) -> asyncio.Future[None]:
        """Give subscriptions back; the future is done when what the broker had sent before has been read, or it is lost."""
        self._send(packets.unsubscribe(self._next_mid(), filters))
        return self._unsuback

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool, properties: Properties | None = None
    ) -> int | None:
        """Hand over a publication; its message id, or None when it was not taken (too many are unanswered)."""
        if self._lost.done() or self._transport is None:
            return None
        mid = 0
        if qos:
            if len(self._unanswered) >= self._may_publish:
                return None
            mid = self._next_mid()
            self._unanswered.add(mid)
        packed = b"\x00" if properties is None else bytes(properties.pack())
        self._send(packets.publish(topic, payload, qos, mid, retain=retain, properties=packed))
        return mid

    def acknowledge(self, message: Message) -> None:
        """PUBACK one message that came on this very connection."""
        if message.qos:
            self._answer(packets.puback(message.mid))

    def refuse(self, message: Message) -> None:
        """PUBACK one that we do not take now, with the reason "quota exceeded": the broker forgets it all the same."""
        if message.qos:
            self._answer(packets.puback(message.mid, Reason.QUOTA_EXCEEDED))

    def pause(self) -> None:
        """Stop reading; the kernel's buffer fills and the broker holds the rest."""
        if self._reading:
            self._reading = False
            if self._transport is not None:
                self._transport.pause_reading()

    def resume(self) -> None:
        """Read again, first what has arrived already."""
        if not self._reading:
            self._reading = True
            self._heard_s = self._loop.time()
            self._loop.call_soon(self._read_on)

    def keep_alive(self) -> None:
        """Ping when nothing was said for long; cut a connection that does not answer (unless we do not read)."""
        now = self._loop.time()
        if not self._keepalive_s or self._lost.done():
            return
        if now - self._said_s >= self._keepalive_s / 2:
            self._send(packets.PINGREQ)
            self._pinged = True
        if self._reading and self._pinged and now - self._heard_s > 1.5 * self._keepalive_s:
            self.drop("no answer to our pings")

    def drop(self, reason: str) -> None:
        """Cut the connection as if it had been lost."""
        if self._transport is not None:
            self._transport.abort()
        self._give_up(reason)

    def close(self) -> None:
        """Say goodbye as far as the socket takes it, and let go."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            self._flush()
            transport.write(packets.DISCONNECT)
            if transport.get_write_buffer_size():
                transport.abort()  # it does not even take our words
            else:
                transport.close()
        self._give_up("closed")

    # ------------------------------------------------------------------ opening

    @property
    def _where(self) -> str:
        return f"broker {self._options.host}:{self._options.port}"

    async def _accepted(self) -> None:
        waits: set[asyncio.Future[Any]] = {self._connack, self._lost}
        await asyncio.wait(waits, timeout=self._options.connack_s, return_when=asyncio.FIRST_COMPLETED)
        if not self._connack.done():
            why = (
                self._lost.result()
                if self._lost.done()
                else f"no CONNACK within {self._options.connack_s:g} s"
            )
            self.close()
            raise LinkError(f"{self._where}: {why}")
        connack = self._connack.result()
        if connack.reason >= packets.FAILURE:
            self.close()
            raise LinkError(f"{self._where} refuses us: {packets.reason_text(connack.reason)}")

    # ------------------------------------------------------------------ what asyncio tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._lost.done():
            transport.abort()
        else:  # in a moment: Debian 12's asyncio (3.11.2) begins to read after this call, paused or not
            self._loop.call_soon(self._stay_paused)

    def _stay_paused(self) -> None:
        if not self._reading and self._transport is not None:
            self._transport.pause_reading()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the next bytes go; there is always room, for a packet takes at most half of the buffer."""
        if self._at:
            self._buffer[: self._filled - self._at] = self._buffer[self._at : self._filled]
            self._filled -= self._at
            self._at = 0
        return self._buffer[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have arrived."""
        self._filled += nbytes
        self._heard_s = self._loop.time()
        self._parse()

    def eof_received(self) -> None:
        """The broker has said its last."""
        self._give_up("the connection was lost")

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._give_up(f"the connection was lost: {exc}" if exc else "the connection was lost")

    # ------------------------------------------------------------------ packets

    def _read_on(self) -> None:
        """Take up what was left in the buffer when reading stopped, and then the socket."""
        self._parse()
        if self._reading and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _parse(self) -> None:
        buffer, now_ns = self._buffer, self._now_ns()
        try:
            while self._reading and not self._lost.done():
                span = packets.frame_at(buffer, self._at, self._filled, MAX_PACKET_BYTES)
                if span is None:
                    break
                head, (start, stop) = buffer[self._at], span
                self._at = stop
                self.packets_in += 1
                if head >> 4 == Kind.PUBLISH:
                    self._on_publish(head, start, stop, now_ns)
                else:
                    self._on_other(head >> 4, bytes(buffer[start:stop]))
        except PacketError as error:
            self.drop(f"it breaks the protocol: {error}")
        if self._at == self._filled:
            self._at = self._filled = 0

    def _on_publish(self, head: int, start: int, stop: int, now_ns: int) -> None:
        topic, payload, qos, retained, mid, age_ms = packets.read_publish(head, self._buffer, start, stop)
        name = self._topics.get(topic) or self._topic(topic)
        kept = self._loop.time() - self.current_s > _WAITED_S
        self._receive(Message(name, payload, now_ns, retained, age_ms, qos, mid, self.number, kept))

    def _topic(self, raw: bytes) -> str:
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            return ""
        if len(self._topics) >= _TOPICS_REMEMBERED:
            self._topics.clear()
        self._topics[raw] = topic
        return topic

    def _on_other(self, kind: int, body: bytes) -> None:
        match kind:
            case Kind.PUBACK:
                mid, reason = packets.read_puback(body)
                self._unanswered.discard(mid)
                self.published(mid, reason)
            case Kind.CONNACK:
                self._on_connack(packets.read_connack(body))
            case Kind.SUBACK:
                if not self._suback.done():
                    self._suback.set_result(packets.read_suback(body))
            case Kind.UNSUBACK:
                if not self._unsuback.done():
                    self._unsuback.set_result(None)
            case Kind.PINGRESP:
                self._pinged = False
            case Kind.DISCONNECT:
                reason = packets.read_disconnect(body)
                self.drop(f"it closed the connection: {packets.reason_text(reason)}")
            case _:
                raise PacketError(Reason.PROTOCOL_ERROR, f"packet type {kind} is not for a client")

    def _on_connack(self, connack: Connack) -> None:
        self.session_present = connack.session_present
        if not connack.session_present:
            self.current_s = self._loop.time()
        self._may_publish = min(MAX_UNACKED_PUBLISHES, connack.receive_maximum)
        if connack.keepalive_s is not None:
            self._keepalive_s = float(connack.keepalive_s)
        if not self._connack.done():
            self._connack.set_result(connack)

    # ------------------------------------------------------------------ sending

    def _answer(self, puback: bytes) -> None:
        """PUBACKs go out together: one write for all of a batch."""
        if self._lost.done():
            return
        if not self._acks:
            self._loop.call_soon(self._flush)
        self._acks += puback

    def _flush(self) -> None:
        if self._acks:
            acks, self._acks = bytes(self._acks), bytearray()
            self._send(acks)

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._lost.done():
            self._said_s = self._loop.time()
            self._transport.write(data)

    def _next_mid(self) -> int:
        while True:
            self._mid = self._mid % _MAX_MID + 1
            if self._mid not in self._unanswered:
                return self._mid

    def _give_up(self, reason: str) -> None:
        if not self._unsuback.done():
            self._unsuback.set_result(None)
        if not self._lost.done():
            self._lost.set_result(reason)
