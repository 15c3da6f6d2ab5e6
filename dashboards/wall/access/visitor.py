"""Who is asking: one record a request, whatever the way in."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from telemetry.access import Role


class Way(StrEnum):
    """How a visitor came in."""

    LOCAL = "local"
    """From this machine, where nobody is asked to sign in."""
    USER = "user"
    """Signed in with a password."""
    PROXY = "proxy"
    """Named by a proxy that is trusted."""
    LINK = "link"
    """Through a link that only shows."""


class Visitor(Struct, frozen=True, kw_only=True):
    """Somebody who was let in."""

    name: str
    """Of the user; of a link its label; empty on this machine, where nobody is asked."""
    role: Role
    way: Way
    csrf: str
    """What a request that changes something must carry in the header `x-tatpar-csrf`."""
