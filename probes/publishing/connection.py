"""One MQTT 5 connection of the probe: paho driven by asyncio, a few calls wide.

Ours, because aiomqtt throws away what a PUBACK says (see docs/decisions/035). A connection is used once: when
it is lost, a new one is opened, so that nothing of the old one (paho's own queue of messages) comes back.
It watches progress, not only the socket: when nothing is acknowledged for a while, it ends itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from probes.publishing.goodbye import say_goodbye
from telemetry.codec import MAX_REPORT_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from concurrent.futures import Executor

    from paho.mqtt.reasoncodes import ReasonCode

CONNECT_S: Final = 10.0
PROGRESS_S: Final = 20.0
"""With a publish or subscribe unacknowledged for so long, the connection counts as dead."""
TICK_S: Final = 1.0
NO_MATCHING_SUBSCRIBERS: Final = 0x10
BAD_USER_OR_PASSWORD: Final = 0x86
NOT_AUTHORIZED: Final = 0x87
_CERTIFICATE_DATES: Final = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
FAILURE: Final = 0x80
"""Reason codes from here on are failures (MQTT 5, 2.4)."""


class ConnectionLost(Exception):  # noqa: N818 - says what happened
    """The broker cannot be reached, refused us, or went away; the text says why."""


class TurnedAway(ConnectionLost):
    """The broker is there and does not know us, or not by this password."""


class NameUnknown(ConnectionLost):
    """The broker's name cannot be looked up."""


class Untrusted(ConnectionLost):
    """Whoever answers cannot prove to be our broker: its certificate is out of date, another authority's or another name's."""


class Incoming(NamedTuple):
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool
    response_topic: str | None
    correlation: bytes | None


