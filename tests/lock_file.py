"""What a lock of requirements pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def locked(lock: Path) -> dict[str, frozenset[str]]:
    """Requirement, with its marker if it has one → its hashes."""
    found: dict[str, set[str]] = {}
    current = ""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.startswith("    --hash="):
            found[current].add(line.strip(" \\"))
        elif line and not line.startswith("#"):
            current = line.strip(" \\")
            found[current] = set()
    return {requirement: frozenset(hashes) for requirement, hashes in found.items()}
