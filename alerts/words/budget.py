"""The worst case of a text message: every variable as long as it can be, so that no name and no number breaks the budget.

A text of at most `ROOM` 16-bit units is at most three segments, whatever stands in it: as UCS-2 a segment holds 67, and a
character of two units that would be parted leaves one empty at each of the two joints; in the GSM alphabet, where a
character is at most two septets, it is at most 398 of 459.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.facts import Form
from alerts.words.bounds import bound
from alerts.words.pattern import pattern, places
from alerts.words.sms import MOST_SEGMENTS, plain, units
from telemetry.words import catalogue
from telemetry.words.speak import PLACEHOLDER

if TYPE_CHECKING:
    from alerts.words.templates import Template

ROOM: Final = 67 * MOST_SEGMENTS - 2
_CLOSED: Final[dict[Form, dict[str, tuple[str, ...]]]] = {
    Form.SMS: {
        "what": ("alerts.what.", "alerts.what_now."),
        "do": ("alerts.do.",),
        "side": ("alerts.side.",),
        "state": ("alerts.state.",),
    },
    Form.CHAT: {"side": ("alerts.side.",), "state": ("alerts.state.",)},
}
"""Variables that take one of a list of values, and where these stand in the catalogue."""


def values(name: str, template: Template, language: str, form: Form) -> tuple[str, ...]:
    """What a variable can say that takes one of a list; empty for any other."""
    prefixes = _CLOSED[form].get(name, ())
    if name == "what" and "will_of_hundred" in template.pieces:
        prefixes = tuple(f"{prefix}loss" for prefix in prefixes)
    words = catalogue(language)
    return tuple(dict.fromkeys(text for key, text in words.items() if prefixes and key.startswith(prefixes)))


def longest(name: str, template: Template, language: str, form: Form) -> int:
    """The most units that a variable takes in a template."""
    said = values(name, template, language, form)
    return max(map(units, said)) if said else bound(name, form)


def worst(template: Template, language: str, phone: str, *, linked: bool = False) -> int:
    """Units of a template's longest text message; with a link those of everything but the link itself."""
    text = plain(pattern(template, language, Form.SMS, phone, linked=linked))
    names = [name for name in places(text) if name != "link"]
    fixed = units(PLACEHOLDER.sub("", text))
    return fixed + sum(longest(name, template, language, Form.SMS) for name in names)
