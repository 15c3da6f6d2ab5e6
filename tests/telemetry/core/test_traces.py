"""Other people's round-trip-time traces: the labelled ones are read whole, a wrong line is named."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.trace_lines import TraceError
from telemetry.traces import line_numbers, read_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.traces import WrittenTrace

LABELLED = Path(__file__).parents[3] / "bench" / "data" / "rtt_labelled"


def test_the_labelled_traces_are_read_whole() -> None:
    traces = [read_trace(file) for file in sorted(LABELLED.glob("*.csv"))]
    assert len(traces) == 25
    assert all((np.diff(trace.time_ns) >= 0).all() for trace in traces)
    assert all(trace.rows.tolist() == list(range(len(trace.rows))) and not trace.mended for trace in traces)
    assert all(trace.changes.any() and np.isfinite(trace.rtt_ms).mean() > 0.5 for trace in traces)


def test_the_labelled_traces_are_read_bit_for_bit_as_ever() -> None:
    """Times, round trips, labels and rows of all 25, as they were when the shipped trees were grown on them."""
    read = hashlib.sha256()
    for file in sorted(LABELLED.glob("*.csv")):
        trace = read_trace(file)
        for values, kind in (
            (trace.time_ns, "<i8"),
            (trace.rtt_ms, "<f8"),
            (trace.changes, "?"),
            (trace.rows, "<i8"),
        ):
            read.update(values.astype(kind).tobytes())
    assert read.hexdigest() == "8d003c6e9c602efe8a75d9d5e82ec112765d4f9d42dfd3ee20c62bddb371c41c"


@pytest.mark.parametrize(
    ("written", "first", "second"),
    [
        ("14/10/2016 21:17", "14/10/2016 21:17", 1476479820),
        ("2016-11-19 23:59:28", "2016-11-20 00:03:30", 1479599968),
    ],
)
def test_times_are_utc_and_days_come_first_where_there_are_slashes(
    tmp_path: Path, written: str, first: str, second: int
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"epoch;rtt;cp\n{written};12.5;0\n{first};-1;1\n", encoding="utf-8")
    trace = read_trace(file)
    assert int(trace.time_ns[0]) == second * 10**9
    assert trace.rtt_ms[0] == 12.5
    assert np.isnan(trace.rtt_ms[1])
    assert trace.changes.tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "epoch;rtt;cp"),
        ("epoch;cp\n2016-11-19 23:59:28;0\n", "no column 'rtt'"),
        (
            "when,rtt,cp\n2016-11-19 23:59:28,3,0\n",
            "no column 'epoch' in 'when,rtt,cp'; write the columns epoch;rtt;cp with semicolons",
        ),
        ("epoch;rtt\n", "no samples"),
        ("epoch;rtt\nyesterday;3\n", "a.csv:2: 'yesterday' is no time"),
        (
            "epoch;rtt\n2016-11-19 23:59:28;1\n9999-12-31 00:00:00;3\n",
            "a.csv:3: '9999-12-31 00:00:00' does not lie between",
        ),
        (
            "epoch;rtt\n0001-01-01 00:00:00;3\n",
            "a.csv:2: '0001-01-01 00:00:00' does not lie between 1900 and 2200",
        ),
        ("epoch;rtt\n2016-11-19 23:59:28;fast\n", "a.csv:2: rtt is 'fast'"),
        ("epoch;rtt\n2016-11-19 23:59:28;fast\n2016-11-18 23:59:28;3\n", "a.csv:2: rtt is 'fast'"),
        ("epoch;rtt\n10/14/2016 21:17;3\n", "a.csv:2: '10/14/2016 21:17' is no time"),
        (
            "epoch;rtt;cp\n2016-11-19 23:59:28;3;0\n\n;154.05;0\n",
            "a.csv:4: no time in ';154.05;0'; write it like 2026-11-25 10:55:00",
        ),
        ("epoch;rtt\n\n\n147959996;3\n;4\n", "a.csv:4: '147959996' is no time"),
        ("epoch;rtt\r2016-11-19 23:59:28;3\r;4\r", "a.csv:3: no time in ''"),
    ],
)
def test_a_wrong_trace_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TraceError, match=r"a\.csv") as told:
        read_trace(file)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_trace_that_was_cut_short_in_packing_is_told_and_not_taken_for_the_end_of_input(
    tmp_path: Path,
) -> None:
    """By `tatpar changes` too, whose shell would say "Aborted!" of an `EOFError`."""
    file = tmp_path / "cut.csv.gz"
    file.write_bytes(gzip.compress(b"epoch;rtt;cp\n" + b"2016-11-19 23:59:28;3;0\n" * 999)[:40])
    found = CliRunner().invoke(main, ["changes", str(file)])
    assert found.exit_code == 2
    said = "Compressed file ended before the end-of-stream marker was reached"
    assert found.stderr == f"{file}: it cannot be unpacked ({said}); pack or copy it again\n"


def test_a_byte_that_is_no_text_is_told_where_it_stands(tmp_path: Path) -> None:
    """Its line, also in a packed file."""
    text = b"epoch;rtt;cp\n" + b"2016-11-19 23:59:28;3;0\n" * 20_000 + b"2016-11-19 23:59:28;3\xb5;0\n"
    for name, raw in (("a.csv", text), ("a.csv.gz", gzip.compress(text))):
        file = tmp_path / name
        file.write_bytes(raw)
        with pytest.raises(TraceError) as told:
            read_trace(file)
        assert str(told.value) == f"{file}:20002: byte 0xb5 is not UTF-8; save the file as UTF-8"


ROWS = tuple(
    f"2016-11-19 23:{minute:02}:28;{rtt};{int(rtt == 30)}" for minute, rtt in enumerate([20, -1, 30, 31])
)


def of_rows(file: Path, rows: Sequence[str]) -> WrittenTrace:
    """The trace of a file of these rows, with a blank line before the last."""
    file.write_text("\n".join(["epoch;rtt;cp", *rows[:-1], "", rows[-1]]) + "\n", encoding="utf-8")
    return read_trace(file)


@pytest.mark.parametrize(
    ("rows", "stand_in", "lines", "counts"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], [2, 3, 4, 6], (0, 0)),
        ([3, 2, 1, 0], [3, 2, 1, 0], [6, 4, 3, 2], (3, 0)),
        ([2, 0, 3, 1], [1, 3, 0, 2], [3, 6, 2, 4], (2, 0)),
        ([0, 0, 1, 1, 1, 2, 3], [0, 2, 5, 6], [2, 4, 7, 9], (0, 3)),
        ([0, 1, 2, 0, 1, 2, 3], [0, 1, 2, 6], [2, 3, 4, 9], (0, 3)),
    ],
)
def test_rows_in_any_order_and_more_than_once_are_the_same_trace(
    tmp_path: Path, rows: list[int], stand_in: list[int], lines: list[int], counts: tuple[int, int]
) -> None:
    """The samples are those of the file in order; which row and line each is, and how many were mended, is told."""
    file, (late, repeated) = tmp_path / "a.csv", counts
    plain, found = of_rows(file, ROWS), of_rows(file, [ROWS[row] for row in rows])
    assert found.time_ns.tolist() == plain.time_ns.tolist()
    assert np.array_equal(found.rtt_ms, plain.rtt_ms, equal_nan=True)
    assert found.changes.tolist() == plain.changes.tolist() == [False, False, True, False]
    assert found.rows.tolist() == stand_in
    assert line_numbers(file, found).tolist() == lines
    told = f"{file}: rows that stood after a later one, sorted by time: {late}; repeated rows, counted once: {repeated}"
    assert found.mended == ((told,) if late or repeated else ())


def test_of_two_values_for_one_instant_the_first_is_taken_and_the_other_told(tmp_path: Path) -> None:
    """A lost packet and a measured one contradict each other, two lost ones do not; a label on either is the sample's."""
    file = tmp_path / "a.csv"
    again = ["2016-11-19 23:00:28;21;0", "2016-11-19 23:01:28;-4;1", "2016-11-19 23:02:28;-1;0"]
    found = of_rows(file, [*ROWS, *again])
    assert found.rtt_ms[[0, 2, 3]].tolist() == [20.0, 30.0, 31.0]
    assert np.isnan(found.rtt_ms[1])
    assert found.changes.tolist() == [False, True, True, False]
    counted, told = found.mended
    assert counted.endswith("sorted by time: 0; repeated rows, counted once: 1")
    assert told == (
        f"{file}:6: '2016-11-19 23:00:28;21;0' contradicts line 2, '2016-11-19 23:00:28;20;0', of the same time; "
        "the first was taken (rows like this, left out: 2)"
    )


