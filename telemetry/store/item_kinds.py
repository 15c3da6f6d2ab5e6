"""Which item of a report a stored one is, by the word of the wire; one that this version does not know is kept as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.messages import Opaque

if TYPE_CHECKING:
    from telemetry.messages import Item

UNKNOWN_KIND: Final = "?"


def kind_of(item: Item | Opaque) -> str:
    """The tag of an item on the wire."""
    return UNKNOWN_KIND if isinstance(item, Opaque) else str(type(item).__struct_config__.tag)
