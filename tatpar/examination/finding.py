"""What a check found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from tatpar.examination.phrase import Phrase


class Level(StrEnum):
    """How much it matters."""

    FINE = "fine"
    LESS = "less"
    """It works, but less well than it could."""
    BROKEN = "broken"


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line for the operator, in one language; machines get the English one."""

    subject: str
    level: Level
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is to be told, in whatever language; its plain attributes are English."""

    about: Phrase
    level: Level
    found: Phrase
    do: Phrase | None = None

    def told(self, language: str) -> Told:
        """In `hi` or `en`."""
        return Told(
            subject=self.about.said(language),
            level=self.level,
            text=self.found.said(language),
            remedy=self.do.said(language) if self.do else "",
        )

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.about.said("en")

    @property
    def text(self) -> str:
        """What was found."""
        return self.found.said("en")

    @property
    def remedy(self) -> str:
        """What to do about it; empty when it is fine."""
        return self.do.said("en") if self.do else ""


def fine(about: Phrase, found: Phrase) -> Finding:
    """Nothing to do."""
    return Finding(about=about, level=Level.FINE, found=found)


def less(about: Phrase, found: Phrase, do: Phrase) -> Finding:
    """It works, but less well than it could."""
    return Finding(about=about, level=Level.LESS, found=found, do=do)


def broken(about: Phrase, found: Phrase, do: Phrase) -> Finding:
    """It does not work."""
    return Finding(about=about, level=Level.BROKEN, found=found, do=do)
