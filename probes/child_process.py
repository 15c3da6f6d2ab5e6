"""Starting one of our own modules as a child process, from wherever this package is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_ROOT: Final = str(Path(__file__).resolve().parent.parent)


def command(module: str, *arguments: str) -> list[str]:
    """The command line of `python -m module …` with this very interpreter."""
    return [sys.executable, "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Our environment, in which the child finds the same packages as we do."""
    path = os.pathsep.join(p for p in (_ROOT, os.environ.get("PYTHONPATH", "")) if p)
    return {**os.environ, "PYTHONPATH": path}
