"""What the doctor says, before it is said in a language: a key of the catalogues and what stands in its places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOM: Final = "doctor."
"""Of its keys in `telemetry/words/*/doctor.po`."""
MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of the doctor's with what stands in them; without a key, somebody else's words, as they came."""

    key: str
    given: Mapping[str, Given] = field(default_factory=dict)

    def said(self, language: str) -> str:
        """In `hi` or `en`; raises WordsError where the catalogue has no such key."""
        given = {name: _said(language, value) for name, value in self.given.items()}
        if not self.key:
            return given["text"]
        from telemetry.words import DEFAULT_ZONE, say  # noqa: PLC0415 - who only asks a reflector reads no words

        return say(language, ROOM + self.key, zone=DEFAULT_ZONE, **given)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with so many digits after its point."""

    value: float
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A duration, in the units that matter."""

    seconds: float


Given = str | int | Figure | Span | Phrase | tuple[Phrase, ...]
"""What may stand in a phrase; several phrases are listed."""


def phrase(key: str, **given: Given) -> Phrase:
    """A phrase by its key, without the doctor's own beginning."""
    return Phrase(key, given)


def as_it_is(text: str) -> Phrase:
    """What is no word of ours: a name, a path, what the system or another room said."""
    return Phrase("", {"text": text})


def some(names: Sequence[str]) -> Phrase:
    """The first few of many names."""
    shown, more = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
    return phrase("and_more", names=shown, more=more) if more > 0 else as_it_is(shown)


def _said(language: str, value: Given) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Phrase):
        return value.said(language)
    if isinstance(value, Span):
        from telemetry.words.format import duration  # noqa: PLC0415

        return duration(language, value.seconds)
    if isinstance(value, tuple):
        return ", ".join(each.said(language) for each in value)
    return _number(language, value if isinstance(value, Figure) else Figure(value))


def _number(language: str, figure: Figure) -> str:
    """In English as programs write it, which scripts have read since the first release; else as the locale groups it."""
    text = f"{figure.value:.{figure.digits}f}"
    if language == "en":
        return text
    from telemetry.words.format import decimal  # noqa: PLC0415

    whole, point, fraction = text.partition(".")
    sign = whole.startswith("-")
    return ("−" if sign else "") + decimal(language, int(whole.removeprefix("-"))) + point + fraction
