"""What somebody has written in a reply: the new lines, without what was quoted."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Final

from alerts.acknowledging.page import NOTE_CHARACTERS

if TYPE_CHECKING:
    from email.message import EmailMessage

_QUOTE: Final = re.compile(
    r"\s*(>|-{2,}\s*$|_{5,}|-+\s*(original message|forwarded message|मूल संदेश)|on\b.{5,200}\bwrote:\s*$"
    r"|.{5,200}(ने लिखा|लिखा है)\s*:?\s*$|(from|sent|भेजने वाला|प्रेषक)\s*:)",
    re.IGNORECASE,
)
"""A line with which the quoted part, or the signature, begins."""
_TAG: Final = re.compile(r"<(style|head|blockquote)\b.*?</\1\s*>|<[^>]{0,2000}>", re.IGNORECASE | re.DOTALL)
_BREAK: Final = re.compile(r"<(br|/p|/div)\b[^>]{0,200}>", re.IGNORECASE)
MOST: Final = 65_536
MOST_HTML: Final = 8_192
"""Of a reply in HTML: what looks for tags takes time that grows with the square."""


def note_of(mail: EmailMessage) -> str:
    """The reply in one line of at most 300 characters; empty when there is none that can be read."""
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        text = str(part.get_content())[:MOST]
    except (LookupError, ValueError, KeyError):  # an unknown charset, a broken encoding
        return ""
    if part.get_content_type() == "text/html":
        text = unescape(_TAG.sub("", _BREAK.sub("\n", text[:MOST_HTML])))
    kept = []
    for line in text.splitlines():
        if _QUOTE.match(line[:400]):
            break
        kept.append(line)
    return one_line(" ".join(kept))


def one_line(text: str, most: int = NOTE_CHARACTERS) -> str:
    """A text in one line of at most so many characters, without what would steer a terminal or turn the direction of reading."""
    shown = "".join(sign for sign in " ".join(text.split()) if sign.isprintable() or sign in "\u200c\u200d")
    return shown[:most].strip()
