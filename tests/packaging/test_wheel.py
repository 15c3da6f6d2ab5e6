"""What is in the wheel, and that an office needs nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.lock_file import locked
from tests.packaging.conftest import HOUSE

if TYPE_CHECKING:
    from pathlib import Path

PROJECT: Final = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS: Final = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
LOCKS: Final = (HOUSE / "requirements.lock", HOUSE / "requirements-office.lock")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def test_the_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    """Words, state steps, fonts, the wall's pages and the trees are data that Python's tools forget easily."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    there = {
        path.relative_to(HOUSE).as_posix()
        for room in ROOMS
        for path in (HOUSE / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == there


def test_type_information_is_shipped(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"{room}/py.typed" for room in ROOMS} <= names


def test_the_notices_are_shipped(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith("licenses/THIRD_PARTY_NOTICES.md")]


def test_the_source_distribution_can_be_tested(sdist: Path) -> None:
    """Whoever gets only the archive has the tests, the locks, the benchmarks and the decisions."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "Makefile",
        "requirements.lock",
        "requirements-office.lock",
        "deploy/setup.sh",
        "tests/conftest.py",
    }
    assert wanted | {"bench/__main__.py", "docs/decisions/005-lock-file.md"} <= names


def test_an_office_gets_exactly_the_base_libraries(office: Path) -> None:
    listed = run(office / "python", "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check")
    names = {line.partition("==")[0].replace("_", "-").lower() for line in listed.stdout.split()}
    base = {re.split(r"[<>=;\[ ]", text)[0].lower() for text in PROJECT["project"]["dependencies"]}
    assert names - {"pip", "setuptools", "tatpar"} == base


def test_pip_finds_nothing_broken(office: Path) -> None:
    checked = run(office / "python", "-m", "pip", "check", "--disable-pip-version-check")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("command", ["probe", "reflect", "call"])
def test_an_office_opens_its_commands(office: Path, command: str) -> None:
    asked = run(office / "tatpar", command, "--help")
    assert asked.returncode == 0, asked.stderr
    assert "Example" in asked.stdout


@pytest.mark.parametrize(("lang", "said"), [("hi", "डेटा: "), ("en", "data: ")])
def test_an_offices_doctor_speaks_both_languages(office: Path, tmp_path: Path, lang: str, said: str) -> None:
    """Without Babel, which the small install has not."""
    (tmp_path / "probe.toml").write_text("site = 1\n", encoding="utf-8")
    asked = run(office / "tatpar", "doctor", "--lang", lang, "--data", tmp_path)
    assert asked.returncode == 1, asked.stderr
    assert said in asked.stdout
    assert run(office / "python", "-c", "import babel").returncode == 1


def test_the_doctor_of_an_office_that_was_never_let_in(office: Path, tmp_path: Path) -> None:
    """The installer sends people here just when redeeming failed: nothing is there yet, and it takes itself for no hub."""
    asked = run(office / "tatpar", "doctor", "--lang", "en", "--data", tmp_path / "not made yet")
    assert asked.returncode == 1, asked.stderr
    assert "enrolment: there is no" in asked.stdout
    assert "this office is not enrolled" in asked.stdout
    assert not asked.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"), [(["ready"], "hub"), (["wall"], "hub"), (["sites", "--check"], "hub")]
)
def test_a_command_of_the_hub_says_what_is_missing_in_one_line(
    office: Path, tmp_path: Path, arguments: list[str], extra: str
) -> None:
    asked = run(office / "tatpar", *arguments, "--data", tmp_path)
    assert asked.returncode == 2
    assert asked.stderr.count("\n") == 1, asked.stderr
    assert f"`tatpar {arguments[0]}` needs" in asked.stderr
    assert f"pip install 'tatpar[{extra}]'" in asked.stderr


def test_a_reader_of_our_types_is_checked(office: Path, tmp_path: Path) -> None:
    """Mypy believes the installed package: a right use passes, a wrong one is found."""
    reader = tmp_path / "reader.py"
    reader.write_text(
        "from telemetry.windows import SECOND_NS\nhours: int = 3600 * SECOND_NS\nwrong: str = SECOND_NS\n",
        encoding="utf-8",
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-site-packages", "--cache-dir", tmp_path / "cache"]
    mypy[4:5] = ["--python-executable", office / "python"]
    asked = subprocess.run(
        [str(part) for part in [*mypy, reader]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "reader.py:3: error: Incompatible types" in asked.stdout, asked.stdout + asked.stderr
    assert "reader.py:2" not in asked.stdout
    assert "import-untyped" not in asked.stdout


def test_the_offices_lock_is_part_of_the_whole_lock() -> None:
    """One version of each library in the house, with the same hashes; and no lock names a registry."""
    whole, office = map(locked, LOCKS)
    assert office
    assert office.items() <= whole.items()
    for path in LOCKS:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
