"""Every documented mapping file imports what its own comment shows; every mistake is told in one line."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import time
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import pytest
import zstandard

from tatpar.importing.mapping import read_mapping
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Desk

T0 = slot_start(time.time_ns()) - DAY_NS
NS = 10**9


def test_every_example_is_imported_in_this_file(examples: Path) -> None:
    """The documentation has these mapping files and no others."""
    assert sorted(file.name for file in examples.iterdir()) == [
        "pings.toml", "smokeping.toml", "telegraf.toml", "trace.toml",
    ]  # fmt: skip


def test_pings_as_a_script_writes_them(desk: Desk, examples: Path) -> None:
    """A ping a row; hosts that are not listed are passed over; both marks and the timeout are losses."""
    local = datetime.fromtimestamp(T0 / NS, UTC) + timedelta(hours=5, minutes=30)
    stamp, bare = local.strftime("%Y-%m-%dT%H:%M:%S+05:30"), local.strftime("%Y-%m-%d %H:%M:%S")
    rows = f"""time,host,rtt_ms,status
{stamp},10.20.1.1,38.2,ok
{bare},10.20.2.1,61.7,ok
{stamp.replace(":00+", ":20+")},10.20.1.1,,timeout
{bare.replace(":00", ":40", 1) if False else bare[:-2] + "40"},10.20.1.1,40.0,LOST
{stamp},10.99.9.9,1,ok
{bare[:-2]}50,10.20.1.1,5000,ok

