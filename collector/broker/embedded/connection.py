"""One client's connection: bytes in, packets to the router, packets out."""

from __future__ import annotations

import asyncio
import hmac
import logging
import uuid
from typing import TYPE_CHECKING, Final, Protocol

from collector.broker.embedded import names, properties, replies
from collector.broker.embedded.framing import Framer
from collector.broker.embedded.packets import (
    V5,
    Connect,
    Disconnect,
    Kind,
    Pingreq,
    Puback,
    Publish,
    Subscribe,
    Unsubscribe,
    parse,
)
from collector.broker.embedded.properties import Property
from collector.broker.embedded.reasons import PacketError, Reason

if TYPE_CHECKING:
    from collector.broker.embedded.limits import Account, Limits
    from collector.broker.embedded.packets import Packet
    from collector.broker.embedded.router import Router
    from collector.broker.embedded.session import Session

log = logging.getLogger(__name__)
_WRITE_BYTES: Final = 64 * 1024
_FOREVER: Final = 0xFFFF_FFFF


class Host(Protocol):
    """A connection's broker, as far as the connection needs it."""

    limits: Limits
    account: Account
    router: Router
    user: str
    password: str
    connected: dict[str, Connection]
    """Connections that have a session, by client id."""

    def now_s(self) -> float:
        """The loop's monotonic time."""
        ...

    def came(self, connection: Connection) -> None:
        """A socket was accepted."""
        ...

    def went(self, connection: Connection) -> None:
        """A socket is gone."""
        ...

    def take_over(self, client_id: str) -> None:
        """A client id connects anew."""
        ...

    def will(self, session: Session, will: Publish) -> None:
        """A connection ended without a goodbye."""
        ...


