"""A person who answers a mail about an alert has taken it up; the organisation's mail server hands the answers in.

Whose answer it is says the mark in the address it went to (`ack+MARK@…`), or in what it refers to: nobody can guess one. What the
From line says counts for nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
from email import message_from_bytes, policy
from email.errors import MessageError
from typing import TYPE_CHECKING, Final

from aiosmtpd.smtp import SMTP

from alerts import links
from alerts.acknowledging.automatic import is_automatic
from alerts.acknowledging.marks import Marks
from alerts.acknowledging.note import note_of
from alerts.acknowledging.who import name_of
from telemetry.alerting import AlertState

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

    from config.live import LiveConfig
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb
    from telemetry.state.outbox import OutboxRow

SIZE_BYTES: Final = 2_000_000
RECIPIENTS: Final = 5
HEADER_BYTES: Final = 8_192
"""Of one header. The library's parser takes time that grows with the square: 30 kB of a From line keep it for two seconds."""
UNKNOWN: Final = "550 5.1.1 no such address"
TOO_LATE: Final = "550 5.7.1 too late: what this is about is over"
_MARK: Final = re.compile(r"(?<![a-z2-7])([a-z2-7]{24})(?![a-z2-7])")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n|\r\r")
_NEXT_HEADER: Final = re.compile(rb"[\r\n]+(?![ \t])")
_log = logging.getLogger(__name__)


class Replies:
    """What aiosmtpd asks of a handler."""

    def __init__(self, live: LiveConfig, state: StateDb, secret: bytes, clock: WallClock) -> None:
        self._live = live
        self._state = state
        self._marks = Marks(state, secret)
        self._clock = clock

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse addresses that lead to nothing before a message is sent."""
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 too many recipients"
        if not await asyncio.to_thread(self._is_ours, address):
            _log.info("a reply to an unknown address was refused", extra={"event": "reply.refused"})
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a reply; what is sent back is for the mail server that handed it in."""
        return await asyncio.to_thread(self._read, envelope)  # the loop is the hub's: no parsing in it

    def _read(self, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        if _longest_header(content) > HEADER_BYTES:
            return "554 5.6.0 a header of this message is too long"
        try:
            mail = message_from_bytes(content, policy=policy.default)
            sender = envelope.mail_from or ""
            if is_automatic(mail, sender):
                _log.info("an automatic reply was left aside", extra={"event": "reply.automatic"})
                return "250 2.0.0 automatic reply, left aside"
            said = " ".join(str(mail.get(name, "")) for name in ("In-Reply-To", "References"))
            note = note_of(mail)
        except (MessageError, ValueError, LookupError, AttributeError, TypeError, IndexError):
            return (
                "554 5.6.0 this message cannot be read"  # the parser of headers fails in many ways on rubbish
            )
        return self._take((*envelope.rcpt_tos, said), note)

    def _is_ours(self, address: str) -> bool:
        own = self._live.current.settings.alerts.delivery.reply_to.lower()
        name, _, host = address.lower().partition("@")
        return address.lower() == own or (
            f"{name.partition('+')[0]}@{host}" == own and self._row((address,)) is not None
        )

    def _row(self, places: tuple[str, ...]) -> OutboxRow | None:
        """The message of ours whose mark stands in one of the texts; the first text counts most."""
        marks = [mark for place in places for mark in _MARK.findall(place.lower())]
        if not marks:
            return None
        return self._marks.find(marks, self._clock.now_ns())

    def _take(self, places: tuple[str, ...], note: str) -> str:
        now_ns, row = self._clock.now_ns(), self._row(places)
        alert = self._state.alert(row.alert) if row is not None else None
        if row is None or alert is None:
            _log.info("a reply to an unknown message was refused", extra={"event": "reply.refused"})
            return UNKNOWN
        if alert.state is AlertState.RESOLVED or _is_late(row, now_ns):
            return TOO_LATE
        who, turn = name_of(self._live.current, row.person or row.recipient), _turn_of(row)
        taken = self._state.acknowledge(alert.id, who, note, now_ns, turn=turn)
        if taken.turn != turn:
            extra = {"event": "reply.outdated", "alert": alert.id, "person": row.person}
            _log.info("a reply was left aside: alert %s has got worse since", alert.id, extra=extra)
            return "250 2.0.0 left aside: this has got worse since that message"
        extra = {"event": "alert.acknowledged", "alert": alert.id, "person": row.person, "by": "reply"}
        _log.info("alert %s acknowledged by %s", alert.id, taken.acknowledged_by, extra=extra)
        return f"250 2.0.0 noted: {alert.id}"


def _longest_header(content: bytes) -> int:
    """The bytes of the longest header, its continuations with it."""
    head = _HEAD_END.split(content, maxsplit=1)[0]
    return max(map(len, _NEXT_HEADER.split(head)))


def _turn_of(row: OutboxRow) -> int:
    """The turn of the alert that a message told of, from its key (`ID/TURN/…`, as `alerts.telling` makes it)."""
    _, _, rest = row.key.partition("/")
    turn = rest.partition("/")[0]
    return int(turn) if turn.isascii() and turn.isdigit() else 0


def _is_late(row: OutboxRow, now_ns: int) -> bool:
    return row.expires_ns is not None and now_ns >= row.expires_ns + links.GRACE_NS


async def take_replies(handler: Replies, host: str, port: int) -> asyncio.Server:
    """Listen for the mail server; the caller closes it.

    Raises:
        OSError: the address cannot be listened on.
    """
    return await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            handler,
            data_size_limit=SIZE_BYTES,
            enable_SMTPUTF8=True,
            hostname="tatpar",
            ident="tatpar",
            timeout=60,
        ),
        host,
        port,
    )
