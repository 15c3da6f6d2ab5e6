"""Who may look at the wall and act on it: people with a password, and links that only show."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from msgspec import Struct

LONGEST_NAME: Final = 64


class Role(IntEnum):
    """What somebody may do; each may do what those before it may."""

    SEE = 1
    ACKNOWLEDGE = 2
    """Take up alerts and incidents, with a name and a note."""
    REHEARSE = 3
    """Put load on the offices' lines."""
    ADMINISTER = 4

    @property
    def word(self) -> str:
        """As it is written in commands and shown to programs."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """The role that a word names; raises KeyError."""
        return cls[word.upper()]


ROLES: Final = tuple(role.word for role in Role)


class User(Struct, frozen=True, kw_only=True):
    """Somebody with a password."""

    name: str
    role: Role
    secret: str
    """Argon2id of the password, in the PHC string format."""
    made_ns: int
    changed_ns: int
    """When role or password were last changed."""


class Session(Struct, frozen=True, kw_only=True):
    """A browser that is signed in; its token is kept as a hash only."""

    user: str
    source: str
    made_ns: int
    seen_ns: int


class WallLink(Struct, frozen=True, kw_only=True):
    """A link that shows the wall and lets nobody act."""

    id: str
    label: str
    made_by: str
    made_ns: int
    until_ns: int


class IncidentMark(Struct, frozen=True, kw_only=True):
    """Somebody has taken up an incident."""

    incident: str
    at_ns: int
    who: str
    note: str
