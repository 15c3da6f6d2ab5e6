"""A mail as it goes over the wire: no blank of a subject is lost, and no `>` comes before a line."""

from __future__ import annotations

from email.header import Header
from email.policy import EmailPolicy
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from email.message import EmailMessage

_LONGEST_LINE: Final = 76
"""Characters of a line that holds an encoded word (RFC 2047, section 2)."""


class Wire(EmailPolicy):
    """The modern policy, but for subjects beyond ASCII.

    Its folding leaves the blank between two words of Devanagari outside of both encoded words when a line ends there, and a reader's
    program drops what is between encoded words (RFC 2047, section 6.2). Here the whole subject is encoded, blanks and all.
    """

    def fold(self, name: str, value: str) -> str:
        """A header with its folded value, as text."""
        return self._subject(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same as bytes."""
        subject = self._subject(name, value)
        return subject.encode("ascii") if subject else super().fold_binary(name, value)

    def _subject(self, name: str, value: str) -> str:
        if name.lower() != "subject" or value.isascii() or self.utf8:
            return ""
        header = Header(str(value), "utf-8", _LONGEST_LINE, name)
        return f"{name}: {header.encode(splitchars='', linesep=self.linesep)}{self.linesep}"


def on_the_wire(mail: EmailMessage) -> bytes:
    """The bytes for the server.

    `smtplib` would make them with a `>` before each line that begins with "From ", a custom of mailbox files: our words may begin so.
    """
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))
