"""What the points are called, which fields they have, and at which millisecond of their window they lie.

Fixed for ever: dashboards and years of data depend on it. The README beside this file explains the scheme.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.windows import MS_NS, SLOT_NS, WINDOW_NS


class Family(StrEnum):
    """The measurements, without the deployment's prefix."""

    WINDOW = "window"
    """A 15 s window of a path: what holds for both directions together."""
    WINDOW_DIRECTION = "window_direction"
    """The same for one direction (tag `direction`)."""
    ROLLUP = "rollup"
    """Five minutes of a path."""
    ROLLUP_DIRECTION = "rollup_direction"
    """The same for one direction."""
    REPORT = "report"
    """A report of a probe: when it came, the probe's own state, its items that are no streams."""


WAYS: Final = ("up", "down")
RECEIVED: Final = ("received_s", "received_sub_ns")
"""`received_ns` in two integers: it does not fit the 53 bits of a float64."""
COMMIT: Final = "commit"
OFF_GRID: Final = "off_grid_ns"
"""How far behind the window grid a window starts; absent for 0, as nearly always."""
VERSION: Final = "version"


def _of_way(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.removeprefix("up_") for name in columns if name.startswith("up_"))


def _of_both(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if not name.startswith(("up_", "down_")))


BOTH_COUNTS: Final = _of_both(COUNT_COLUMNS)
BOTH_FLOATS: Final = _of_both(FLOAT_COLUMNS)
WAY_COUNTS: Final = _of_way(COUNT_COLUMNS)
WAY_FLOATS: Final = _of_way(FLOAT_COLUMNS)
WAY_COLUMNS: Final = (*WAY_COUNTS, *WAY_FLOATS)
REPORT_COUNTS: Final = ("emulated", "late_sends", "rx_drops", "clock_state", "clock_steps")
REPORT_FLOATS: Final = ("clock_error_ms", "clock_offset_ms", "cpu_ratio", "late_max_ms")

HISTOGRAMS: Final = "packed_histograms"
WINDOW_VALUES: Final = "packed_windows"
ITEMS: Final = "packed_items"

RUN_BYTES: Final = 6
"""Bytes in one sample: 48 bits, which a float64 and VictoriaMetrics' decimals hold exactly."""
OVERFLOW: Final = 8
"""A run that does not fit its room goes on in `<field>_1` … `<field>_7`; beyond that it is dropped and counted."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """How the span of a window or slot is shared by points of one series that must not cover each other.

    Plain values lie at `start + lane * step_ms`; a packed run begins `run_ms` after the start, plus `room_ms` a lane.
    """

    span_ns: int
    count: int
    step_ms: int
    run_ms: int
    room_ms: int

    @property
    def span_ms(self) -> int:
        """The span in milliseconds."""
        return self.span_ns // MS_NS

    def __post_init__(self) -> None:
        assert self.count * self.step_ms <= self.span_ms
        assert self.run_ms + self.count * self.room_ms <= self.span_ms


WINDOW_LANES: Final = Lanes(WINDOW_NS, 16, 1, 20, 930)
"""Lane: seq modulo 16. Two reports of one window come from a restart, with neighbouring seq."""
ROLLUP_LANES: Final = Lanes(SLOT_NS, 60, 5000, 1, 4999)
"""Lane: the version. A slot has twenty windows, so it is made again by late ones some twenty times at most."""

LANES: Final = {
    Family.WINDOW: WINDOW_LANES,
    Family.WINDOW_DIRECTION: WINDOW_LANES,
    Family.REPORT: WINDOW_LANES,
    Family.ROLLUP: ROLLUP_LANES,
    Family.ROLLUP_DIRECTION: ROLLUP_LANES,
}


def series_of_path(*, overflow: bool = False) -> int:
    """Most series (VictoriaMetrics' sense) that one path of one probe makes: windows and roll-ups."""
    more = OVERFLOW if overflow else 1
    window = len(BOTH_COUNTS) + len(BOTH_FLOATS) + len(RECEIVED) + 2 + 2 * len(WAY_COLUMNS) + more
    rollup = len(BOTH_COUNTS) + len(BOTH_FLOATS) + len(RECEIVED) + 2 + 2 * len(WAY_COLUMNS) + 2 * more
    return window + rollup


def series_of_probe(*, overflow: bool = False) -> int:
    """Most series that one probe makes beside those of its paths."""
    return len(RECEIVED) + 2 + len(REPORT_COUNTS) + len(REPORT_FLOATS) + (OVERFLOW if overflow else 1)


assert len(HISTOGRAM_COLUMNS) == 5
assert len(WINDOW_VALUE_COLUMNS) == 13