"""
    result = desk.imports([desk.writes("p.csv", rows)], examples / "pings.toml", "--json")
    assert result.exit_code == 0, result.output
    assert [(s["site"], s["samples"]) for s in json.loads(result.stdout)["sites"]] == [
        ("agra", 4),
        ("etah", 1),
    ]
    agra = desk.rollups()
    assert agra.columns["slot_ns"].tolist() == [T0]
    assert agra.window_values["sent"][0, :4].tolist() == [1, 1, 1, 1]
    assert agra.window_values["lost"][0, :4].tolist() == [0, 1, 1, 1]
    assert agra.window_values["rtt_p95_ms"][0, 0] == pytest.approx(38.2)
    assert desk.rollups("etah").columns["slot_ns"].tolist() == [T0]


def test_smokeping(desk: Desk, examples: Path) -> None:
    """Twenty packets a row, in seconds; the file's name is the office's."""
    mapping = examples / "smokeping.toml"
    head = "timestamp,loss,median," + ",".join(f"ping{i}" for i in range(1, 21))
    rtts = [*(f"{0.030 + i / 1000:.4e}" for i in range(18)), "nan", "-nan"]
    file = desk.writes("agra.csv", f"{head}\n{T0 // NS},2,3.9e-02,{','.join(rtts)}\n")
    result = desk.imports([file], mapping, "--json")
    assert result.exit_code == 0, result.output
    table = desk.rollups()
    assert (table.columns["sent"][0], table.columns["lost"][0], table.columns["windows"][0]) == (20, 2, 1)
    assert table.columns["rtt_max_ms"][0] == pytest.approx(47.0)
    assert table.window_values["rtt_p95_ms"][0, 0] == pytest.approx(47.0)
    assert table.columns["longest_loss_run"][0] == 2


def test_telegraf(desk: Desk, examples: Path) -> None:
    """Figures of five packets every ten seconds: counts add up, the worst stands, what is not there is absent."""
    head = (
        "time,url,packets_transmitted,packets_received,percent_packet_loss,"
        "average_response_ms,minimum_response_ms,maximum_response_ms"
    )
    rows = [
        f"{T0 + i * 10 * NS},10.20.1.1,5,{4 if i == 1 else 5},{20 if i == 1 else 0},{38 + i},36,{40 + i}"
        for i in range(4)
    ]
    rows.append(f"{T0 + 40 * NS},10.20.1.1,5,0,100,,,")
    file = desk.writes("t.csv", "\n".join([head, *rows, ""]))
    result = desk.imports([file], examples / "telegraf.toml", "--json")
    assert result.exit_code == 0, result.output
    table = desk.rollups()
    assert table.probes == ("telegraf",)
    # spans end at 10, 20, 30, 40 and 50 s: windows 0, 1, 1, 2, 3
    np.testing.assert_array_equal(table.window_values["sent"][0, :5], [5, 10, 5, 5, np.nan])
    np.testing.assert_array_equal(table.window_values["lost"][0, :4], [0, 1, 0, 5])
    np.testing.assert_array_equal(table.window_values["rtt_p95_ms"][0, :4], [40, 42, 43, np.nan])
    assert table.columns["rtt_min_ms"][0] == 36
    assert table.columns["received"][0] == 19
    assert np.isnan(table.columns["up_jitter_ms"][0])


def test_a_direction_that_the_file_knows_is_kept(desk: Desk) -> None:
    """Loss and jitter by direction land in their columns."""
    mapping = desk.writes(
        "m.toml",
        """
        time = { column = "t", format = "%d.%m.%Y %H:%M", zone = "Asia/Kolkata" }
        site = { is = "agra" }
        path = { is = "main.state" }
        [summary]
        cadence_s = 60
        time_is = "end"
        sent = { is = 100 }
        loss_up = { column = "up", unit = "ratio" }
        loss_down = { column = "down", unit = "ratio" }
        jitter_up = { column = "jit", unit = "us" }
        rtt_p95 = { column = "rtt", unit = "s" }
        """,
    )
    at = datetime.fromtimestamp(T0 / NS, UTC) + timedelta(hours=5, minutes=31)
    file = desk.writes("d.csv", f"t,up,down,jit,rtt\n{at:%d.%m.%Y %H:%M},0.2,0.1,3500,0.25\n")
    result = desk.imports([file], mapping, "--json")
    assert result.exit_code == 0, result.output
    table = desk.rollups()
    values = {name: column[0, 3] for name, column in table.window_values.items()}
    assert (values["sent"], values["up_lost"], values["down_lost"], values["lost"]) == (100, 20, 8, 28)
    assert (values["up_jitter_ms"], values["rtt_p95_ms"]) == (3.5, 250.0)
    assert table.columns["received_ns"].tolist() == [T0 + 4 * WINDOW_NS]
    assert table.columns["lost_unattributed"].tolist() == [0]


PING = '[ping]\nrtt = { column = "rtt" }\n'
PLACE = '[site]\nis = "agra"\n[path]\nis = "main.state"\n'
UNIX = '[time]\ncolumn = "t"\nformat = "unix_s"\n'
GOOD = f"t,rtt\n{T0 // NS},30\n"
SUMMARY = f'{UNIX}{PLACE}[summary]\ncadence_s = 60\nsent = {{ column = "n" }}\nloss = {{ column = "l", unit = "ratio" }}\n'


@pytest.mark.parametrize(
    ("mapping", "rows", "said"),
    [
        (f"{UNIX}{PLACE}{PING}speed = 1\n", GOOD, r'm.toml:10: ping has no key "speed"; write one of: rtt, rtts, timeout_ms, lost'),
        (f"{UNIX}{PLACE}", GOOD, r"m.toml: the file has neither \[ping\] nor \[summary\]; write \[ping\] for a packet a row, .*"),
        (f"{PLACE}{PING}", GOOD, r'm.toml: the file has no \[time\]; add \[time\] with column = "…"'),
        (f"{UNIX}{PLACE}[ping]\n", GOOD, r"m.toml:8: \[ping\] needs the round trips; write rtt = .*"),
        (f"{UNIX}[site]\nis = 'agra'\n{PING}", GOOD, r'm.toml: the file has no "path"; add a table path'),
        (f"{UNIX}{PLACE}{PING}".replace("unix_s", "epoch"), GOOD, r'm.toml:3: "epoch" is no way of writing times; write one of: iso, unix_s, .*'),
        (f"{UNIX}zone = 'Asia/Calcuta'\n{PLACE}{PING}", GOOD, r'm.toml:4: "Asia/Calcuta" is no time zone; write "Asia/Calcutta", or "UTC"'),
        (f"{UNIX}{PLACE}{PING}".replace("agra", "agre"), GOOD, r'm.toml:5: \[site\] has is = "agre", and there is no office "agre"; write "agra", or add it to .*/sites.csv'),
        (f"{UNIX}{PLACE}{PING}".replace("main.state", "state"), GOOD, r'm.toml:7: \[path\] has is = "state", which is no path; write "main.state"'),
        (f"{UNIX}[path]\nis = 'main.state'\n{PING}", GOOD, r"m.toml: it does not say which office this is; write \[site\], or name it with --site"),
        (f"{UNIX}{PLACE}{PING}".replace('"rtt"', '"rtts"'), GOOD, r'r.csv: there is no column "rtts"; write "rtt"'),
        (f"{UNIX}{PLACE}{PING}", f"{GOOD}{T0 // NS},fast\n", r'r.csv:3: rtt is "fast"; write a number, or nothing where there is none'),
        (f"{UNIX}{PLACE}{PING}", f"{GOOD}\nyesterday,3\n", r'r.csv:4: t is "yesterday"; write it as unix_s, or say how .*'),
        (f"{UNIX}{PLACE}{PING}", f"t,rtt\n{T0},30\n", r'r.csv:2: t "\d+" lies in the future; say the unit in \[time\] format, as unix_ms'),
        (f"{UNIX}{PLACE}{PING}".replace("unix_s", "unix_ms"), GOOD, r'r.csv:2: t "\d+" lies before 1980; say the unit .*'),
        (f"{UNIX}{PLACE}{PING}".replace("unix_s", "iso"), "t,rtt\n25/11/26,1\n", r'r.csv:2: t is "25/11/26"; write it like 2026-11-25T10:55:00, or .*'),
        (f"{UNIX}{PLACE}{PING}", f"{GOOD}{T0 // NS},1,2,3\n", r"r.csv:3: it cannot be read as csv \(4 columns where 2 are named\); .*"),
        (SUMMARY, f"t,n,l\n{T0 // NS},10,50\n", r'r.csv:2: l is 50, which is no ratio; say unit = "pct" in the mapping'),
        (SUMMARY, f"t,n,l\n{T0 // NS},1.5,0\n", r"r.csv:2: n is 1.5; write a whole number of packets"),
        (SUMMARY.replace("cadence_s = 60", "cadence_s = 0"), GOOD, r"m.toml:9: summary.cadence_s is 0; write a number from 1 to 86,400"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(desk: Desk, mapping: str, rows: str, said: str) -> None:
    """Where, what, and what to write instead; status 2; and nothing has been written."""
    result = desk.imports([desk.writes("r.csv", rows)], desk.writes("m.toml", mapping))
    assert result.exit_code == 2, result.output
    told = result.stderr.strip().splitlines()[-1].removeprefix(f"{desk.folder}/")
    assert re.fullmatch(said, told), told
    assert not (desk.data / "reports.db").exists()
    assert not list(desk.data.glob("importing-*"))


def test_files_that_cannot_be_read_are_told(desk: Desk, examples: Path) -> None:
    """A missing file, a folder, bytes that are no text, no Parquet, a wrong trace, an unknown office."""
    mapping = desk.writes("m.toml", f"{UNIX}{PLACE}{PING}")
    (desk.folder / "bytes.csv").write_bytes(b"t,rtt\n\xff\xfe,1\n")
    desk.writes("no.parquet", "hello")
    desk.writes("empty.csv", "")
    trace = desk.writes("trace.csv", "epoch;rtt;cp\n2026-11-02 10:00:00;slow;0\n")
    for name, said in (
        ("none.csv", ": there is no such file; name the right one"),
        ("meetings", ": a file is needed here, not a folder; name the file itself"),
        ("bytes.csv", ":2: byte 0xff is not UTF-8; save the file as UTF-8"),
        ("no.parquet", ": it cannot be read as parquet ("),
        ("empty.csv", ": it cannot be read as csv (No columns to parse from file)"),
    ):
        result = desk.imports([desk.folder / name], mapping)
        assert result.exit_code == 2, result.output
        assert f"{desk.folder / name}{said}" in result.stderr
    result = desk.imports([trace], examples / "trace.toml", "--site", "agra")
    assert f"{trace}:2: rtt is 'slow'; write a number of milliseconds" in result.stderr
    result = desk.imports([trace], examples / "trace.toml", "--site", "agrra", "--lang", "en")
    assert result.exit_code == 2
    assert "there is no office 'agrra'; write \"agra\"" in result.stderr


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_time_that_has_no_nanoseconds_is_told_like_any_that_cannot_be(
    desk: Desk, examples: Path, year: str
) -> None:
    """In a CSV, a Parquet file and a trace: one line, nothing written."""
    when = f"{year}-12-31T00:00:00"
    pings = desk.writes("pings.csv", f"t,rtt\n2026-11-02T10:00:00,30\n{when},30\n")
    trace = desk.writes("trace.csv", f"epoch;rtt;cp\n{when};30;0\n")
    parquet = desk.folder / "pings.parquet"
    frame = pd.read_csv(pings, dtype={"t": str})
    frame["t"] = frame["t"].to_numpy("datetime64[us]")
    frame.to_parquet(parquet)
    side = "before 1980" if year == "0001" else "in the future"
    for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata"):
        mapping = desk.writes("m.toml", f'time = {{ column = "t", zone = "{zone}" }}\n{PLACE}{PING}')
        result = desk.imports([pings], mapping)
        assert result.exit_code == 2, result.output
        said = f'{pings}:3: t "{when}" lies {side}; see [time] of the mapping'
        assert result.stderr.splitlines()[-1] == said
        result = desk.imports([parquet], mapping)
        assert result.exit_code == 2, result.output
        assert re.fullmatch(
            rf"{re.escape(str(parquet))}:2: t \"{year}-12-31 .*\" lies {side}; see \[time\] of the mapping",
            result.stderr.splitlines()[-1],
        )
    result = desk.imports([trace], examples / "trace.toml", "--site", "agra")
    assert result.exit_code == 2, result.output
    said = f"{trace}:2: '{when}' does not lie between 1900 and 2200; write it like 2026-11-25 10:55:00"
    assert result.stderr.splitlines()[-1] == said
    assert not (desk.data / "reports.db").exists()


def test_a_trace_from_the_future_is_refused_wherever_it_was_moved(desk: Desk, examples: Path) -> None:
    """The line, the time that stands there, and what may have moved it."""
    trace = desk.writes("trace.csv", "epoch;rtt;cp\n2016-11-02 10:00:00;30;0\n")
    text = (examples / "trace.toml").read_text(encoding="utf-8")
    assert "shift_weeks = " in text
    mapping = desk.writes("m.toml", re.sub(r"shift_weeks = -?\d+", "shift_weeks = 4900", text))
    result = desk.imports([trace], mapping, "--site", "agra")
    assert result.exit_code == 2, result.output
    assert result.stderr.splitlines()[-1].startswith(
        f'{trace}:2: epoch "2016-11-02 10:00:00+00:00" lies in the future; '
    )


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst", "zip"])
def test_what_was_packed_is_read_and_what_was_cut_short_is_told(
    desk: Desk, examples: Path, ending: str
) -> None:
    """Of pings and traces alike; nothing of a file that breaks off is imported, however much of it could be read."""
    rows = "".join(f"{T0 // NS + row},{30 + row * 7919 % 997 / 10}\n" for row in range(40_000))
    whole = packed(f"t,rtt\n{rows}".encode(), ending)
    mapping = desk.writes("m.toml", f"{UNIX}{PLACE}{PING}")
    file = desk.folder / f"pings.csv.{ending}"
    file.write_bytes(whole)
    result = desk.imports([file], mapping, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "40,000" in result.stdout
    assert (
        len(rows) > 4 * 2**17
    )  # several blocks of Zstandard, between which a reader may take the end for the end
    for cut in (40, len(whole) // 2, len(whole) - 30):
        file.write_bytes(whole[:cut])
        trace = desk.folder / f"trace.csv.{ending}"
        trace.write_bytes(whole[:cut])
        for result in (
            desk.imports([file], mapping),
            desk.imports([trace], examples / "trace.toml", "--site", "agra"),
        ):
            assert result.exit_code == 2, result.output
            assert "it cannot be unpacked (" in result.stderr.splitlines()[-1]
            assert result.stderr.splitlines()[-1].endswith("; pack or copy it again")
    assert not (desk.data / "reports.db").exists()


def packed(raw: bytes, ending: str) -> bytes:
    """Bytes as one of the packers writes them."""
    if ending == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", raw)
        return out.getvalue()
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": zstandard.compress,
    }
    return packers[ending](raw)


def test_what_the_clocks_leave_in_doubt_is_told(desk: Desk) -> None:
    """The hour that came twice counts as its first, times that were left out as the moment after; how many is said, and the way out."""
    berlin = ZoneInfo("Europe/Berlin")
    mapping = desk.writes("m.toml", f'time = {{ column = "t", zone = "Europe/Berlin" }}\n{PLACE}{PING}')
    back = int(datetime(2025, 10, 26, 0, 0, tzinfo=UTC).timestamp())
    instants = [datetime.fromtimestamp(back + 60 * minute, berlin) for minute in range(-60, 180)]
    naive = desk.writes("naive.csv", "t,rtt\n" + "".join(f"{at:%Y-%m-%dT%H:%M:%S},30\n" for at in instants))
    told = desk.writes("told.csv", "t,rtt\n" + "".join(f"{at.isoformat()},30\n" for at in instants))
    skipped = desk.writes("skipped.csv", "t,rtt\n2026-03-29T01:59:00,30\n2026-03-29T02:30:00,30\n")

    result = desk.imports([naive], mapping, "--dry-run", "--json")
    (site,) = json.loads(result.stdout)["sites"]
    assert (site["samples"], site["slots"], site["twice"], site["never"]) == (240, 36, 120, 0)
    result = desk.imports([naive], mapping, "--dry-run", "--lang", "en")
    assert (
        "note: samples of an hour that came twice, as the clocks went back: 120; they all count as its first;"
        " write their times with the offset, as +01:00, to tell them apart"
    ) in result.stdout.splitlines()
    result = desk.imports([told], mapping, "--dry-run", "--json")
    (site,) = json.loads(result.stdout)["sites"]
    assert (site["slots"], site["twice"], site["never"]) == (48, 0, 0)
    result = desk.imports([skipped], mapping, "--dry-run", "--lang", "en")
    assert (
        "note: samples of times that the clocks left out: 1; they count as the moment when the clocks went on; see zone"
        " under [time] of the mapping"
    ) in result.stdout.splitlines()


def test_what_is_not_over_yet_or_older_than_the_store_keeps_is_told(desk: Desk) -> None:
    """The running slot is left out; slots beyond the retention are written and named."""
    mapping = desk.writes("m.toml", f"{UNIX}{PLACE}{PING}")
    old = T0 // NS - 800 * 86_400
    file = desk.writes("r.csv", f"t,rtt\n{old},30\n{time.time_ns() // NS - 5},30\n")
    result = desk.imports([file], mapping, "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "1 five-minute roll-ups written" in result.stdout
    assert "1 left out, whose five minutes are not over yet" in result.stdout
    assert "note: 1 are older than [store] rollup_days = 730" in result.stdout
    assert len(desk.rollups()) == 1


def test_a_mapping_file_is_read_strictly(examples: Path) -> None:
    """Each example names the columns that it needs, once each."""
    assert read_mapping(examples / "telegraf.toml").columns()[:2] == ("time", "url")
    assert len(read_mapping(examples / "smokeping.toml").columns()) == 21
    assert WINDOW_NS == 15 * SECOND_NS