@dataclass(frozen=True)
class Will:
    """What the broker says, retained, when we are gone without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True)
class BrokerAccess:
    """How to reach the broker, and as whom."""

    host: str
    port: int
    client_id: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 20
    connect_s: float = CONNECT_S
    progress_s: float = PROGRESS_S


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of ssl
        """Shake hands, or close.

        Raises:
            OSError: they do not agree.
        """
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True)
class _Pending:
    answer: asyncio.Future[int]
    since_s: float


class Connection:
    """An open connection. Use it from the event loop that opened it only."""

    def __init__(self, access: BrokerAccess, will: Will, on_message: Callable[[Incoming], None]) -> None:
        self._access = access
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._pending: dict[int, _Pending] = {}
        self._client = _client(access, will)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._client.on_publish = self._published
        self._client.on_subscribe = self._subscribed
        self._socket: Any = None

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls, access: BrokerAccess, will: Will, on_message: Callable[[Incoming], None], executor: Executor
    ) -> AsyncIterator[Connection]:
        """Connect; on leaving say goodbye, so that the will is not sent. On leaving by an exception drop the connection.

        Raises:
            ConnectionLost: no route, no name, refused, or no answer within 10 s.
        """
        connection = cls(access, will, on_message)
        try:
            await connection._open(executor)
            async with asyncio.timeout(access.connect_s):
                await connection._accepted
        except TimeoutError:
            connection.abort("the broker does not answer")
            raise ConnectionLost("the broker does not answer") from None
        except BaseException:
            connection.abort("given up")
            raise
        ticker = asyncio.create_task(connection._tick(), name=f"mqtt-tick {access.client_id}")
        try:
            yield connection
        except BaseException:
            connection.abort("dropped")
            raise
        else:
            await connection._goodbye()
        finally:
            ticker.cancel()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, properties: Properties | None = None
    ) -> asyncio.Future[int]:
        """Publish at QoS 1; the future gives the PUBACK's reason code, or raises ConnectionLost.

        Raises:
            ConnectionLost: it is lost already.
        """
        self._must_live()
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise ConnectionLost(paho.error_string(info.rc))
        return self._expect(info.mid)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Subscribe at QoS 1; retained messages come (again) with each call.

        Raises:
            ConnectionLost: the connection is lost, or the broker refuses one of the topics.
        """
        self._must_live()
        code, mid = self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])
        if code != paho.MQTT_ERR_SUCCESS or mid is None:
            raise ConnectionLost(paho.error_string(code))
        if await self._expect(mid) >= FAILURE:
            raise ConnectionLost("the broker does not let us read our own plan, commands and `stored`")

    async def lost(self) -> str:
        """Wait until the connection is lost; why."""
        return await asyncio.shield(self._lost)

    def abort(self, reason: str) -> None:
        """Drop the connection without a word: the broker sends the will."""
        self._end(reason)

    async def _open(self, executor: Executor) -> None:
        """Resolve, connect and send CONNECT off the loop, for these block; then let the loop watch the socket."""
        opening = self._loop.run_in_executor(
            executor,
            lambda: self._client.connect(
                self._access.host,
                self._access.port,
                self._access.keepalive_s,
                clean_start=True,
                properties=_connect_properties(),
            ),
        )
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_late)
            raise
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; a name that is none a ValueError
            raise _lost(error) from error
        self._socket = self._client.socket()
        if self._socket is None:  # reset before our CONNECT was out: paho has closed it and says nothing
            raise ConnectionLost("the connection was reset at once")
        self._client.on_socket_register_write = lambda *_: self._loop.add_writer(self._socket, self._write)
        self._client.on_socket_unregister_write = lambda *_: self._no_more_to_write()
        self._client.on_socket_close = lambda *_: self._unwatch()
        self._loop.add_reader(self._socket, self._read)
        if self._client.want_write():
            self._loop.add_writer(self._socket, self._write)

    def _close_late(self, opening: asyncio.Future[Any]) -> None:
        """The connecting thread came back after we had given up: close what it opened."""
        if (
            not opening.cancelled()
            and opening.exception() is None
            and (late := self._client.socket()) is not None
        ):
            late.close()

    def _read(self) -> None:
        self._guarded(self._read_all)

    def _read_all(self) -> None:
        self._client.loop_read()
        while (
            isinstance(self._socket, ssl.SSLSocket) and self._socket.fileno() >= 0 and self._socket.pending()
        ):
            self._client.loop_read()  # decrypted bytes that no selector will tell of

    def _write(self) -> None:
        self._guarded(self._client.loop_write)

    def _guarded(self, step: Callable[[], object]) -> None:
        """Whatever paho makes of a broken packet ends this connection, never the agent."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - paho raises anything from struct.error on
            self._end(f"{type(error).__name__}: {error}")

    async def _tick(self) -> None:
        """Keepalive and the watch on progress."""
        while not self._lost.done():
            await asyncio.sleep(min(TICK_S, self._access.progress_s / 4))
            self._guarded(self._client.loop_misc)
            oldest_s = min((pending.since_s for pending in self._pending.values()), default=None)
            if oldest_s is not None and self._loop.time() - oldest_s > self._access.progress_s:
                self._end(f"nothing acknowledged for {self._access.progress_s:g} s")

    def _expect(self, mid: int) -> asyncio.Future[int]:
        answer: asyncio.Future[int] = self._loop.create_future()
        self._pending[mid] = _Pending(answer, self._loop.time())
        return answer

    def _settle(self, mid: int, code: int) -> None:
        pending = self._pending.pop(mid, None)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(code)

    def _must_live(self) -> None:
        if self._lost.done():
            raise ConnectionLost(self._lost.result())

    def _connected(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:  # noqa: ANN401 - paho's
        if self._accepted.done():
            return
        if reason.is_failure:
            unknown = reason.value in {BAD_USER_OR_PASSWORD, NOT_AUTHORIZED}
            kind = TurnedAway if unknown else ConnectionLost
            self._accepted.set_exception(kind(f"the broker refuses us: {reason}"))
        else:
            self._accepted.set_result(None)

    def _disconnected(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:  # noqa: ANN401 - paho's
        self._end(f"connection lost: {reason}")

    def _message(self, _c: Any, _u: Any, message: paho.MQTTMessage) -> None:  # noqa: ANN401 - paho's
        properties = message.properties
        self._on_message(
            Incoming(
                message.topic,
                bytes(message.payload),
                message.retain,
                getattr(properties, "ResponseTopic", None),
                getattr(properties, "CorrelationData", None),
            )
        )

    def _published(self, _c: Any, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:  # noqa: ANN401 - paho's
        self._settle(mid, reason.value)

    def _subscribed(self, _c: Any, _u: Any, mid: int, reasons: list[ReasonCode], _p: Any) -> None:  # noqa: ANN401
        self._settle(mid, max((reason.value for reason in reasons), default=FAILURE))

    async def _goodbye(self) -> None:
        """Leave in order, so that the broker reads all of it."""
        try:
            if not self._lost.done():
                await say_goodbye(self._socket, lambda: self._guarded(self._disconnect), self.lost)
        finally:
            self._end("closed")

    def _disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_write()

    def _end(self, reason: str) -> None:
        """Close the socket and fail everything that waits, once."""
        if not self._lost.done():
            self._lost.set_result(reason)
        if not self._accepted.done():
            self._accepted.set_exception(ConnectionLost(reason))
            self._accepted.exception()  # nobody may be waiting any more
        self._unwatch()
        if self._socket is not None:
            self._socket.close()
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(ConnectionLost(reason))
                pending.answer.exception()
        self._pending.clear()

    def _no_more_to_write(self) -> None:
        if self._socket is not None and self._socket.fileno() >= 0:  # paho says it once more when it goes
            self._loop.remove_writer(self._socket)

    def _unwatch(self) -> None:
        if self._socket is not None and self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)


def _client(access: BrokerAccess, will: Will) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=access.client_id,
        protocol=paho.MQTTv5,
        reconnect_on_failure=False,
    )
    client.connect_timeout = access.connect_s / 2
    client.max_inflight_messages_set(0)  # the publisher bounds what is in flight
    client.will_set(will.topic, will.payload, qos=1, retain=True)
    if access.user:
        client.username_pw_set(access.user, access.password)
    if access.tls is not None:
        access.tls.sslsocket_class = _TidySocket
        client.tls_set_context(access.tls)
    return client


def _connect_properties() -> Properties:
    """No session is kept: what matters is retained, or in the spool. Large messages are not for us."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0
    properties.MaximumPacketSize = MAX_REPORT_BYTES
    return properties


def _lost(error: Exception) -> ConnectionLost:
    """What kept us from connecting, in a line that says where to look."""
    if isinstance(error, socket.gaierror):
        return NameUnknown(f"its name cannot be looked up: {error.strerror}")
    if isinstance(error, ssl.SSLCertVerificationError):
        by_date = error.verify_code in _CERTIFICATE_DATES
        today = time.strftime("%Y-%m-%d", time.gmtime())
        hint = f" (this machine's clock says {today})" if by_date else ""
        return Untrusted(f"certificate verify failed: {error.verify_message}{hint}")
    return ConnectionLost(getattr(error, "strerror", None) or str(error) or type(error).__name__)
