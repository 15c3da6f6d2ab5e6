"""How long each variable of a template may be, in 16-bit units: what a provider is told when templates are registered.

In a text message no variable is longer than 30, the most that India's DLT takes for one; names are shorter still, so that
the whole keeps within three segments. A mail and a chat have room for whole sentences.
"""

from __future__ import annotations

import re
from typing import Final

from alerts.facts import Form

SMS: Final[dict[str, int]] = {
    "when": 15,
    "meeting": 20,
    "office": 19,
    "offices": 30,
    "what": 30,
    "n": 3,
    "do": 30,
    "side": 19,
    "state": 16,
    "cause": 26,
    "common": 30,
    "count": 14,
    "since": 15,
    "lasted": 16,
    "unanswered": 16,
    "contact": 20,
    "line": 20,
    "ref": 6,
    "link": 120,
}
LONG: Final[dict[str, int]] = SMS | {
    "when": 48,
    "meeting": 60,
    "office": 40,
    "offices": 120,
    "what": 90,
    "do": 110,
    "side": 30,
    "state": 30,
    "cause": 120,
    "common": 90,
    "count": 30,
    "since": 48,
    "lasted": 30,
    "unanswered": 40,
    "contact": 70,
    "link": 400,
}
PHONE: Final = 16
"""The longest number of the NOC in a text message."""
WHOLE: Final = frozenset({"ref", "link", "n", "line"})
"""Useless when cut: never shortened. A link that does not fit is left out with its sentence."""


def bound(name: str, form: Form) -> int:
    """At most so many units of a variable."""
    return (SMS if form is Form.SMS else LONG)[name]


def short_phone(phone: str) -> str:
    """A telephone number as a text message has room for: without blanks and the like; empty when it is still too long."""
    digits = re.sub(r"[ ()/-]", "", phone)
    return digits if len(digits) <= PHONE else ""
