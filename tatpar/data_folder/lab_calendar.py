"""Whether a data folder is a lab's, whose calendar has drills that the operator did not write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.load import DEFAULT_MEETINGS, LAB_MEETINGS
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config

SOON_NS: Final = 2 * HOUR_NS
_WITHOUT: Final = "lab.no-drills"
"""Stands in the data folder of a lab whose calendar has no drills."""


def in_lab(data_dir: Path) -> bool:
    """Whether a lab runs on this folder, or ran there and was killed."""
    return (data_dir / "lab.sock").exists()


def drills_wanted(config: Config, now_ns: int) -> bool:
    """Whether the lab's drills are to be added: the built-in calendar gets them, one's own only when it has nothing soon."""
    if config.sources.meetings[0] == DEFAULT_MEETINGS:
        return True
    return not config.calendar.occurrences(now_ns, now_ns + SOON_NS)


def say_drills(data_dir: Path, *, wanted: bool) -> None:
    """Leave word in the folder for the commands that read the same calendar."""
    data_dir.mkdir(parents=True, exist_ok=True)
    if wanted:
        (data_dir / _WITHOUT).unlink(missing_ok=True)
    else:
        (data_dir / _WITHOUT).touch()


def lab_meetings(data_dir: Path) -> list[Path]:
    """The drills, where there is a lab: the commands then speak of the meetings that the wall shows."""
    return [LAB_MEETINGS] if in_lab(data_dir) and not (data_dir / _WITHOUT).exists() else []
