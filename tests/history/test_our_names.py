"""What a mapping calls our offices and paths is checked where it stands, before any row is read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Desk

ROWS = "time,host,rtt_ms,status\n2026-11-02T09:00:00+05:30,10.20.1.1,38.2,ok\n"
NOT_LISTED = "time,host,rtt_ms,status\n2026-11-02T09:00:00+05:30,agraa,38.2,ok\n"


@pytest.fixture
def pings(examples: Path) -> str:
    """The example of a packet a row."""
    return (examples / "pings.toml").read_text(encoding="utf-8")


def line_of(text: str, what: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if what in line)


def told(desk: Desk, mapping: str, *more: str, rows: str = ROWS) -> str:
    """The one line that is said of a mapping, without the folder."""
    result = desk.imports([desk.writes("p.csv", rows)], desk.writes("m.toml", mapping), *more)
    assert result.exit_code == 2, result.output
    return result.stderr.splitlines()[-1].replace(f"{desk.folder}/", "")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"agra"', '"agraa"', '[site.values] calls "10.20.1.1" "agraa", and there is no office "agraa"; write "agra", or add it to sites.csv'),
        ('"main.state"', '"main.stat"', '[path] has is = "main.stat", which is no path; write "main.state"'),
        ('"main.state"', '"second.stat"', '[path] has is = "second.stat", which is no path; write "second.state"'),
        ('"main.state"', '"état"', '[path] has is = "état", which is no path; write "main.state"'),
        ('"main.state"', '"main.x"', '[path] has is = "main.x", which is no path; write <uplink>.<end>, as main.state'),
        ('"main.state"', '"one"\n[path.values]\none = "main.stat"', '[path.values] calls "one" "main.stat", which is no path; write "main.state"'),
    ],
)  # fmt: skip
def test_a_wrong_name_is_blamed_on_the_line_of_the_mapping(
    desk: Desk, pings: str, right: str, wrong: str, said: str
) -> None:
    """Also where no row is of it, and where the file of data is not there at all."""
    mapping = pings.replace(right, wrong)
    line = line_of(mapping, wrong.splitlines()[-1])
    assert told(desk, mapping) == f"m.toml:{line}: {said}"
    assert told(desk, mapping, rows="") == f"m.toml:{line}: {said}"
    result = desk.imports([desk.folder / "none.csv"], desk.folder / "m.toml")
    assert result.stderr.replace(f"{desk.folder}/", "") == f"m.toml:{line}: {said}\n"
    assert not desk.data.exists()


def test_a_name_that_stands_in_the_data_is_blamed_on_its_row(desk: Desk, pings: str) -> None:
    """The mapping passes it on as it stands; the row, or the file where its name is the office's."""
    plain = re.sub(r"skip_others.*\n", "", pings)
    remedy = 'write "agra", or add it to sites.csv, or list the name under [site.values] of the mapping'
    assert told(desk, plain, rows=NOT_LISTED) == f'p.csv:2: there is no office "agraa"; {remedy}'
    by_path = plain.replace('is = "main.state"', 'column = "status"')
    remedy = "write <uplink>.<end>, as main.state, or list the name under [path.values] of the mapping"
    assert told(desk, by_path) == f'p.csv:2: "ok" is no path; {remedy}'
    by_file = re.sub(r"\[site\](.|\n)*\[path\]", "[site]\nfile_name = true\n[path]", plain)
    result = desk.imports([desk.writes("agraa.csv", ROWS)], desk.writes("m.toml", by_file))
    assert 'agraa.csv: its name is taken for ours: there is no office "agraa"; write "agra"' in result.stderr


def test_offices_of_the_mapping_do_not_matter_beside_an_office_that_is_named(desk: Desk, pings: str) -> None:
    """`--site` is in place of [site]; the path is still the mapping's."""
    mapping = desk.writes("m.toml", pings.replace('"agra"', '"agraa"'))
    done = desk.imports([desk.writes("p.csv", ROWS)], mapping, "--site", "etah", "--json")
    assert done.exit_code == 0, done.output
    assert [each["site"] for each in json.loads(done.stdout)["sites"]] == ["etah"]
    wrong = pings.replace('"main.state"', '"main.stat"')
    assert told(desk, wrong, "--site", "etah").endswith(', which is no path; write "main.state"')


def test_nobody_is_sent_into_the_installation(desk: Desk, pings: str) -> None:
    """Without a list of offices of one's own: beside the settings, or beside settings of one's own."""
    (desk.folder / "sites.csv").unlink()
    wrong = pings.replace('"agra"', '"agraa"')
    said = told(desk, wrong)
    assert said.endswith('write "agra", or put a sites.csv with your offices beside tatpar.toml')
    row = told(desk, re.sub(r"skip_others.*\n", "", pings), rows=NOT_LISTED)
    assert "or put a sites.csv with your offices beside tatpar.toml, or list the name under" in row
    assert "defaults" not in said + row


@pytest.mark.parametrize(("key", "what"), [("site", "office"), ("path", "path")])
def test_a_trace_has_no_column_of_names(desk: Desk, key: str, what: str) -> None:
    """One that is asked for is told by its line."""
    tables = {"site": 'is = "agra"', "path": 'is = "main.state"', key: 'column = "cp"'}
    mapping = "".join(f"[{name}]\n{said}\n" for name, said in tables.items()) + '[file]\nform = "trace"\n'
    said = told(desk, mapping, rows="epoch;rtt;cp\n2016-11-02 10:00:00;30;0\n")
    line = line_of(mapping, "column")
    assert said == (
        f"m.toml:{line}: a trace has no column that could name the {what}; write is, or file_name = true"
    )
