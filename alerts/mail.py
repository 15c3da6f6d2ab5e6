"""Mail by SMTP: one conversation a message, in a thread, with a time limit."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from config.settings import Alerts
    from telemetry.state.outbox import OutboxRow

TIMEOUT_S: Final = 20.0


class DeliveryError(RuntimeError):
    """The server did not take the message; `final` when it will not take it later either."""

    def __init__(self, text: str, *, final: bool) -> None:
        super().__init__(text)
        self.final = final


def envelope(row: OutboxRow, sender: str) -> EmailMessage:
    """The mail of a row; its Message-ID comes from the row's key, so a repeated one is known by it."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = row.recipient
    mail["Subject"] = row.subject
    mail["Date"] = format_datetime(localtime())
    domain = sender.rpartition("@")[2] or "localhost"
    mail["Message-ID"] = f"<{sha256(row.key.encode()).hexdigest()[:32]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    mail.set_content(row.body)
    return mail


def send(row: OutboxRow, settings: Alerts, timeout_s: float = TIMEOUT_S) -> None:
    """Hand a row to the server; blocks at most about `timeout_s` a step of the conversation.

    Raises:
        DeliveryError: it was not taken; `final` for an answer of the 5xx class to this message.
    """
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=timeout_s) as server:
            if settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
            server.send_message(envelope(row, settings.sender))
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise DeliveryError(_line(code, text), final=500 <= code < 600) from error
    except smtplib.SMTPResponseException as error:
        refused = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
        raise DeliveryError(
            _line(error.smtp_code, error.smtp_error), final=refused and 500 <= error.smtp_code < 600
        ) from error
    except (OSError, smtplib.SMTPException, ValueError) as error:
        where = f"{settings.smtp_host}:{settings.smtp_port}"
        raise DeliveryError(f"{where}: {str(error) or type(error).__name__}", final=False) from error


def _line(code: int, text: bytes | str) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(shown.split())}"
