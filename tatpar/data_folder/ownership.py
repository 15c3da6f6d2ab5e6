"""What root writes into a data folder that belongs to another user becomes that user's: its services must open it."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def is_root() -> bool:
    """Whether what we write belongs to root (nowhere on Windows)."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def give_to_owner(folder: Path, of: Path | None = None) -> None:
    """Give what is root's in a folder to the owner of `of` (default: the folder itself); for root alone, else nothing happens.

    A file with several names stays root's: somebody who may write here could have given a foreign file a name here.
    """
    of = of or folder
    if not is_root() or not folder.is_dir() or not of.is_dir():
        return
    owner = of.stat()
    if owner.st_uid == 0:
        return
    if folder.stat().st_uid == 0:
        os.chown(folder, owner.st_uid, owner.st_gid)
    for _, folders, files, descriptor in os.fwalk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):  # another part of the hub has just taken it away
                _give(name, descriptor, owner)


def _give(name: str, folder: int, owner: os.stat_result) -> None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if found.st_uid == 0 and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
        os.chown(name, owner.st_uid, owner.st_gid, dir_fd=folder, follow_symlinks=False)
