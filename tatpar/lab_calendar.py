"""Whether a data folder is a lab's, whose calendar has drills that the operator did not write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.load import LAB_MEETINGS

if TYPE_CHECKING:
    from pathlib import Path


def in_lab(data_dir: Path) -> bool:
    """Whether a lab runs on this folder, or ran there and was killed."""
    return (data_dir / "lab.sock").exists()


def lab_meetings(data_dir: Path) -> list[Path]:
    """The drills, where there is a lab: the commands then speak of the meetings that the wall shows."""
    return [LAB_MEETINGS] if in_lab(data_dir) else []
