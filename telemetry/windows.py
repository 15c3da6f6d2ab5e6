"""The window grid: 15 s windows and 5 min roll-up slots on the UTC grid, in integer nanoseconds.

A packet belongs to the window of its sending and is lost when it is `LATE_NS` late, so a window can be
closed `LATE_NS` after its end.
"""

from __future__ import annotations

from typing import Final

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
MS_NS: Final = 1_000_000
WINDOW_NS: Final = 15 * SECOND_NS
LATE_NS: Final = 3 * SECOND_NS
SLOT_NS: Final = 300 * SECOND_NS
WINDOWS_PER_SLOT: Final = SLOT_NS // WINDOW_NS
HOUR_NS: Final = 3600 * SECOND_NS
DAY_NS: Final = 24 * HOUR_NS
WEEK_NS: Final = 7 * DAY_NS
WINDOWS_PER_HOUR: Final = HOUR_NS // WINDOW_NS
SLOTS_PER_HOUR: Final = HOUR_NS // SLOT_NS
SLOTS_PER_DAY: Final = DAY_NS // SLOT_NS
SILENT_NS: Final = 45 * SECOND_NS
"""Who was not heard for longer is silent: a window comes every 15 s and is 5 s under way, so two in a row are missing."""


def window_start(time_ns: int) -> int:
    """Start of the window that `time_ns` lies in."""
    return time_ns - time_ns % WINDOW_NS


def slot_start(time_ns: int) -> int:
    """Start of the five-minute roll-up slot that `time_ns` lies in."""
    return time_ns - time_ns % SLOT_NS


def window_in_slot(start_ns: int) -> int:
    """Index (0..19) of a window within its roll-up slot."""
    return start_ns % SLOT_NS // WINDOW_NS
