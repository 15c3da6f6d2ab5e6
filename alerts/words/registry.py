"""The templates as a provider wants them on file: number, text with its places, and what each place can hold."""

from __future__ import annotations

from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from alerts.facts import Form
from alerts.words.bounds import short_phone
from alerts.words.budget import longest, values
from alerts.words.pattern import pattern, places, template_name
from alerts.words.sms import plain, units
from alerts.words.templates import TEMPLATES
from telemetry.words import say
from telemetry.words.speak import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alerts.words.templates import Template

NUMBERS: Final = frozenset({"n"})


class Places(StrEnum):
    """How the places of variables are written."""

    DLT = "dlt"
    """`{#var#}`, as India's operators take them."""
    WHATSAPP = "whatsapp"
    """`{{1}}`, `{{2}}`, …"""
    NAMED = "named"
    """`{meeting}`."""


class Variable(Struct, frozen=True):
    """What stands in one place."""

    name: str
    kind: str
    """`text`, `number` or `link`."""
    most: int
    """16-bit units at most: what a character of Devanagari or of Latin takes each."""
    values: tuple[str, ...]
    """All that it can be; empty when it may be any text of that length."""


class Entry(Struct, frozen=True):
    """One template in one language."""

    number: str
    """As `T07-hi`."""
    language: str
    form: str
    text: str
    variables: tuple[Variable, ...]
    longest: int
    """Units of the longest message, without the link; of a text message never more than fit into three segments."""


def entries(language: str, form: Form, phone: str, written: Places) -> Iterator[Entry]:
    """The templates of a language, by number; `phone` is the NOC's, which stands in them."""
    phone = short_phone(phone) if form is Form.SMS else phone
    called = say(language, "alerts.noc_phone", phone=phone) if phone else say(language, "alerts.noc")
    for template in TEMPLATES:
        for linked in (False, True) if template.links(form) else (False,):
            text = pattern(template, language, form, called, linked=linked)
            variables = tuple(_variable(name, template, language, form) for name in places(text))
            yield Entry(
                number=template_name(template, language, linked=linked),
                language=language,
                form=form.value,
                text=_written(plain(text) if form is Form.SMS else text, written),
                variables=variables,
                longest=units(PLACEHOLDER.sub("", text)) + sum(v.most for v in variables if v.kind != "link"),
            )


def _variable(name: str, template: Template, language: str, form: Form) -> Variable:
    kind = "link" if name == "link" else "number" if name in NUMBERS else "text"
    return Variable(
        name, kind, longest(name, template, language, form), values(name, template, language, form)
    )


def _written(text: str, written: Places) -> str:
    if written is Places.NAMED:
        return text
    if written is Places.DLT:
        return PLACEHOLDER.sub("{#var#}", text)
    numbers = count(1)
    return PLACEHOLDER.sub(lambda _: f"{{{{{next(numbers)}}}}}", text)
