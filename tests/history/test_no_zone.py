"""Times of which neither they nor the mapping say the zone count as UTC, and that is told where the deployment's is another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Desk

NAIVE = ["2026-11-20T10:00:00", "2026-11-20T10:01:00"]
ZONED = ["2026-11-20T10:00:00+05:30", "2026-11-20T10:01:00+05:30"]
PLACE = '[site]\nis = "agra"\n[path]\nis = "main.state"\n[ping]\nrtt = { column = "rtt" }\n'
KOLKATA = 'zone = "Asia/Kolkata"\n'


def mapping(desk: Desk, more: str = "", arrived: str = "") -> Path:
    """Of a column of times, and of one of arrivals."""
    return desk.writes("m.toml", f'[time]\ncolumn = "t"\n{more}{arrived}{PLACE}')


def told(desk: Desk, file: Path, by: Path) -> list[str]:
    """What is said of a file on standard error when it is imported."""
    done = desk.imports([file], by, "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["sites"][0]["samples"] == 2
    return [line for line in done.stderr.splitlines() if line.startswith(f"{file}: ")]


def question(file: Path, columns: str, tables: str, zone: str = "Asia/Kolkata") -> str:
    """The line that is expected."""
    return (
        f"{file}: times of {columns} name no zone and are taken for UTC; under {tables} of the mapping"
        f' write zone = "{zone}" if they are local, else zone = "UTC"; --dry-run tells this before anything is written'
    )


@pytest.mark.parametrize(
    ("times", "more", "asked"),
    [
        (NAIVE, "", True),
        ([NAIVE[0], ZONED[1]], "", True),
        (["20/11/2026 10:00", "20/11/2026 10:01"], 'format = "%d/%m/%Y %H:%M"\n', True),
        (ZONED, "", False),
        (NAIVE, KOLKATA, False),
        (NAIVE, 'zone = "UTC"\n', False),
        (["20/11/2026 10:00 +0530", "20/11/2026 10:01 +0530"], 'format = "%d/%m/%Y %H:%M %z"\n', False),
        (["20/11/2026 10:00Z", "20/11/2026 10:01Z"], 'format = "%d/%m/%Y %H:%MZ"\n', False),
        (["1763632800", "1763632860"], 'format = "unix_s"\n', False),
    ],
)
def test_times_without_a_zone_are_asked_about_once(
    desk: Desk, times: list[str], more: str, asked: bool
) -> None:
    """Where neither the time, nor the pattern, nor `zone` says it; a number has none."""
    file = desk.writes("a.csv", "t,rtt\n" + "".join(f"{time},30\n" for time in times))
    assert told(desk, file, mapping(desk, more)) == ([question(file, "t", "[time]")] if asked else [])


def test_every_file_and_every_column_is_named(desk: Desk) -> None:
    """A line for each file; of arrivals that have no zone either in the same line."""
    rows = "".join(f"{time},{time},30\n" for time in NAIVE)
    files = [desk.writes(name, "t,came,rtt\n" + rows) for name in ("a.csv", "b.csv")]
    by = mapping(desk, arrived='[arrived]\ncolumn = "came"\n')
    done = desk.imports(files, by, "--dry-run")
    assert done.exit_code == 0, done.output
    said = [line for line in done.stderr.splitlines() if "zone" in line]
    assert said == [question(file, "t and came", "[time] and [arrived]") for file in files]
    by = mapping(
        desk, KOLKATA, arrived=f'[arrived]\ncolumn = "came"\nformat = "%Y-%m-%dT%H:%M:%S"\n{KOLKATA}'
    )
    assert told(desk, files[0], by) == []


def test_a_parquet_files_own_times_without_a_zone_are_asked_about(desk: Desk) -> None:
    """As text is; those that are kept with a zone are not."""
    for name, zone in (("bare", None), ("utc", "UTC")):
        file = desk.folder / f"{name}.parquet"
        times = pd.to_datetime(pd.Series(NAIVE)).dt.tz_localize(zone)
        pd.DataFrame({"t": times, "rtt": [30.0, 31.0]}).to_parquet(file)
        assert told(desk, file, mapping(desk)) == ([question(file, "t", "[time]")] if zone is None else [])


@pytest.mark.parametrize(("timezone", "asked"), [("UTC", False), ("Etc/UTC", False), ("Europe/Berlin", True)])
def test_a_deployment_in_utc_asks_nothing(desk: Desk, timezone: str, asked: bool) -> None:
    """By any of its names; any other is proposed by its own."""
    settings = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(f'{settings}\n[deployment]\ntimezone = "{timezone}"\n', encoding="utf-8")
    file = desk.writes("a.csv", "t,rtt\n" + "".join(f"{time},30\n" for time in NAIVE))
    assert told(desk, file, mapping(desk)) == ([question(file, "t", "[time]", timezone)] if asked else [])