def test_a_sample_that_stands_seconds_after_a_later_one_stays_there(tmp_path: Path) -> None:
    """As in real traces: it is dated like the one before it, and nobody is told; one that is a minute late or more is moved, it alone."""
    rows = [
        f"2016-11-19 23:{at};{rtt};0"
        for at, rtt in (("00:28", 20), ("04:30", 21), ("04:28", 22), ("08:28", 23))
    ]
    found = of_rows(tmp_path / "a.csv", [*rows, rows[2]])
    assert found.rtt_ms.tolist() == [20.0, 21.0, 22.0, 23.0]
    assert np.diff(found.time_ns).tolist() == [242 * 10**9, 0, 238 * 10**9]
    assert found.mended[0].endswith("sorted by time: 0; repeated rows, counted once: 1")
    found = of_rows(tmp_path / "a.csv", [*rows, "2016-11-19 23:07:27;24;0"])
    assert found.rtt_ms.tolist() == [20.0, 21.0, 22.0, 24.0, 23.0]
    assert found.mended[0].endswith("sorted by time: 1; repeated rows, counted once: 0")


@pytest.mark.parametrize("moved", [[4], [3, 6], [0, 1, 2], [7, 5, 3]])
def test_a_row_that_came_late_leaves_those_before_it_as_they_stood(tmp_path: Path, moved: list[int]) -> None:
    """A packet every 20 s, each third one written before the second: whatever is appended, their order is the same."""
    stand = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9]
    rows = [f"2016-11-19 23:{at // 3:02}:{at % 3 * 20:02};{20 + at};0" for at in range(10)]
    before = [rows[at] for at in stand if at not in moved]
    plain = of_rows(tmp_path / "a.csv", before).rtt_ms.tolist()
    found = of_rows(tmp_path / "a.csv", [*before, "2016-11-19 23:10:00;40;0", *(rows[at] for at in moved)])
    stayed = [rtt for rtt in found.rtt_ms.tolist() if rtt - 20 not in moved]
    assert stayed == [*plain, 40.0]
    late = [rtt - 20 for rtt in found.rtt_ms.tolist() if rtt - 20 in moved]
    assert late == sorted(moved)


