"""The text of a template: its sentences joined, with the places of its variables as `{name}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.facts import Form
from telemetry.words.catalogues import template as words_of
from telemetry.words.speak import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alerts.words.templates import Template

BRIEF: Final = {
    "head": "head_brief",
    "head_meeting": "head_meeting_brief",
    "call": "call_brief",
    "call_office": "call_office_brief",
}
"""Said instead where a text message makes room for a link: name and reference stand on the page behind it."""


def pattern(template: Template, language: str, form: Form, phone: str, *, linked: bool) -> str:
    """A template's text, with the NOC's number in it: it is the same in every message, and no variable."""
    joint = " " if form is Form.SMS else "\n"
    return joint.join(
        sentence(piece, language, form, phone) for piece in pieces_of(template, form, linked=linked)
    )


def pieces_of(template: Template, form: Form, *, linked: bool) -> tuple[str, ...]:
    """The sentences of a template; a text message is briefer where it has a link."""
    if not linked:
        return template.pieces
    pieces = (BRIEF.get(piece, piece) if form is Form.SMS else piece for piece in template.pieces)
    return (*pieces, "link")


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
