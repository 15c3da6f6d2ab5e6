"""A trace whose rows stand in any order, some of them twice, is imported as the trace that it is, and what was mended is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Desk

ROWS = [
    f"2016-11-{19 + i // 360:02} {i // 15 % 24:02}:{i % 15 * 4:02}:28;{'-1' if i % 7 == 0 else 20 + i % 5};0"
    for i in range(720)
]
HEADER = "epoch;rtt;cp"


def test_a_jumbled_trace_is_imported_like_the_same_one_in_order(desk: Desk, examples: Path) -> None:
    """Newest first, with a row written twice and one contradicted; one line each says so, on standard error alone."""
    mapping = examples / "trace.toml"
    plain = desk.writes("plain.csv", "\n".join([HEADER, *ROWS]) + "\n")
    jumbled = desk.writes(
        "jumbled.csv", "\n".join([HEADER, *ROWS[::-1], ROWS[3], f"{ROWS[1][:19]};99;0"]) + "\n"
    )
    done = desk.imports([plain], mapping, "--site", "agra", "--json")
    mended = desk.imports([jumbled], mapping, "--site", "etah", "--json")
    assert (done.exit_code, mended.exit_code) == (0, 0)
    assert mended.stdout == done.stdout.replace("agra", "etah")
    one, other = desk.rollups("agra"), desk.rollups("etah")
    assert len(one) == len(other) > 500
    for name in ("slot_ns", "sent", "lost"):
        assert np.array_equal(one.columns[name], other.columns[name])
    assert str(plain) not in done.stderr
    told = [line for line in mended.stderr.splitlines() if line.startswith(str(jumbled))]
    counted = (
        f"{jumbled}: rows that stood after a later one, sorted by time: 719; repeated rows, counted once: 1"
    )
    contradicted = (
        f"{jumbled}:723: '{ROWS[1][:19]};99;0' contradicts line 720, '{ROWS[1]}', of the same time; "
        "the first was taken (rows like this, left out: 1)"
    )
    assert told == [counted, contradicted]


def test_a_row_that_cannot_be_is_named_by_its_line_in_the_file_as_given(desk: Desk) -> None:
    """A time to come in a trace that stands newest first, below a blank line: line 3, not the last."""
    mapping = desk.writes("m.toml", '[file]\nform = "trace"\n[path]\nis = "main.state"\n')
    source = desk.writes("t.csv", f"{HEADER}\n\n2190-01-01 00:00:00;3;0\n" + "\n".join(ROWS[:3:-1]) + "\n")
    done = desk.imports([source], mapping, "--site", "agra")
    assert done.exit_code == 2
    assert f"{source}:3: epoch " in done.stderr
