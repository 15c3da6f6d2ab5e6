"""What an install costs: downloaded bytes, bytes on disk, packages, start-up; the office's beside the headquarters'."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

HOUSE: Final = Path(__file__).parent.parent
EXTRAS: Final = {"office": "", "hub": "[hub]", "scale": "[hub,scale]"}
STARTED: Final = {
    "python": ["-c", "pass"],
    "version": ["-m", "tatpar", "--version"],
    "probe_help": ["-m", "tatpar", "probe", "--help"],
}
RUNS: Final = 11
_MB: Final = 1e6


def arguments(parser: ArgumentParser) -> None:
    """`--quick`: the office's install only."""
    parser.add_argument("--quick", action="store_true", help="the office's install only")


def run(progress: Callable[[str], None], options: Namespace) -> dict[str, object]:
    """Per install: packages, MB downloaded (the wheels' own sizes), MB on disk, seconds of pip; start-up beside a bare interpreter.

    The versions are the lock's; pip's cache may serve the downloads, so the seconds are those of this machine and day.
    """
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], HOUSE)
        wheel = next(folder.glob("*.whl"))
        figures["wheel_mb"] = wheel.stat().st_size / _MB
        for install in ["office"] if options.quick else EXTRAS:
            progress(f"{install}: an empty environment, then pip")
            figures |= {
                f"{install}_{key}": value for key, value in _installed(folder, wheel, install).items()
            }
        progress(f"start-up, {RUNS} rounds")
        figures |= _started(folder / "office" / "bin" / "python")
    return figures


def _installed(folder: Path, wheel: Path, install: str) -> dict[str, object]:
    """Make the environment, and look at it."""
    place = folder / install
    venv.create(place, with_pip=True)
    before = _bytes(place)
    pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    wanted = f"{wheel}{EXTRAS[install]}"
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(_pins()), encoding="utf-8")
    report = folder / f"{install}.json"
    begin = time.monotonic()
    _run([*pip, "install", "--quiet", "-c", str(constraints), "--report", str(report), wanted], folder)
    seconds = time.monotonic() - begin
    fetched = folder / f"{install}-wheels"
    _run([*pip, "download", "--quiet", "-c", str(constraints), "-d", str(fetched), wanted], folder)
    return {
        "packages": len(json.loads(report.read_text(encoding="utf-8"))["install"]),
        "download_mb": _bytes(fetched) / _MB,
        "disk_mb": (_bytes(place) - before) / _MB,
        "pip_s": seconds,
    }


def _pins() -> list[str]:
    """The lock's versions, without hashes: pip wants a hash for our own wheel too when one has one."""
    lines = (HOUSE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [re.sub(r"\s*\\$", "", line) for line in lines if line and not line.startswith((" ", "#"))]


def _started(python: Path) -> dict[str, object]:
    """Median seconds of a whole process, the kinds taken in turn."""
    taken: dict[str, list[float]] = {name: [] for name in STARTED}
    for _ in range(RUNS + 1):
        for name, arguments_ in STARTED.items():
            begin = time.perf_counter()
            _run([str(python), *arguments_], python.parent)
            taken[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}
    figures: dict[str, object] = {f"start_{name}_s": value for name, value in medians.items()}
    figures["start_probe_help_ratio_to_python"] = medians["probe_help"] / medians["python"]
    return figures


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command[:6])} ended with {done.returncode}: {done.stderr.strip()[-2000:]}"
        )
