"""One connection to the broker: paho's MQTT 5 client driven by our own event loop.

paho's public callbacks tell us when it wants the socket written; we watch the socket. So there is no thread,
reading can simply stop (back-pressure: the broker keeps what we do not read; its own in-flight window is not to
be relied upon, eclipse-mosquitto #2301), and acknowledging is left to us.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt.client import ConnectFlags, DisconnectFlags, SocketLike
    from paho.mqtt.reasoncodes import ReasonCode
    from paho.mqtt.subscribeoptions import SubscribeOptions

BURST: Final = 64
"""Packets read for one readiness of the socket before other tasks have their turn."""
CONNECT_S: Final = 5.0
CONNACK_S: Final = 10.0
MAX_UNACKED_PUBLISHES: Final = 500
"""Also how many packets paho may read at one go."""
MAX_PACKET_BYTES: Final = 1024 * 1024
"""Greater ones the broker must keep to itself; reports between their own bound and this are refused and counted."""
_AGE: Final = "age-ms"
_AGE_CLOCK: Final = "age-clock"
_MONOTONIC: Final = "monotonic"


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


class Link:
    """A connection from CONNECT to its loss. Everything but the opening happens on the event loop."""

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
        self._connack: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._suback: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._unsuback: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._sock: SocketLike | None = None
        self._reading = False
        self._writing = False
        self._received = 0
        self.session_present = False
        self.packets_in = 0
        """Packets seen, of any kind that says the broker is alive to us."""
        self.published: Callable[[int, int], None] = lambda _mid, _code: None
        """Called with message id and reason code of every PUBACK."""
        self._client = self._make_client()

    async def open(self) -> None:
        """Connect and wait until the broker has accepted us.

        Raises:
            LinkError: it cannot be reached, refuses us or does not answer.
        """
        opening = self._loop.run_in_executor(None, self._dial)  # paho resolves and connects blockingly
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait({opening})
            self.close()
            raise
        except OSError as error:
            raise LinkError(f"{self._where}: {error.strerror or error}") from error
        self._sock = self._client.socket()
        self.resume()
        self._want_write()
        await self._accepted()

    async def lost(self, timeout_s: float) -> str | None:
        """Why the connection was lost, or None when it still stands after `timeout_s`."""
        await asyncio.wait({self._lost}, timeout=timeout_s)
        return self._lost.result() if self._lost.done() else None

    @property
    def is_lost(self) -> bool:
        """Whether there is nothing left to talk to."""
        return self._lost.done()

    def subscribe(self, filters: Sequence[tuple[str, SubscribeOptions]]) -> asyncio.Future[list[ReasonCode]]:
        """Ask for subscriptions; the future holds one reason code each.

        A resumed session's backlog comes *before* the answer, so nobody may wait for it before consuming.
        """
        code, _ = self._client.subscribe(list(filters))
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._give_up(f"subscribe: {code.name}")
        return self._suback

    def unsubscribe(self, filters: Sequence[str]) -> asyncio.Future[None]:
        """Give subscriptions back; the future is done when what the broker had sent before has been read, or it is lost."""
        code, _ = self._client.unsubscribe(list(filters))
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._give_up(f"unsubscribe: {code.name}")
        return self._unsuback

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> int | None:
        """Hand over a publication; its message id, or None when it was not taken (too many are unanswered)."""
        info = self._client.publish(topic, payload, qos, retain)
        return info.mid if info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def acknowledge(self, message: Message) -> None:
        """PUBACK one message that came on this very connection."""
        if message.qos and not self._lost.done():
            self._client.ack(message.mid, message.qos)

    def pause(self) -> None:
        """Stop reading; the kernel's buffer fills and the broker holds the rest."""
        if self._reading and self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._reading = False

    def resume(self) -> None:
        """Read again."""
        if not self._reading and self._sock is not None:
            self._loop.add_reader(self._sock, self._readable)
            self._reading = True

    @property
    def reading(self) -> bool:
        """Whether the socket is being read."""
        return self._reading

    def keep_alive(self) -> None:
        """Let paho ping when it must. Not while paused: the answer would lie unread and be taken for missing."""
        if self._reading:
            self._client.loop_misc()

    def drop(self, reason: str) -> None:
        """Cut the connection as if it had been lost."""
        self.close()
        self._give_up(reason)

    def close(self) -> None:
        """Say goodbye as far as the socket takes it, and let go."""
        self._client.on_disconnect = None
        self._client.disconnect()
        if self._sock is not None:
            self._client.loop_write()
        self._forget_socket()
        self._give_up("closed")

    # ------------------------------------------------------------------ opening

    @property
    def _where(self) -> str:
        return f"broker {self._options.host}:{self._options.port}"

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._options.client_id,
            protocol=MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_queued_messages_set(MAX_UNACKED_PUBLISHES)
        if self._options.user:
            client.username_pw_set(self._options.user, self._options.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_publish = self._on_publish
        client.on_socket_register_write = lambda *_: self._want_write()
        client.on_socket_unregister_write = lambda *_: self._done_writing()
        client.on_socket_close = lambda *_: self._forget_socket()
        return client

    def _dial(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._options.session_expiry_s
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        properties.ReceiveMaximum = self._options.receive_maximum
        self._client.connect(
            self._options.host,
            self._options.port,
            self._options.keepalive_s,
            clean_start=self._options.clean_start,
            properties=properties,
        )

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
        reason = self._connack.result()
        if reason.is_failure:
            self.close()
            raise LinkError(f"{self._where} refuses us: {reason}")

    # ------------------------------------------------------------------ socket

    def _readable(self) -> None:
        for _ in range(BURST):
            before = self._received
            if self._client.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if self._received == before or not self._reading:
                return

    def _want_write(self) -> None:
        # paho calls this from the dialling thread too, when the socket is not ours to watch yet
        if self._sock is not None and not self._writing and self._client.want_write():
            self._loop.add_writer(self._sock, self._client.loop_write)
            self._writing = True

    def _done_writing(self) -> None:
        if self._sock is not None and self._writing:
            self._loop.remove_writer(self._sock)
            self._writing = False

    def _forget_socket(self) -> None:
        self.pause()
        self._done_writing()
        self._sock = None

    def _give_up(self, reason: str) -> None:
        if not self._unsuback.done():
            self._unsuback.set_result(None)
        if not self._lost.done():
            self._lost.set_result(reason)

    # ------------------------------------------------------------------ paho's callbacks

    def _on_connect(
        self, _client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        self.packets_in += 1
        self.session_present = flags.session_present
        if not self._connack.done():
            self._connack.set_result(reason)

    def _on_disconnect(
        self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        said = flags.is_disconnect_packet_from_server
        self._give_up(f"it closed the connection: {reason}" if said else "the connection was lost")

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, codes: list[ReasonCode], _properties: object
    ) -> None:
        self.packets_in += 1
        if not self._suback.done():
            self._suback.set_result(codes)

    def _on_unsubscribe(self, *_: object) -> None:
        self.packets_in += 1
        if not self._unsuback.done():
            self._unsuback.set_result(None)

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        self.packets_in += 1
        self.published(mid, reason.value)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.packets_in += 1
        self._received += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._receive(
            Message(
                topic=topic,
                payload=bytes(message.payload),
                received_ns=self._now_ns(),
                retained=message.retain,
                age_ms=_age_ms(message.properties),
                qos=message.qos,
                mid=message.mid,
                link=self.number,
            )
        )


def _age_ms(properties: Properties | None) -> int | None:
    said = dict(getattr(properties, "UserProperty", ()))
    value = said.get(_AGE, "")
    if said.get(_AGE_CLOCK, _MONOTONIC) != _MONOTONIC or len(value) > 15:
        return None
    return int(value) if value.isascii() and value.isdigit() else None
