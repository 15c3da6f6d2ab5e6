"""The text of a template: its sentences joined, with the places of its variables as `{name}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.facts import Form
from telemetry.words.catalogues import template as words_of
from telemetry.words.speak import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alerts.words.templates import Template


def pattern(template: Template, language: str, form: Form, phone: str, *, linked: bool) -> str:
    """A template's text, with the NOC's number in it: it is the same in every message, and no variable."""
    joint = " " if form is Form.SMS else "\n"
    pieces = (*template.pieces, "link") if linked else template.pieces
    return joint.join(sentence(piece, language, form, phone) for piece in pieces)


def sentence(piece: str, language: str, form: Form, phone: str) -> str:
    """One sentence of a template."""
    voice = "sms" if form is Form.SMS else "long"
    return words_of(language, f"alerts.{voice}.{piece}", one=False).replace("{phone}", phone)


def places(text: str) -> tuple[str, ...]:
    """The variables of a pattern, in their order."""
    return tuple(match.group(1) for match in PLACEHOLDER.finditer(text))


def filled(text: str, values: Iterable[str]) -> str:
    """A pattern with values in its places, in their order."""
    rest = iter(values)
    return PLACEHOLDER.sub(lambda _: next(rest), text)


def template_name(template: Template, language: str, *, linked: bool) -> str:
    """As `T07-hi`, with a link `T07L-hi`."""
    return f"{template.name}{'L' if linked else ''}-{language}"
