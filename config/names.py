"""What an id may look like, here as in every topic and path of the house."""

from __future__ import annotations

import re
from typing import Final

ID_PATTERN: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
ID_RULE: Final = "lower-case letters, digits and inner hyphens, at most 63"
_ID = re.compile(ID_PATTERN)
_NOT_ID = re.compile(r"[^a-z0-9]+")


def is_id(text: str) -> bool:
    """Whether the text can stand as a level of a topic and as part of a path."""
    return _ID.fullmatch(text) is not None


def suggested_id(text: str) -> str:
    """The nearest allowed id, or an example when nothing of the text can stay."""
    return _NOT_ID.sub("-", text.lower()).strip("-")[:63].strip("-") or "agra"
