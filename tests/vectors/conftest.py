"""Turns each row of a vector file into a test, and makes `topics` importable."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


def rows(config: pytest.Config) -> list[dict[str, str]]:
    file = config.getoption("--vectors") or HERE / "vectors_public.csv"
    if not file.is_file():
        raise pytest.UsageError(f"--vectors {file}: no such file; name a CSV of vectors")
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vector" in metafunc.fixturenames:
        from topics import NOT_BUILT_YET

        chosen = [row for row in rows(metafunc.config) if row["topic"] not in NOT_BUILT_YET]
        metafunc.parametrize("vector", chosen, ids=[row["id"] for row in chosen])
    if "all_vectors" in metafunc.fixturenames:
        metafunc.parametrize("all_vectors", [rows(metafunc.config)], ids=["file"])
