"""Mail by SMTP: one conversation a message, within a time limit."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, localtime
from functools import cache
from typing import TYPE_CHECKING

from alerts.delivery.deadline import deadline
from alerts.delivery.errors import DeliveryError
from alerts.delivery.wire import Wire, on_the_wire
from alerts.links import reply_token
from telemetry.alerting import BODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.alert_settings import Alerts
    from config.config import Config
    from telemetry.alerting import Attachment
    from telemetry.state.outbox import OutboxRow


class Mail:
    """The channel `mail`; `secret` makes the marks by which replies are known."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __call__(self, row: OutboxRow, files: Sequence[Attachment], config: Config) -> str:
        """Hand a message to the mail server.

        Raises:
            DeliveryError: it was not taken; final for an answer of the 5xx class to this message.
        """
        settings = config.settings.alerts
        try:
            mail = envelope(row, files, settings, self._secret)
        except ValueError as error:  # as an address that can be none: no later attempt makes a mail of it
            raise DeliveryError(f"no mail can be made of it: {error}", final=True) from error
        return _converse(mail, settings)


def envelope(row: OutboxRow, files: Sequence[Attachment], settings: Alerts, secret: bytes) -> EmailMessage:
    """The mail of a row; its Message-ID comes from the row's key, so a repeated one is known by it."""
    mail, token = EmailMessage(Wire()), reply_token(secret, row.key)
    domain = settings.sender.rpartition("@")[2] or "localhost"
    mail["From"] = settings.sender
    mail["To"] = row.recipient
    mail["Subject"] = row.subject
    mail["Date"] = format_datetime(localtime())
    mail["Message-ID"] = f"<{token}@{domain}>"
    if row.alert:
        mail["References"] = f"<alert-{row.alert}@{domain}>"  # mail programs show one alert as one thread
        if settings.delivery.reply_to:
            name, _, host = settings.delivery.reply_to.partition("@")
            mail["Reply-To"] = f"{name}+{token}@{host}"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    mail.set_content(row.body)
    for file in files:
        if file.name == BODY:  # the same words, for those who see HTML
            mail.add_alternative(file.content.decode(), subtype="html")
            continue
        kind, _, below = file.media_type.partition("/")
        mail.add_attachment(file.content, maintype=kind, subtype=below or "octet-stream", filename=file.name)
    return mail


def _converse(mail: EmailMessage, settings: Alerts) -> str:
    where, limit_s = f"{settings.smtp_host}:{settings.smtp_port}", settings.delivery.attempt_s
    server = _Server(local_hostname=_own_name(), timeout=limit_s)
    with deadline(limit_s, lambda: server.sock) as has_passed:
        try:
            return _hand_over(server, mail, settings)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise DeliveryError(_line(code, text), final=500 <= code < 600) from error
        except smtplib.SMTPResponseException as error:
            refused = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
            final = refused and 500 <= error.smtp_code < 600
            raise DeliveryError(_line(error.smtp_code, error.smtp_error), final=final) from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            is_late = has_passed() or "timed out" in str(error)
            why = f"no answer within {limit_s:g} s" if is_late else str(error)
            raise DeliveryError(f"{where}: {why or type(error).__name__}") from error
        finally:
            server.close()


@cache
def _own_name() -> str:
    """What we call ourselves to the server; asked once, because a resolver that is away takes long to say so."""
    return socket.getfqdn()


class _Server(smtplib.SMTP):
    """Keeps what the server answered to the message; what comes after it can no longer undo the delivery."""

    taken: bytes = b""

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]
        code, text = super().data(msg)
        self.taken = text
        return code, text


def _hand_over(server: _Server, mail: EmailMessage, settings: Alerts) -> str:
    server.connect(settings.smtp_host, settings.smtp_port)
    if settings.smtp_starttls:
        server._host = settings.smtp_host  # type: ignore[attr-defined]  # noqa: SLF001 - what the certificate must name
        server.starttls(context=ssl.create_default_context())
    if settings.smtp_user:
        server.login(settings.smtp_user, settings.smtp_password)
    _send(server, mail)
    return f"{settings.smtp_host}:{settings.smtp_port} answered {_line(250, server.taken)}"


def _send(server: smtplib.SMTP, mail: EmailMessage) -> None:
    sender, *recipients = (address for _, address in getaddresses([mail["From"], mail["To"]]))
    if "".join([sender, *recipients]).isascii():
        server.sendmail(sender, recipients, on_the_wire(mail))
    else:
        server.send_message(mail)  # needs SMTPUTF8 of the server, and asks for it


def _line(code: int, text: bytes | str) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(shown.split())}"
