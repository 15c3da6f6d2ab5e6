"""When a row was measured and when it came: zones that times and patterns say themselves, and rows that come before they are measured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from conftest import Desk

PLACE = '[site]\nis = "agra"\n[path]\nis = "main.state"\n[ping]\nrtt = { column = "rtt" }\n'
NINE_UTC = datetime(2026, 11, 20, 9, tzinfo=UTC)
NINE_IN_INDIA = NINE_UTC - timedelta(hours=5, minutes=30)


def mapping_of(form: str) -> str:
    return f'[time]\ncolumn = "t"\nformat = "{form}"\nzone = "Asia/Kolkata"\n{PLACE}'


@pytest.mark.parametrize(
    ("form", "written", "at"),
    [
        ("iso", "2026-11-20 09:00:00+00", NINE_UTC),
        ("iso", "2026-11-20 14:30:00+05:30", NINE_UTC),
        ("iso", "2026-11-20 14:00:00+05", NINE_UTC),
        ("iso", "2026-11-20T04-05", NINE_UTC),
        ("iso", "20261120T143000+0530", NINE_UTC),
        ("iso", "2026-11-20 09:00:00Z", NINE_UTC),
        ("iso", "2026-11-20 09:00:00", NINE_IN_INDIA),
        ("iso", "2026-11-20", NINE_IN_INDIA - timedelta(hours=9)),
        ("%H:%M:%S %d-%m-%Y", "09:00:00 20-11-2026", NINE_IN_INDIA),
        ("%H:%M %d.%m.%Y", "09:00 20.11.2026", NINE_IN_INDIA),
        ("%H%M, day+%Y%m%d-0000", "0900, day+20261120-0000", NINE_UTC),
        ("%d-%m-%Y %H:%M:%S%z", "20-11-2026 14:30:00+05:30", NINE_UTC),
        ("%d-%m-%Y %H:%M:%S %Z", "20-11-2026 09:00:00 UTC", NINE_UTC),
        ("%d-%m-%Y %H:%M:%SZ", "20-11-2026 09:00:00Z", NINE_UTC),
        ("%d-%m-%Y %H:%M:%S UTC", "20-11-2026 09:00:00 UTC", NINE_UTC),
        ("%d-%m-%Y %H:%M:%S+05:30", "20-11-2026 14:30:00+05:30", NINE_UTC),
    ],
)
def test_a_time_is_of_the_zone_only_where_neither_it_nor_its_pattern_says_another(
    desk: Desk, form: str, written: str, at: datetime
) -> None:
    """An offset of hours alone is one; a year or a day behind a dash is none."""
    rows = desk.writes("a.csv", f't,rtt\n"{written}",40\n')
    done = desk.imports([rows], desk.writes("m.toml", mapping_of(form)))
    assert done.exit_code == 0, done.output
    assert desk.rollups().columns["slot_ns"].tolist() == [int(at.timestamp()) * SECOND_NS]


ARRIVED = '[time]\ncolumn = "t"\n[arrived]\ncolumn = "came"\n' + PLACE


def test_a_row_that_came_before_it_was_measured_is_refused(desk: Desk) -> None:
    """As with a zone that is said of one column alone: its past would be known to nobody when it happened, or before."""
    rows = desk.writes(
        "a.csv",
        "t,came,rtt\n2026-11-20 09:00:00,2026-11-20 09:00:01,40\n2026-11-20 09:05:00,2026-11-20 03:35:01,41\n",
    )
    done = desk.imports([rows], desk.writes("m.toml", ARRIVED))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == (
        f'{rows}:3: came "2026-11-20 03:35:01" lies before t "2026-11-20 09:05:00"; write when the row was known, '
        "or leave [arrived] out; see zone under [time] and [arrived] of the mapping"
    )
    assert not (desk.data / "reports.db").exists()


def test_clocks_may_differ_by_a_minute_and_no_window_is_known_before_it_ends(desk: Desk) -> None:
    """What came 40 s early, as times that are written to the minute do, counts with the end of its window."""
    rows = desk.writes("a.csv", "t,came,rtt\n2026-11-20 09:00:40,2026-11-20 09:00:00,40\n")
    done = desk.imports([rows], desk.writes("m.toml", ARRIVED))
    assert done.exit_code == 0, done.output
    start = int(NINE_UTC.timestamp()) * SECOND_NS
    assert desk.rollups().columns["received_ns"].tolist() == [start + 2 * WINDOW_NS + WINDOW_NS]
    early = desk.writes("b.csv", "t,came,rtt\n2026-11-20 09:01:01,2026-11-20 09:00:00,40\n")
    assert desk.imports([early], desk.folder / "m.toml").exit_code == 2


def test_an_hour_that_comes_twice_may_have_come_later_than_it_reads(desk: Desk) -> None:
    """The local time of the arrival is of the second hour, the time itself says its offset."""
    zone = '[time]\ncolumn = "t"\n[arrived]\ncolumn = "came"\nzone = "Europe/Berlin"\n' + PLACE
    rows = desk.writes("a.csv", "t,came,rtt\n2025-10-26T02:10:00+01:00,2025-10-26T02:10:05,40\n")
    done = desk.imports([rows], desk.writes("m.toml", zone))
    assert done.exit_code == 0, done.output


def test_a_trace_says_nothing_of_when_it_came(desk: Desk) -> None:
    trace = desk.writes("t.csv", "epoch;rtt\n2026-11-20 09:00:00;3\n")
    mapping = desk.writes(
        "m.toml", '[file]\nform = "trace"\n[path]\nis = "main.state"\n[arrived]\ncolumn = "came"\n'
    )
    done = desk.imports([trace], mapping, "--site", "agra")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].endswith("leave [arrived] out")
