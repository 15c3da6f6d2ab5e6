"""The example mappings work as they stand: on the rows that their own comments show, and on every trace that is shipped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tatpar.importing.mapping import read_mapping
from telemetry.traces import read_trace
from telemetry.windows import SECOND_NS, WEEK_NS

if TYPE_CHECKING:
    from conftest import Desk

TRACES = Path(__file__).parents[2] / "bench" / "data" / "rtt_labelled"
WRITTEN_NS = int(datetime(2026, 11, 28, tzinfo=UTC).timestamp()) * SECOND_NS
"""When the example was written: what lay in the past then does so for good."""


def shown(mapping: Path) -> str:
    """The rows that a mapping's own comment shows."""
    text = mapping.read_text(encoding="utf-8")
    return "".join(f"{line[4:]}\n" for line in text.splitlines() if line.startswith("#   "))


@pytest.mark.parametrize(
    ("name", "samples"),
    [("pings", {"agra": 2, "etah": 1}), ("telegraf", {"agra": 1}), ("smokeping", {"agra": 20})],
)
def test_the_rows_of_the_comment_are_imported(
    desk: Desk, examples: Path, name: str, samples: dict[str, int]
) -> None:
    """As somebody would who pastes them into a file."""
    rows = shown(examples / f"{name}.toml")
    if name == "smokeping":  # shortened there
        columns, values = ",".join(f"ping{i}" for i in range(3, 20)), "3.7e-02," * 17
        rows = rows.replace("ping2,…", f"ping2,{columns}").replace("…,", values)
    done = desk.imports([desk.writes("agra.csv", rows)], examples / f"{name}.toml", "--json")
    assert done.exit_code == 0, done.output
    assert {each["site"]: each["samples"] for each in json.loads(done.stdout)["sites"]} == samples


def test_a_trace_that_ends_with_2016_is_imported_as_it_is(desk: Desk, examples: Path) -> None:
    """The last sample of all that are shipped is of New Year's Eve."""
    trace = TRACES / "17603.csv"
    done = desk.imports([trace], examples / "trace.toml", "--site", "agra", "--json")
    assert done.exit_code == 0, done.output
    (site,) = json.loads(done.stdout)["sites"]
    assert (site["samples"], site["open"]) == (len(read_trace(trace).time_ns), 0)


def test_no_trace_that_is_shipped_is_moved_into_the_future(examples: Path) -> None:
    """Neither then nor ever after."""
    shift_ns = read_mapping(examples / "trace.toml").file.shift_weeks * WEEK_NS
    ends = {file.name: int(read_trace(file).time_ns.max()) + shift_ns for file in TRACES.glob("*.csv")}
    assert len(ends) == 25
    assert {name for name, end_ns in ends.items() if end_ns >= WRITTEN_NS} == set()


def test_too_great_a_shift_is_told_with_the_greatest_that_fits(desk: Desk, examples: Path) -> None:
    """Writing it, the import works; one week more does not leave all of the trace in the past."""
    text = (examples / "trace.toml").read_text(encoding="utf-8")
    weeks = read_mapping(examples / "trace.toml").file.shift_weeks
    trace = TRACES / "17783.csv"
    far = desk.writes("far.toml", text.replace(f"shift_weeks = {weeks}", "shift_weeks = 5000"))
    said = desk.imports([trace], far, "--site", "agra").stderr.splitlines()[-1]
    most = int(said.partition("write shift_weeks = ")[2].split()[0])
    now_ns = datetime.now(UTC).timestamp() * SECOND_NS
    end_ns = int(read_trace(trace).time_ns.max())
    assert end_ns + most * WEEK_NS <= now_ns < end_ns + (most + 1) * WEEK_NS + 600 * SECOND_NS
    near = desk.writes("near.toml", text.replace(f"shift_weeks = {weeks}", f"shift_weeks = {most}"))
    assert desk.imports([trace], near, "--site", "agra", "--dry-run").exit_code == 0
