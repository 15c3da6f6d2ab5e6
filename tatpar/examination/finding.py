"""What a check found, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    """How much it matters."""

    FINE = "fine"
    LESS = "less"
    """It works, but less well than it could."""
    BROKEN = "broken"


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line for the operator."""

    subject: str
    level: Level
    text: str
    remedy: str = ""


def fine(subject: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(subject=subject, level=Level.FINE, text=text)


def less(subject: str, text: str, remedy: str) -> Finding:
    """It works, but less well than it could."""
    return Finding(subject=subject, level=Level.LESS, text=text, remedy=remedy)


def broken(subject: str, text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(subject=subject, level=Level.BROKEN, text=text, remedy=remedy)
