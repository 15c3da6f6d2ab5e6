"""The office's installer with pip itself, from a bundle that was carried there, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.packaging.conftest import HOUSE, WHEELHOUSE


def run(*command: str | Path, python: Path) -> subprocess.CompletedProcess[str]:
    alone = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))}
    words = [str(word) for word in command]
    return subprocess.run(
        words, env={**alone, "PYTHON": str(python)}, capture_output=True, text=True, check=False
    )


def test_a_stick_and_a_machine_with_blanks_in_their_paths(wheel: Path, tmp_path: Path) -> None:
    """Bundle, interpreter and root: what was one path stays one, and the program's scripts name where it will stand."""
    stick, root = tmp_path / "My Stick" / "tatpar office", tmp_path / "a root"
    python = tmp_path / "my python" / "python3"
    python.parent.mkdir()
    python.symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    made = run("sh", HOUSE / "deploy" / "office-bundle.sh", stick, "--wheel", wheel, python=python)
    assert made.returncode == 0, made.stderr
    shutil.copytree(WHEELHOUSE, stick / "wheels")
    enrolment = stick / "agra enrolment.toml"
    enrolment.write_text('token = "one-time"\n', encoding="utf-8")
    done = run("sh", stick / "install-office.sh", enrolment, "--root", root, python=python)
    assert done.returncode == 0, done.stderr
    assert (root / "etc" / "tatpar" / "enrolment.toml").read_bytes() == enrolment.read_bytes()
    programs = root / "opt" / "tatpar" / "venv" / "bin"
    asked = run(programs / "python", "-m", "tatpar", "--version", python=python)
    assert asked.returncode == 0, asked.stderr
    scripts = [path.read_bytes() for path in programs.iterdir() if path.is_file() and not path.is_symlink()]
    assert b"/opt/tatpar/venv/bin/python" in (programs / "tatpar").read_bytes()
    assert [text for text in scripts if str(root).encode() in text or b"venv.new" in text] == []
