"""Somebody's own file of vectors: judged by its own rows, or refused in one line."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from edges import EDGES
from test_vectors import answer, differences
from vector_file import COLUMNS, PUBLIC, VectorFileError, read_vectors

ROOT = Path(__file__).parents[2]


def run(file: Path) -> tuple[int, str]:
    """`pytest tests/vectors --vectors FILE` without this file, and all that it says."""
    asked = [sys.executable, "-m", "pytest", "tests/vectors", "-q", "-p", "no:cacheprovider"]
    asked += ["--ignore", str(Path(__file__)), "--vectors", str(file)]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_file_of_one_kind_passes_if_its_rows_do_and_fails_if_they_do_not(tmp_path: Path) -> None:
    """Whoever brings vectors of the E-model need not bring packets; the reflector is asked the public ones."""
    with PUBLIC.open(encoding="utf-8", newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["topic"] == "emodel_wb")
    own = tmp_path / "own.csv"
    for expected, status in ((row["expected_json"], 0), ('{"R": 1}', 1)):
        with own.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerow({**row, "expected_json": expected})
        code, said = run(own)
        assert code == status, said
        assert "5 passed" in said if status == 0 else "1 failed, 4 passed" in said, said


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    """Nothing of pytest's own workings stands around it."""
    code, said = run(tmp_path / "none.csv")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert (
        said.strip()
        == f"ERROR: --vectors {tmp_path / 'none.csv'}: No such file or directory; name a CSV of vectors"
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", ": there is no vector in it; write one a line below the heading"),
        (
            "emodel_xx,a,{},{},0,,,",
            ", line 2: nobody knows the topic 'emodel_xx'; write one of: burst_ratio, ",
        ),
        ("emodel_wb,a,{,{},0,,,", ", line 2: input_json is no JSON; write an object"),
        ("emodel_wb,a,{},{},x,,,", ", line 2: abs_tol is 'x'; write a number, 0 for exact"),
        ("emodel_wb,a", ", line 2: input_json is no JSON; write an object"),
    ],
)
def test_what_holds_no_vectors_is_refused_in_one_line(tmp_path: Path, rows: str, said: str) -> None:
    """It says where, what is wrong, and what to write instead."""
    file = tmp_path / "own.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{rows}\n", encoding="utf-8")
    with pytest.raises(VectorFileError) as error:
        read_vectors(file)
    assert str(error.value).startswith(f"{file}{said}")
    assert "\n" not in str(error.value)


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    """The first column that is missing is named."""
    file = tmp_path / "own.csv"
    file.write_text("topic,id\nemodel_wb,a\n", encoding="utf-8")
    with pytest.raises(VectorFileError, match="there is no column 'input_json'; write topic,id,input_json,"):
        read_vectors(file)


@pytest.mark.parametrize(
    ("topic", "given", "expected"), EDGES, ids=[f"{topic}-{i}" for i, (topic, *_) in enumerate(EDGES)]
)
def test_an_edge_has_the_right_answer(topic: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    """What a file may hold and the public one does not."""
    wrong = differences(expected, answer(topic, given), 1e-9)
    assert not wrong, "; ".join(wrong)
