"""Ports that meeting platforms send media on, as ranges in text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PLATFORM_PORTS: Final = ("3478-3481", "5004", "8801-8810", "9000", "19302-19309")
"""Teams and TURN, Webex, Zoom, Webex, Meet: as the vendors ask for them to be opened (UDP)."""


def port_ranges(texts: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """First and last of each range, from `9000` or `8801-8810`.

    Raises:
        ValueError: one is no port, or no range of ports.
    """
    return tuple(_range(text) for text in texts)


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (first.strip().isdecimal() and (last.strip().isdecimal() or not dash)):
        raise ValueError(f"{text!r} is no port and no range of ports")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 65535:
        raise ValueError(f"{text!r} is no range of ports from 1 to 65535")
    return low, high
