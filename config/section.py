"""What all tables of the settings have in common."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_LEAD_MIN: Final = 7 * 24 * 60
Port = Annotated[int, Meta(ge=0, le=65535)]
ListenPort = Annotated[int, Meta(ge=1, le=65535)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; a key that is none is refused."""
