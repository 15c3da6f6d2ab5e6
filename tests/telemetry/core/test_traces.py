"""Other people's round-trip-time traces: the labelled ones are read whole, a wrong line is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.traces import TraceError, read_trace

LABELLED = Path(__file__).parents[3] / "bench" / "data" / "rtt_labelled"


def test_the_labelled_traces_are_read_whole() -> None:
    traces = [read_trace(file) for file in sorted(LABELLED.glob("*.csv"))]
    assert len(traces) == 25
    assert all((np.diff(trace.time_ns) >= 0).all() for trace in traces)
    assert all(trace.changes.any() and np.isfinite(trace.rtt_ms).mean() > 0.5 for trace in traces)


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
        ("epoch;rtt\n", "no samples"),
        ("epoch;rtt\nyesterday;3\n", "line 2: 'yesterday' is no time"),
        (
            "epoch;rtt\n2016-11-19 23:59:28;1\n9999-12-31 00:00:00;3\n",
            "line 3: '9999-12-31 00:00:00' does not lie between",
        ),
        (
            "epoch;rtt\n0001-01-01 00:00:00;3\n",
            "line 2: '0001-01-01 00:00:00' does not lie between 1900 and 2200",
        ),
        ("epoch;rtt\n2016-11-19 23:59:28;fast\n", "line 2: rtt is 'fast'"),
        ("epoch;rtt\n2016-11-19 23:59:28;3\n2016-11-18 23:59:28;3\n", "line 3: the time goes backwards"),
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
        assert str(told.value) == f"{file}, line 20002: byte 0xb5 is not UTF-8; save the file as UTF-8"


def test_a_trace_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none\.csv"):
        read_trace(tmp_path / "none.csv")
