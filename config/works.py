"""Announced works and holidays: when an office's line, power or people are known beforehand to be away."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class WorkKind(StrEnum):
    """What was announced."""

    WORKS = "works"
    """On a line, at a provider, on the power: explains windows that are missing."""
    HOLIDAY = "holiday"
    """The office is closed; what is missing is explained too."""


class Work(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One announcement, `[from_ns, until_ns)`."""

    who: str
    """As it was written: `site:agra`, `provider:provider-b`, `end:state`."""
    sites: tuple[str, ...]
    """Offices that it touches, in the order of the registry."""
    end: str = ""
    """Only the lines to this headquarters; empty: all of an office's lines."""
    kind: WorkKind
    from_ns: int
    until_ns: int
    announced_ns: int
    """When it became known; no forecast of an earlier time may know of it."""
    note: str = ""
