"""What an alert waits for, when the clock on the wall is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

if TYPE_CHECKING:
    from telemetry.alerting import Alert


def shifted(alert: Alert, by_ns: int) -> Alert:
    """An alert after the clock on the wall was put forward (or back) by so much: what it waits for goes by time that has passed.

    The times of meetings stay: they are meant by the clock on the wall.
    """
    moved = {
        name: value + by_ns
        for name in (
            "pending_ns",
            "fired_ns",
            "clear_ns",
            "rung_ns",
            "said_ns",
            "own_ns",
            "turned_ns",
            "misled_ns",
        )
        if (value := getattr(alert, name)) is not None
    }
    lists = {name: tuple(at_ns + by_ns for at_ns in getattr(alert, name)) for name in ("bad_ns", "flaps")}
    return structs.replace(alert, **moved, **lists)
