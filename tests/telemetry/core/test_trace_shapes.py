"""Traces as others write them: other names, separators, orders and times are read; a row that breaks off is told."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.trace_lines import TraceError
from telemetry.traces import line_numbers, read_trace

if TYPE_CHECKING:
    from pathlib import Path

FIRST_S = 1_479_599_968
SECOND_NS = 10**9
FOUR_MINUTES_NS = 240 * SECOND_NS
FIRST, SECOND = "2016-11-19 23:59:28", "2016-11-20 00:03:28"


def of(folder: Path, text: str | bytes) -> Path:
    """A file that holds this."""
    file = folder / "a.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize(
    "text",
    [
        f"epoch;rtt;cp\n{FIRST};12.5;0\n{SECOND};-1;1\n",
        f"epoch,rtt,cp\n{FIRST},12.5,0\n{SECOND},-1,1\n",
        f"Epoch\tRTT\tCP\n{FIRST}\t12.5\t0\n{SECOND}\t\t1\n",
        f"cp;probe;rtt_ms; Timestamp\n0;7;12.5;{FIRST}\n1;7;-1;{SECOND}\n",
        f"time;rtt;cp\r\n{FIRST};12.5;0\r\n{SECOND};-1;1\r\n",
        f"\ufeffepoch;rtt;cp\n{FIRST};12.5;0\n{SECOND};-1;1\n",
        f'\ufeff"Time","rtt","cp"\r\n"{FIRST}","12.5","0"\r\n"{SECOND}","-1","1"\r\n',
        f"epoch;rtt;cp\r{FIRST};12.5;0\r{SECOND};-1;1\r",
        f"epoch;time;rtt;cp\n{FIRST};noon;12.5;0\n{SECOND};one;-1;1",
    ],
)
def test_a_trace_is_the_same_however_its_columns_are_called_and_separated(tmp_path: Path, text: str) -> None:
    trace = read_trace(of(tmp_path, text))
    assert trace.time_ns.tolist() == [FIRST_S * SECOND_NS, FIRST_S * SECOND_NS + FOUR_MINUTES_NS]
    assert trace.rtt_ms[0] == 12.5
    assert np.isnan(trace.rtt_ms[1])
    assert trace.changes.tolist() == [False, True]
    assert trace.mended == ()


@pytest.mark.parametrize(
    ("written", "at_ns"),
    [
        ("1479599968", FIRST_S * SECOND_NS),
        ("1479599968.0", FIRST_S * SECOND_NS),
        (" 1479599968.25 ", FIRST_S * SECOND_NS + 250_000_000),
        ("1479599968123", FIRST_S * SECOND_NS + 123_000_000),
        ("1479599968123.5", FIRST_S * SECOND_NS + 123_500_000),
        ("1479599968123456", FIRST_S * SECOND_NS + 123_456_000),
        ("1479599968123456789", FIRST_S * SECOND_NS + 123_456_789),
        ("2016-11-19T23:59:28Z", FIRST_S * SECOND_NS),
        ("2016-11-20T05:29:28.5+05:30", FIRST_S * SECOND_NS + 500_000_000),
        ("19/11/2016 23:59:28", FIRST_S * SECOND_NS),
        ("19-11-2016 23:59:28", FIRST_S * SECOND_NS),
        ("19.11.2016 11:59:28 PM", FIRST_S * SECOND_NS),
        ("19-Nov-2016 23:59:28", FIRST_S * SECOND_NS),
        ("05-11-2016 00:00", 1_478_304_000 * SECOND_NS),
        ("5/11/16 0:00", 1_478_304_000 * SECOND_NS),
        ("2016-11-05", 1_478_304_000 * SECOND_NS),
        ("20161119T235928Z", FIRST_S * SECOND_NS),
        ("20161120T052928.5+0530", FIRST_S * SECOND_NS + 500_000_000),
        ("20161105T0000", 1_478_304_000 * SECOND_NS),
        ("2016-11-19 23:59:28,123", FIRST_S * SECOND_NS + 123_000_000),
        ("2016-11-19t23:59:28z", FIRST_S * SECOND_NS),
        ("2016.11.19 23:59:28", FIRST_S * SECOND_NS),
        ("2016.11.05 00:00", 1_478_304_000 * SECOND_NS),
        ("Nov 19 2016 23:59:28", FIRST_S * SECOND_NS),
        ("November 5, 2016 0:00", 1_478_304_000 * SECOND_NS),
        ("Sat Nov 19 23:59:28 2016", FIRST_S * SECOND_NS),
        ("Sat Nov  5 00:00:00 UTC 2016", 1_478_304_000 * SECOND_NS),
        ("Sun, 20 Nov 2016 05:29:28 +0530", FIRST_S * SECOND_NS),
    ],
)
def test_times_are_counted_since_1970_or_written_as_days(tmp_path: Path, written: str, at_ns: int) -> None:
    """To the nanosecond; by its digits a count says its unit, and the day comes before the month."""
    assert read_trace(of(tmp_path, f"epoch;rtt\n{written};12.5\n")).time_ns.tolist() == [at_ns]


def test_of_two_counts_of_one_second_the_first_is_taken(tmp_path: Path) -> None:
    """A count is written to the second: another value for it contradicts, as a date with seconds does."""
    file = of(tmp_path, "epoch;rtt\n1479599968;12\n1479599968;13\n")
    found = read_trace(file)
    assert found.rtt_ms.tolist() == [12.0]
    [told] = found.mended
    assert told == (
        f"{file}:3: '1479599968;13' contradicts line 2, '1479599968;12', of the same time; "
        "the first was taken (rows like this, left out: 1)"
    )


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        *product(
            [f"{FIRST};12.5;0"],
            [
                "2016-11-20",
                "2016-11-20 00",
                "2016-11-20 00:0",
                "2016-11-20 00:03",
                "2016-11-20 00:03:28;1",
                "2",
            ],
        ),
        (f"{FIRST};12.5;0", "2016-11-20 00:0;3;0"),
        (f"{FIRST};12.5;0", "2016-11-20 00:03;3;0"),
        ("19/11/2016 23:59;12.5;0", "20/11/2016 0"),
        ("19/11/2016 23:59;12.5;0", "20/11/20"),
        ("1479599968;12.5;0", "14796002"),
        ("20161119T235928Z;12.5;0", "20161120T0003;3;0"),
        ("2016-11-19T23:59:28;12.5;0", "2016-11-20T00:0;3;0"),
        ("2016-11-19T23:59:28;12.5;0", "2016-11-20T00:03"),
        ("Sat Nov 19 23:59:28 2016;12.5;0", "Sun Nov 20 00:03:28 20"),
        ("31-Oct-2016 23:59;12.5;0", "01-Nov-2016 0"),
        ("1479599968123;12.5;0", "1479600208"),
    ],
)
def test_a_last_row_that_breaks_off_is_left_out_and_told(tmp_path: Path, whole: str, cut: str) -> None:
    """It would be a row of another time, or a loss that was none; with or without an end of the line."""
    for end in ("", "\n", "\r\n"):
        file = of(tmp_path, f"epoch;rtt;cp\n{whole}\n\n{cut}{end}")
        trace = read_trace(file)
        assert trace.rtt_ms.tolist() == [12.5]
        assert line_numbers(file, trace).tolist() == [2]
        assert trace.mended == (f"{file}:4: the last row, {cut!r}, breaks off; it was left out",)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        (f"epoch;rtt\n{FIRST};12.5\n{SECOND};\n", True),
        (f"epoch;rtt;cp\n{FIRST};12.5;0\n{SECOND};;", True),
        (f"epoch;rtt;cp\n{FIRST};12.5\n{SECOND};13\n", False),
        (f"epoch;rtt;cp\n{FIRST}.123456;12.5;0\n{SECOND}.12;13;0\n", False),
        ("epoch;rtt\n1479599968.125;12.5\n1479600208;13", False),
        ("epoch;rtt\n19/11/2016 23:59:28;12.5\n2016-11-20 00:03;13\n", False),
        ("epoch;rtt\n2016-11-19T23:59:30;12.5\n2016-11-20T00:00;13\n", False),
        ("epoch;rtt\n2016-11-19 23:59:28,123;12.5\n2016-11-20 00:03:28,5;13\n", False),
    ],
)
def test_a_last_row_that_is_whole_stays(tmp_path: Path, text: str, lost: bool) -> None:
    """A packet that was lost, columns that no row has, fractions of any length, another way of writing the time, no seconds where they are 0."""
    trace = read_trace(of(tmp_path, text))
    assert np.isnan(trace.rtt_ms).tolist() == [False, lost]
    assert trace.mended == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"epoch;rtt\n2016-11-19 23:5;12.5\n{SECOND};13\n",
            ":2: '2016-11-19 23:5' is no time; write it like",
        ),
        (f"epoch;rtt\n2016;12.5\n{SECOND};13\n", ":2: '2016' is no time; write it like 2026-11-25 10:55:00"),
        ("epoch;rtt\n240;12.5\n480;13\n", ":2: '240' is no time; write it like 2026-11-25 10:55:00"),
        ("epoch;rtt\n1.47959996e9;12.5\n", ":2: '1.47959996e9' is no time; write it like"),
        ("epoch;rtt\n20161119T235;12.5\n", ":2: '20161119T235' is no time; write it like"),
        ("epoch;rtt\n19 Sat 2016 23:59;12.5\n", ":2: '19 Sat 2016 23:59' is no time; write it like"),
        ("epoch;rtt\n11/19/2016 23:59;12.5\n", ":2: '11/19/2016 23:59' is no time; write it like"),
        (
            "epoch;rtt\n9999999999;12.5\n",
            ":2: '9999999999' does not lie between 1900 and 2200; write it like",
        ),
        (
            f"time;timestamp;rtt\n1;{FIRST};12.5\n",
            ": the columns 'time' and 'timestamp' may both be 'epoch'; keep one of them",
        ),
        (
            f"epoch;RTT;rtt\n{FIRST};1;2\n",
            ": the columns 'RTT' and 'rtt' may both be 'rtt'; keep one of them",
        ),
        (f"epoch;rtt\n{FIRST};12.5\n\n{SECOND};13;0\n", ":4: 3 columns where 2 are named; write the columns"),
        (
            f"epoch;rtt\n{FIRST};12.5;0\n{SECOND};13;0\n",
            f":2: '{FIRST};12.5;0' has more columns than the header; name each of them",
        ),
        (f"epoch;rtt\n{FIRST};12,5\n", ":2: rtt is '12,5'; write a number of milliseconds"),
        (f"epoch;rtt;cp\n{FIRST};12.5;yes\n", ":2: cp is 'yes'; write 1 where a level begins, else 0"),
        (
            f'epoch;rtt\n{FIRST};"12.5\n{SECOND};13\n',
            ": EOF inside string starting at row 1; write the columns",
        ),
        ("epoch;rtt\n".encode("utf-16"), ":1: byte 0xff is not UTF-8; save the file as UTF-8"),
        (
            b"\n \n",
            ": it is empty; write the columns epoch;rtt;cp with semicolons between, and one sample a line",
        ),
    ],
)
def test_what_stays_unreadable_is_one_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    """Where, what, and what to write instead."""
    file = of(tmp_path, text)
    with pytest.raises(TraceError) as told:
        read_trace(file)
    assert str(told.value).startswith(f"{file}{said}")
    assert "\n" not in str(told.value)


def test_tatpar_changes_reads_the_same_of_counts_and_commas_without_labels(tmp_path: Path) -> None:
    """A level that begins at row 100; the row that breaks off is told on standard error alone."""
    rows = [f"{FIRST_S + 240 * i},{(40 if i < 100 else 60) + i % 3 / 10}" for i in range(200)]
    done = CliRunner().invoke(
        main, ["changes", str(of(tmp_path, "\n".join(["Timestamp,RTT", *rows]) + "\n"))]
    )
    assert (done.exit_code, done.stdout, done.stderr) == (0, "100\n", "")
    file = of(tmp_path, "\n".join(["Timestamp,RTT", *rows, "147964"]))
    done = CliRunner().invoke(main, ["changes", str(file)])
    assert (done.exit_code, done.stdout) == (0, "100\n")
    assert done.stderr == f"{file}:202: the last row, '147964', breaks off; it was left out\n"


NEAR = (
    "most round trips are below 1 ms, what light needs for 100 km of fibre and back; "
    "if they are seconds, write them in milliseconds: rtt times 1000"
)


@pytest.mark.parametrize("rtts", [(0.04, 0.3, -1), (0.04, 0.3, 4.0), (0.999, 0.999, 1)])
def test_round_trips_in_seconds_are_asked_about(tmp_path: Path, rtts: tuple[float, ...]) -> None:
    """Nobody can know: it is told in one line, and they are read as they are, with a timeout of 4 s as 4 ms."""
    rows = "\n".join(f"{FIRST_S + i};{rtt}" for i, rtt in enumerate(rtts))
    file = of(tmp_path, f"epoch;rtt\n{rows}\n")
    trace = read_trace(file)
    assert trace.mended == (f"{file}: {NEAR}",)
    assert np.nan_to_num(trace.rtt_ms, nan=-1).tolist() == list(rtts)
    told = CliRunner().invoke(main, ["changes", str(file)])
    assert (told.exit_code, told.stderr) == (0, f"{file}: {NEAR}\n")


@pytest.mark.parametrize("rtts", [(1, 1, 1), (0.2, 1.5, 1.6), (-1, -1, -1)])
def test_round_trips_of_a_line_of_some_length_are_not(tmp_path: Path, rtts: tuple[float, ...]) -> None:
    """Nor those of a trace that has none."""
    rows = "\n".join(f"{FIRST_S + i};{rtt}" for i, rtt in enumerate(rtts))
    assert read_trace(of(tmp_path, f"epoch;rtt\n{rows}\n")).mended == ()
