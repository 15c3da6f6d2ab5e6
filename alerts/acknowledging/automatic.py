"""Whether a machine wrote a mail: holiday replies, receipts and bounces acknowledge nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from email.message import EmailMessage

_MARKS: Final = (
    "x-autoreply",
    "x-autoreply-from",
    "x-autorespond",
    "x-failed-recipients",
    "list-id",
)
"""Headers that mail programs of people do not write."""
_PRECEDENCE: Final = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_SUBJECT: Final = re.compile(
    r"\s*(auto(matic)?[ -]?(reply|response)|out of (the )?office|undeliver|delivery (status|failure)"
    r"|स्वचालित (उत्तर|जवाब)|कार्यालय से बाहर)",
    re.IGNORECASE,
)
_SENDER: Final = re.compile(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply)@", re.IGNORECASE)


def is_automatic(mail: EmailMessage, envelope_sender: str) -> bool:
    """Whether no person wrote it (RFC 3834 section 2 and 5, and what programs do that do not keep to it)."""
    submitted = str(mail.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    return (
        envelope_sender.strip("<> ") == ""
        or submitted != "no"
        or str(mail.get("Precedence", "")).strip().lower() in _PRECEDENCE
        or any(mark in mail for mark in _MARKS)
        or mail.get_content_type() == "multipart/report"
        or _SUBJECT.match(str(mail.get("Subject", ""))) is not None
        or _SENDER.search(str(mail.get("From", ""))) is not None
    )
