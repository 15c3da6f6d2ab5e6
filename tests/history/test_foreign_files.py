"""Files as other tools really write them: what they mean is taken in, and what they cannot mean is refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Desk

PLACE = '[site]\nis = "agra"\n[path]\nis = "main.state"\n'
PING = '[time]\ncolumn = "t"\n' + PLACE + '[ping]\nrtt = { column = "rtt" }\n'
SUMMARY = (
    '[time]\ncolumn = "t"\n' + PLACE + '[summary]\ncadence_s = 15\nsent = { column = "sent" }\n'
    'rtt_mean = { column = "avg" }\n'
)
TIMES = pd.date_range("2026-11-20 09:00", periods=4, freq="15s", tz="UTC")


def refusal(desk: Desk, file: Path, mapping: str) -> str:
    """What is said of a file that is refused, with nothing written."""
    done = desk.imports([file], desk.writes("m.toml", mapping))
    assert done.exit_code == 2, done.output
    assert not (desk.data / "reports.db").exists() or len(desk.rollups()) == 0
    (line,) = [each for each in done.stderr.splitlines() if file.name in each]
    return line


def test_the_index_of_a_frame_is_a_column_of_its_parquet_file(desk: Desk) -> None:
    """As InfluxDB's client and pandas keep a series: its times are the frame's index."""
    frame = pd.DataFrame({"t": TIMES, "rtt": [40.0, 41.0, None, 42.0]}).set_index("t")
    file = desk.folder / "a.parquet"
    frame.to_parquet(file)
    done = desk.imports([file], desk.writes("m.toml", PING))
    assert done.exit_code == 0, done.output
    values = desk.rollups().window_values
    assert values["sent"][0, :4].tolist() == [1, 1, 1, 1]
    assert values["lost"][0, :4].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    "rtt",
    [pd.to_timedelta([40.0] * 4, unit="ms"), pd.Series([True] * 4)],
    ids=["durations", "truths"],
)
def test_what_is_kept_as_no_number_is_no_round_trip(desk: Desk, rtt: pd.Series | pd.TimedeltaIndex) -> None:
    """A duration in nanoseconds would be longer than any timeout, and each packet lost."""
    file = desk.folder / "a.parquet"
    pd.DataFrame({"t": TIMES, "rtt": rtt}).to_parquet(file)
    assert "rtt is kept as" in refusal(desk, file, PING)


@pytest.mark.parametrize("cut", ["2026-11-20T09:1", "2026-11-20T09", "2026-11-20", "2026-1", "2026"])
def test_a_time_that_breaks_off_is_no_other_time(desk: Desk, cut: str) -> None:
    """The last row of a file that was cut short, with the time at its end: pandas would take it for New Year, or midnight."""
    file = desk.writes("a.csv", f"rtt,t\n40,2026-11-20T09:00:00\n41,{cut}")
    assert f'a.csv:3: t is "{cut}"' in refusal(desk, file, PING)


def test_a_day_alone_that_follows_on_another_is_its_midnight(desk: Desk) -> None:
    """R leaves the clock out where it stands at 0."""
    rows = "".join(f"40,{at}\n" for at in ("2026-11-20 23:59:45", "2026-11-21", "2026-11-21 00:00:15"))
    done = desk.imports([desk.writes("a.csv", "rtt,t\n" + rows)], desk.writes("m.toml", PING))
    assert done.exit_code == 0, done.output
    found = desk.rollups()
    assert np.nan_to_num(found.window_values["sent"]).sum(axis=1).tolist() == [1, 2]


def test_times_of_one_file_may_have_fractions_of_any_length(desk: Desk) -> None:
    """Python writes none where there are no microseconds: that breaks off nowhere."""
    rows = "".join(f"40,2026-11-20T09:00:{at}\n" for at in ("00.250000", "15", "30.5", "45"))
    done = desk.imports([desk.writes("a.csv", "rtt,t\n" + rows)], desk.writes("m.toml", PING))
    assert done.exit_code == 0, done.output
    assert desk.rollups().window_values["sent"][0, :4].tolist() == [1, 1, 1, 1]


def test_a_line_is_the_file_s_own_where_others_are_comments(desk: Desk) -> None:
    """As InfluxDB annotates its tables, before the header and between."""
    head = "#group,false,false\n#datatype,dateTime:RFC3339,double\n#default,,\nt,rtt\n"
    rows = "2026-11-20T09:00:00Z,40\n#group,false,false\n2026-11-20T09:00:15Z,abc\n"
    file = desk.writes("a.csv", head + rows)
    assert 'a.csv:7: rtt is "abc"' in refusal(desk, file, '[file]\ncomment = "#"\n' + PING)


@pytest.mark.parametrize("head", ['"loss\n(%)",t,rtt', "loss,t,rtt#in ms"], ids=["lines", "comment"])
def test_a_head_is_read_as_the_rows_are(desk: Desk, head: str) -> None:
    """A spreadsheet breaks a long name into lines; a comment may stand behind the last."""
    file = desk.writes("a.csv", f"{head}\n0,2026-11-20T09:00:00Z,40\n")
    done = desk.imports([file], desk.writes("m.toml", '[file]\ncomment = "#"\n' + PING))
    assert done.exit_code == 0, done.output
    assert desk.rollups().window_values["sent"][0, :1].tolist() == [1]


@pytest.mark.parametrize(("sign", "written"), [(";", ";"), ("\t", "\\t"), ("|", "|")])
def test_a_head_that_is_one_column_says_which_separator_to_name(desk: Desk, sign: str, written: str) -> None:
    """No column is called `t;rtt`, though nothing else is there."""
    file = desk.writes("a.csv", f"t{sign}rtt\n2026-11-20T09:00:00Z{sign}40\n")
    assert f'say separator = "{written}" under [file]' in refusal(desk, file, PING)


def test_a_row_tells_of_no_more_packets_than_can_be_judged(desk: Desk) -> None:
    """A column that is no number of packets, as a count of bytes, is refused before anything is written."""
    file = desk.writes("a.csv", "t,sent,avg\n2026-11-20T09:00:00Z,3000000000,40\n")
    assert "at most 1,000,000" in refusal(desk, file, SUMMARY)


def test_what_came_back_says_what_was_lost(desk: Desk) -> None:
    """As RIPE Atlas tells it: three sent, so many received, and -1 for a round trip that there was none of."""
    file = desk.writes(
        "a.csv",
        "t,sent,rcvd,avg\n2026-11-20T09:00:00Z,3,3,38.1\n2026-11-20T09:00:15Z,3,1,39\n2026-11-20T09:00:30Z,3,0,-1\n",
    )
    mapping = desk.writes("m.toml", SUMMARY + 'received = { column = "rcvd" }\n')
    done = desk.imports([file], mapping)
    assert done.exit_code == 0, done.output
    values = desk.rollups().window_values
    assert values["sent"][0, :3].tolist() == [3, 3, 3]
    assert values["lost"][0, :3].tolist() == [0, 2, 3]


def test_no_more_comes_back_than_was_sent(desk: Desk) -> None:
    """The two columns are of something else then."""
    file = desk.writes("a.csv", "t,sent,rcvd,avg\n2026-11-20T09:00:00Z,3,4,38.1\n")
    said = refusal(desk, file, SUMMARY + 'received = { column = "rcvd" }\n')
    assert "a.csv:2: 4 packets came back of 3 that were sent" in said


def test_received_and_lost_are_not_both_told(desk: Desk) -> None:
    """One of them follows from the other."""
    both = 'lost = { column = "lost" }\nreceived = { column = "rcvd" }\n'
    file = desk.writes("a.csv", "t,sent,lost,rcvd,avg\n")
    done = desk.imports([file], desk.writes("m.toml", SUMMARY + both))
    assert done.exit_code == 2
    assert "lost and received say the same thing" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t,rtt,rtt\n2026-11-20T09:00:00Z,40,41\n", 'the column "rtt" stands twice'),
        ("t,rtt\n2026-11-20T09:00:00Z,40,7\n", "a row has more than the 2 columns that are named"),
        ('[{"t":"' + "9" * 200_000 + '"}]\n', 'there is no column "t"'),
    ],
    ids=["twice", "unnamed", "no table"],
)
def test_columns_that_cannot_be_told_apart_are_refused(desk: Desk, text: str, said: str) -> None:
    """The second of a name, or the first of too many, would be another figure, or none."""
    assert said in refusal(desk, desk.writes("a.csv", text), PING)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('columns = ["t", "rtt", "rtt"]', 'm.toml:2: the column "rtt" stands twice'),
        ('separator = "\\n"', "m.toml:2: separator is '\\n'"),
        ('separator = "।"', "m.toml:2: separator is '।'"),
        ('comment = "।"', "m.toml:2: comment is '।'"),
        ('comment = ","', "m.toml:2: comment and separator are the same sign"),
    ],
)
def test_a_mapping_names_signs_that_can_part_cells(desk: Desk, told: str, said: str) -> None:
    """What cannot be read by it is told of the mapping, before any file is read."""
    file = desk.writes("a.csv", "t,rtt\n2026-11-20T09:00:00Z,40\n")
    done = desk.imports([file], desk.writes("m.toml", f"[file]\n{told}\n{PING}"))
    assert done.exit_code == 2, done.output
    assert said in done.stderr


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M:%S.%L", "%Y-%m-%d %Y", "%d/%m/%Y %"])
def test_a_pattern_that_reads_no_time_is_told(desk: Desk, form: str) -> None:
    """Other tools' directives, one that stands twice, one that breaks off."""
    file = desk.writes("a.csv", "t,rtt\n20/11/2026 09:00,40\n")
    mapping = PING.replace('column = "t"', f'column = "t"\nformat = "{form}"')
    done = desk.imports([file], desk.writes("m.toml", mapping))
    assert done.exit_code == 2, done.output
    assert f'm.toml:3: "{form}" is no way of writing times' in done.stderr
