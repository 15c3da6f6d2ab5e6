"""What is wrong with the operator's files, in one line: where, what, what to write instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST: Final = 300


class ConfigError(ValueError):
    """A file that the operator wrote cannot be used as it is."""

    def __init__(self, file: str | Path, problem: str, remedy: str, line: int | None = None) -> None:
        self.file = Path(file)
        self.line = line
        self.problem = _one_line(problem)
        self.remedy = _one_line(remedy)
        where = f"{file}:{line}" if line else f"{file}"
        super().__init__(f"{where}: {self.problem}; {self.remedy}")


def _one_line(text: str) -> str:
    """What was quoted from the file may hold line breaks and signs that steer a terminal, and be of any length."""
    plain = _CONTROL.sub(lambda sign: f"\\x{ord(sign.group()):02x}", text)
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
