"""The source distribution, the wheel made from it, and an empty environment with nothing but that wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from typing import Final

import pytest

HOUSE: Final = Path(__file__).parents[2]
WHEELHOUSE: Final = Path(sys.prefix) / "wheelhouse"


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)], HOUSE)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the unpacked source distribution and from nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder)  # it is our own; `filter` came with 3.11.4
    source = next(path for path in folder.iterdir() if path.is_dir())
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "out")], source)
    return next((folder / "out").glob("*.whl"))


@pytest.fixture(scope="session")
def office(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment made empty, into which pip alone installed the wheel, without a network: its `bin` folder."""
    if not any(WHEELHOUSE.glob("*.whl")):
        pytest.fail(f"{WHEELHOUSE} is empty: `sh deploy/setup.sh wheelhouse` fills it", pytrace=False)
    folder = tmp_path_factory.mktemp("office")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-index", "--find-links", str(WHEELHOUSE), str(wheel)], folder)
    return folder / "bin"


def _run(command: list[str], folder: Path) -> None:
    alone = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
