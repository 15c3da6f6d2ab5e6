"""The names of time zones."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from config.text import nearest

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


@cache
def zone_names() -> AbstractSet[str]:
    """Every IANA name that is known here; read once, for it means walking folders."""
    return available_timezones()


def similar_zone(name: str) -> str:
    """The zone that a misspelt name most likely means, else an example."""
    return nearest(name, zone_names(), alike=0.85) or "Asia/Kolkata"