class Connection(asyncio.Protocol):
    """The protocol of one socket. Whatever a client sends, it can end its own connection and nothing else."""

    def __init__(self, broker: Host) -> None:
        self._broker = broker
        self._framer = Framer(broker.limits.packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._version = V5
        self._client_id = ""
        self._will: Publish | None = None
        self._max_packet = broker.limits.packet_bytes
        self._is_writable = True
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._heard_s = self._began_s = broker.now_s()
        self._patience_s = 0.0

    # ------------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was accepted."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._broker.came(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._heard_s = self._broker.now_s()
        try:
            for head, body in self._framer.feed(data):
                if self._transport is None:
                    return
                self._handle(head, body)
        except PacketError as error:
            self._broker.account.malformed += 1
            self._refuse(error)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The socket is gone; without a DISCONNECT the will is due (3.1.2.5)."""
        self._leave()
        self._broker.went(self)

    def pause_writing(self) -> None:
        """The client reads too slowly: messages wait in its session."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._is_writable = True
        if self._session is not None:
            self._session.pump(self._broker.now_s())

    # ------------------------------------------------------------------ for the session and the broker

    @property
    def is_writable(self) -> bool:
        """Whether more may be sent now."""
        return self._is_writable and self._transport is not None

    def send_publish(self, message: Publish) -> bool:
        """Send a message unless the client takes none so large (3.1.2.11.4)."""
        packet = replies.publish(self._version, message)
        if len(packet) > self._max_packet:
            return False
        self._send(packet)
        return True

    def close(self, reason: Reason) -> None:
        """End the connection from our side."""
        reasons = self._broker.account.reasons
        reasons[reason.name.lower()] = reasons.get(reason.name.lower(), 0) + 1
        if self._transport is None:
            return
        if self._session is not None:
            self._send(replies.disconnect(self._version, reason))
        self._flush()
        transport = self._transport
        self._leave()
        if transport.get_write_buffer_size() > self._broker.limits.packet_bytes:
            transport.abort()  # it does not read: no use in waiting
        else:
            transport.close()

    def overdue(self, now_s: float) -> Reason | None:
        """Why the connection should end for lack of a sign of life."""
        if self._session is None:
            return Reason.UNSPECIFIED if now_s - self._began_s > self._broker.limits.connect_s else None
        if self._patience_s and now_s - self._heard_s > self._patience_s:
            return Reason.KEEPALIVE_TIMEOUT
        return None

    # ------------------------------------------------------------------ packets

    def _handle(self, head: int, body: bytes) -> None:
        if (self._session is None) != (head >> 4 == Kind.CONNECT):
            raise PacketError(Reason.PROTOCOL_ERROR, "CONNECT comes first, and once")
        packet = parse(head, body, self._version)
        if isinstance(packet, Connect):
            self._connect(packet)
        elif self._session is not None:
            self._serve(packet, self._session)

    def _serve(self, packet: Packet, session: Session) -> None:
        now_s = self._broker.now_s()
        match packet:
            case Publish():
                self._publish(packet, now_s)
            case Puback():
                session.acknowledged(packet.mid, now_s)
            case Subscribe():
                self._subscribe(packet, session, now_s)
            case Unsubscribe():
                reasons = [self._broker.router.unsubscribe(session, name) for name in packet.filters]
                self._send(replies.unsuback(self._version, packet.mid, reasons))
            case Pingreq():
                self._send(replies.PINGRESP)
            case Disconnect():
                self._goodbye(packet, session)

    def _publish(self, packet: Publish, now_s: float) -> None:
        if not names.is_topic_name(packet.topic):
            raise PacketError(Reason.TOPIC_INVALID, f"topic {packet.topic[:100]!r}")
        if packet.topic.startswith("$"):
            reason = Reason.NOT_AUTHORISED
        else:
            reason = self._broker.router.publish(packet, self._client_id, now_s)
        if not packet.qos:
            return
        if self._version != V5 and reason >= Reason.UNSPECIFIED:
            self.close(reason)  # 3.1.1 cannot say no: unacknowledged, it comes again with the next connection
            return
        self._send(replies.puback(self._version, packet.mid, reason))

    def _subscribe(self, packet: Subscribe, session: Session, now_s: float) -> None:
        # retained messages follow the SUBACK: some clients expect it first
        reasons = [self._broker.router.subscribe(session, wish) for wish in packet.wishes]
        self._send(replies.suback(self._version, packet.mid, [reason for reason, _ in reasons]))
        for wish, (_, wants_retained) in zip(packet.wishes, reasons, strict=True):
            if wants_retained:
                self._broker.router.hand_over(session, wish, now_s)

    def _goodbye(self, packet: Disconnect, session: Session) -> None:
        if packet.reason != Reason.DISCONNECT_WITH_WILL:
            self._will = None
        if packet.session_expiry_s is not None:
            if packet.session_expiry_s and not session.expiry_s:
                raise PacketError(Reason.PROTOCOL_ERROR, "a session that was to end may not be prolonged")
            session.expiry_s = min(packet.session_expiry_s, self._broker.limits.session_expiry_s)
        self._flush()
        transport = self._transport
        self._leave()
        if transport is not None:
            transport.close()

    # ------------------------------------------------------------------ coming and going

    def _connect(self, packet: Connect) -> None:
        self._version = packet.version
        refusal = self._objection(packet)
        taken = None
        if refusal is None:
            self._client_id = packet.client_id or f"auto-{uuid.uuid4().hex}"
            self._broker.take_over(self._client_id)
            taken = self._broker.router.session(self._client_id, clean=packet.clean_start)
        if refusal is not None or taken is None:
            self._send(replies.connack(self._version, refusal or Reason.QUOTA_EXCEEDED))
            self._hang_up()
            return
        session, resumed = taken
        self._agree(packet, session)
        self._send(
            replies.connack(self._version, Reason.SUCCESS, self._terms(packet, session), resumed=resumed)
        )
        self._broker.connected[self._client_id] = self
        self._session = session
        session.resume(self, self._broker.now_s())

    def _objection(self, packet: Connect) -> Reason | None:
        if any(i == Property.AUTH_METHOD for i, _ in packet.properties):
            return Reason.NOT_AUTHORISED
        if not packet.client_id and packet.version != V5 and not packet.clean_start:
            return Reason.CLIENT_ID_INVALID
        if packet.will is not None and not _is_sound(packet.will):
            return Reason.TOPIC_INVALID if packet.will.qos < 2 else Reason.QOS_NOT_SUPPORTED
        user, password = self._broker.user, self._broker.password
        said = (packet.user or "").encode(), packet.password or b""
        if user and not (
            hmac.compare_digest(said[0], user.encode()) and hmac.compare_digest(said[1], password.encode())
        ):
            return Reason.BAD_USER_OR_PASSWORD
        return None

    def _agree(self, packet: Connect, session: Session) -> None:
        limits = self._broker.limits
        if packet.version == V5:
            wanted_s = properties.number(packet.properties, Property.SESSION_EXPIRY, 0)
        else:
            wanted_s = 0 if packet.clean_start else _FOREVER
        session.expiry_s = min(wanted_s, limits.session_expiry_s)
        session.receive_maximum = properties.number(packet.properties, Property.RECEIVE_MAXIMUM, 65_535)
        self._max_packet = properties.number(
            packet.properties, Property.MAXIMUM_PACKET_SIZE, limits.packet_bytes
        )
        self._patience_s = 1.5 * packet.keepalive_s  # 3.1.2.10
        self._will = packet.will

    def _terms(self, packet: Connect, session: Session) -> properties.Properties:
        """What the client must know of us (3.2.2.3)."""
        terms: list[tuple[int, properties.Value]] = [
            (Property.MAXIMUM_QOS, 1),
            (Property.MAXIMUM_PACKET_SIZE, self._broker.limits.packet_bytes),
            (Property.SUBSCRIPTION_IDS_AVAILABLE, 0),
        ]
        if session.expiry_s != properties.number(packet.properties, Property.SESSION_EXPIRY, 0):
            terms.append((Property.SESSION_EXPIRY, session.expiry_s))
        if not packet.client_id:
            terms.append((Property.ASSIGNED_CLIENT_ID, self._client_id))
        return tuple(terms)

    def _leave(self) -> None:
        """Part from session and will, once."""
        session, self._session, self._transport = self._session, None, None
        if session is None or session.line is not self:
            return
        now_s = self._broker.now_s()
        session.detach(now_s)
        self._broker.connected.pop(self._client_id, None)
        will, self._will = self._will, None
        if will is not None:
            self._broker.will(session, will)
        if not session.expiry_s:
            self._broker.router.end(session)

    def _refuse(self, error: PacketError) -> None:
        log.info(
            "closing %s: %s",
            self._client_id or "a nameless client",
            error,
            extra={"event": "embedded-broker.closed", "client": self._client_id, "reason": str(error)},
        )
        if self._session is None and self._transport is not None:
            if error.reason is Reason.UNSUPPORTED_VERSION:
                self._send(replies.connack(self._version, error.reason))
            self._hang_up()
        else:
            self.close(error.reason)

    def _hang_up(self) -> None:
        self._flush()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _send(self, data: bytes) -> None:
        """What is sent in one turn of the loop goes out in one write."""
        if self._transport is None or not data:
            return
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(data)
        self._out_bytes += len(data)
        if self._out_bytes >= _WRITE_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._transport is not None and self._out:
            out, self._out, self._out_bytes = self._out, [], 0
            self._transport.write(b"".join(out))


def _is_sound(will: Publish) -> bool:
    return will.qos < 2 and names.is_topic_name(will.topic) and not will.topic.startswith("$")
