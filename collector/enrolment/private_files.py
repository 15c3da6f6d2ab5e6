"""Files that only the hub may read, replaced whole."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from config.plain_file import must_be_replaceable

if TYPE_CHECKING:
    from pathlib import Path


def private_folder(path: Path) -> Path:
    """Make a folder that only we may enter; one that is there is closed to others."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Put a file in place at once, mode 0600; a reader sees the old one or the new one.

    Raises:
        OSError: the folder cannot be written, or what is in the file's place is no plain file.
    """
    must_be_replaceable(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def create_private(path: Path, data: bytes) -> bytes:
    """What is in a file, or `data` put there now; of two who do so at once both get the same.

    Raises:
        OSError: the folder cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(beside, data)
    try:
        os.link(beside, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        beside.unlink(missing_ok=True)
    return data
