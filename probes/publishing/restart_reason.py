"""Why the probe last started, told from the mark that its previous run left in the spool.

Each run notes its boot id and version when it starts and a clean end when it is stopped. What is missing from
the note of the previous run says how it ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class RestartReason(StrEnum):
    """The words of `Presence.restart_reason`."""

    POWER = "power"
    CRASH = "crash"
    UPDATE = "update"
    OPERATOR = "operator"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Run:
    """What a run of the agent noted of itself."""

    boot: str
    version: str
    clean: bool
    """It was stopped on purpose and said so."""


def restart_reason(previous: Run | None, boot: str, version: str) -> RestartReason:
    """Why this run started; `unknown` for the first run, or when the note is lost."""
    if previous is None:
        return RestartReason.UNKNOWN
    if previous.version != version:
        return RestartReason.UPDATE
    if previous.clean:
        return RestartReason.OPERATOR
    return RestartReason.CRASH if previous.boot == boot else RestartReason.POWER


def boot_id(file: Path = BOOT_ID) -> str:
    """The kernel's id of this boot; `unknown` where it tells none (a reboot is then not seen as one)."""
    try:
        return file.read_text(encoding="ascii").strip()[:64] or "unknown"
    except (OSError, UnicodeDecodeError):
        return "unknown"
