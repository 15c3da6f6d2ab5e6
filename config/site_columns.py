"""The columns of the site registry: which there are, and what each may hold."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from config.names import ID_RULE, is_id, suggested_id
from config.reach import CHECK_RULE, MOST_CHECKS, parse_check
from config.sites import SiteStatus
from config.text import nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRED: Final = ("id", "name_en", "name_hi", "region", "lat", "lon", "status")
OPTIONAL: Final = (
    "parent",
    "level",
    "provider",
    "language",
    "contact_name",
    "contact_email",
    "contact_phone",
    "line_number",
    "room_device",
    "link_up_mbps",
    "link_down_mbps",
)
COLUMNS: Final = REQUIRED + OPTIONAL
MOST_LINE_NUMBER: Final = 20
LANGUAGES: Final = ("hi", "en")

_EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{2,30}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_STATUSES = {status.value: status for status in SiteStatus}


class CellError(ValueError):
    """A cell that cannot stand as it is: what is wrong, and what to write instead."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


def identifier(column: str, text: str) -> str:
    """An id."""
    if is_id(text):
        return text
    if not text:
        raise CellError(f"{column} is empty", f"write {ID_RULE}")
    raise CellError(f'{column} "{text}" cannot be an id ({ID_RULE})', f"write {suggested_id(text)}")


def optional_identifier(column: str, text: str) -> str:
    """An id, or nothing."""
    return identifier(column, text) if text else ""


def required_text(column: str, text: str) -> str:
    """Any text but none."""
    if not text:
        raise CellError(f"{column} is empty", "write the office's name")
    return any_text(column, text)


def any_text(column: str, text: str) -> str:
    """Any text on one line: it will stand in messages and their headings."""
    if _CONTROL.search(text):
        raise CellError(f"{column} has a line break or control character inside", "write it on one line")
    return text


def latitude(column: str, text: str) -> float:
    """Degrees north."""
    return _degrees(column, text, 90.0)


def longitude(column: str, text: str) -> float:
    """Degrees east."""
    return _degrees(column, text, 180.0)


def status(column: str, text: str) -> SiteStatus:
    """Linked or planned."""
    try:
        return _STATUSES[text]
    except KeyError:
        raise CellError(f'{column} "{text}" is neither linked nor planned', one_of(text, _STATUSES)) from None


def level(_column: str, text: str) -> str:
    """A level of the tree, `district` when not said."""
    return optional_identifier("level", text) or "district"


def language(column: str, text: str) -> str:
    """The language of messages to the office, `hi` when not said."""
    if text and text not in LANGUAGES:
        raise CellError(f'{column} "{text}" is none that messages are written in', one_of(text, LANGUAGES))
    return text or "hi"


def is_mail_address(text: str) -> bool:
    """Whether it is one address, without a name beside it."""
    return _EMAIL.fullmatch(text) is not None


def email(column: str, text: str) -> str:
    """One address, or nothing."""
    if text and not is_mail_address(text):
        raise CellError(f'{column} "{text}" is not one mail address', "write name@domain, or leave it empty")
    return text


def phone(column: str, text: str) -> str:
    """One number, or nothing."""
    if text and not _PHONE.fullmatch(text):
        raise CellError(
            f'{column} "{text}" is not one phone number',
            "write digits, as +91 522 1234567, or leave it empty",
        )
    return text


def line_number(column: str, text: str) -> str:
    """The provider's number of the line, or nothing; short enough for a text message."""
    if len(text) > MOST_LINE_NUMBER:
        raise CellError(
            f"{column} has more than {MOST_LINE_NUMBER} characters",
            "write the number alone, or leave it empty",
        )
    return any_text(column, text)


def questions(column: str, text: str) -> tuple[str, ...]:
    """What the room's device is asked, divided by blanks; or nothing."""
    texts = tuple(dict.fromkeys(text.split()))
    for each in texts:
        if parse_check(each) is None:
            raise CellError(f'{column} "{each}" is no question to a device', f"write {CHECK_RULE}")
    if len(texts) > MOST_CHECKS:
        raise CellError(f"{column} has {len(texts)} questions", f"keep at most {MOST_CHECKS}")
    return texts


def rate(column: str, text: str) -> float | None:
    """Mbit/s in the file, bit/s here; None when not said."""
    if not text:
        return None
    value = _number(column, text)
    if not 0.001 <= value <= 1_000_000:
        raise CellError(
            f"{column} {text} is not a link's rate", "write Mbit/s, 0.001 to 1,000,000, or leave it empty"
        )
    return value * 1e6


CELLS: Final[dict[str, Callable[[str, str], object]]] = {
    "id": identifier,
    "name_en": required_text,
    "name_hi": required_text,
    "region": identifier,
    "lat": latitude,
    "lon": longitude,
    "status": status,
    "parent": optional_identifier,
    "level": level,
    "provider": optional_identifier,
    "language": language,
    "contact_name": any_text,
    "contact_email": email,
    "contact_phone": phone,
    "line_number": line_number,
    "room_device": questions,
    "link_up_mbps": rate,
    "link_down_mbps": rate,
}


def unknown_column(name: str) -> CellError:
    """The error about a heading that is none."""
    close = nearest(name, COLUMNS)
    return CellError(f'there is no column "{name}"', f"write {close}" if close else "remove it")


def _degrees(column: str, text: str, most: float) -> float:
    value = _number(column, text)
    if not -most <= value <= most:
        raise CellError(
            f"{column} {text} is not from {-most:g} to {most:g}",
            "write degrees; have lat and lon changed places?",
        )
    return value


def _number(column: str, text: str) -> float:
    if not text:
        raise CellError(f"{column} is empty", "write a number")
    if not _NUMBER.fullmatch(text):
        raise CellError(f'{column} "{text}" is not a number', "write digits with a decimal point")
    value = float(text)
    if not math.isfinite(value):
        raise CellError(f'{column} "{text}" is not a number', "write fewer digits")
    return value
