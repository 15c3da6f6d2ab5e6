"""Points that the server refuses for ever: kept with the reason, bounded, so that they can be looked at."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 4_000_000
"""Past this the file is put aside (one generation is kept)."""


class Quarantine:
    """A file of JSON lines `{"reason": …, "line": …}`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def keep(self, line: str, reason: str) -> None:
        """Write one down; a full disk is no reason to stop shipping."""
        entry = json.dumps({"reason": reason[:400], "line": line[:4000]}, ensure_ascii=False) + "\n"
        with self._lock:
            try:
                if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
                    self._path.replace(self._path.with_suffix(".old"))
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(entry)
            except OSError:
                return
