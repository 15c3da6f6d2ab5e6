"""Turns each row of a vector file into a test, and makes `topics` importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config: pytest.Config) -> None:
    """A file that cannot be ends the run here, where pytest says so in one line."""
    rows(config)


def rows(config: pytest.Config) -> list[dict[str, str]]:
    """The rows of the file that was asked for, else of the public one."""
    from vector_file import PUBLIC, VectorFileError, read_vectors

    try:
        return read_vectors(config.getoption("--vectors") or PUBLIC)
    except VectorFileError as error:
        raise pytest.UsageError(f"--vectors {error}") from None


def wire_rows(config: pytest.Config) -> list[dict[str, str]]:
    """What the running reflector is asked: the file's own requests, or the public ones where it has none."""
    from vector_file import PUBLIC, read_vectors

    topic = "stamp_reflector_unauth"
    own = [row for row in rows(config) if row["topic"] == topic]
    return own or [row for row in read_vectors(PUBLIC) if row["topic"] == topic]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vector" in metafunc.fixturenames:
        from topics import NOT_BUILT_YET

        chosen = [row for row in rows(metafunc.config) if row["topic"] not in NOT_BUILT_YET]
        metafunc.parametrize("vector", chosen, ids=[row["id"] for row in chosen])
    if "all_vectors" in metafunc.fixturenames:
        metafunc.parametrize("all_vectors", [rows(metafunc.config)], ids=["file"])
    if "wire_vectors" in metafunc.fixturenames:
        metafunc.parametrize("wire_vectors", [wire_rows(metafunc.config)], ids=["file"])