def test_a_file_that_stands_newest_first_is_read_from_its_end(tmp_path: Path) -> None:
    """Also where the packets are seconds apart, and where one stands seconds out of its place."""
    rows = [
        f"2016-11-19 23:{at // 4:02}:{at % 4 * 15:02};{20 + at};0" for at in (0, 1, 2, 4, 3, *range(5, 40))
    ]
    plain, found = of_rows(tmp_path / "a.csv", rows), of_rows(tmp_path / "a.csv", rows[::-1])
    assert found.rtt_ms.tolist() == plain.rtt_ms.tolist() == [20, 21, 22, 24, 23, *range(25, 60)]
    assert found.time_ns.tolist() == plain.time_ns.tolist()


def test_in_a_minute_two_may_have_been_measured(tmp_path: Path) -> None:
    """Where times are written to the minute another value is another sample, however often the rows are written; so is a lost one."""
    rows = [f"14/10/2016 21:{minute};{rtt};0" for minute, rtt in ((17, 20), (17, 21), (17, 22), (18, 21))]
    found = of_rows(tmp_path / "a.csv", [*rows, *rows])
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.mended[0].endswith("sorted by time: 0; repeated rows, counted once: 4")
    assert len(of_rows(tmp_path / "a.csv", ["27/11/2016 15:33;-3;0", "27/11/2016 15:33;-3;0"]).rows) == 2


def test_two_of_one_value_in_a_minute_may_both_have_been_measured(tmp_path: Path) -> None:
    """Where they follow each other: four a minute in whole milliseconds, of which a quarter is lost, also when all is written again."""
    rows = [f"14/10/2016 21:{minute};{rtt};0" for minute in range(17, 20) for rtt in (40, 40, 40, -1)]
    found = of_rows(tmp_path / "a.csv", rows)
    assert np.isnan(found.rtt_ms).tolist() == [False, False, False, True] * 3
    assert found.mended == ()
    assert np.isfinite(of_rows(tmp_path / "a.csv", [*rows, *rows]).rtt_ms).sum() == 9


def test_each_row_says_whether_its_day_comes_first(tmp_path: Path) -> None:
    """A file that changes its way of writing goes on in time: 05/11 is the fifth of November, also after 2016-11-04."""
    rows = [
        "2016-11-04 12:00:00;1;0",
        "05/11/2016 12:00;2;0",
        "6/11/2016 12:00:00;3;0",
        "2016/11/07 12:00;4;0",
    ]
    found = of_rows(tmp_path / "a.csv", rows)
    assert np.diff(found.time_ns).tolist() == [86_400 * 10**9] * 3
    assert found.mended == ()


def test_a_trace_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none\.csv"):
        read_trace(tmp_path / "none.csv")
