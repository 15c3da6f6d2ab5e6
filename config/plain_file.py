"""Opening, or replacing, a file that somebody named: a plain file of a bounded size, or one line at once that says what it is instead.

A device, a pipe or a socket would be waited for, or read without end.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

MOST_TEXT_BYTES: Final = 64 * 1024**2
"""Of what people write: the offices of a hundred thousand places are 10 MB."""
MOST_SECRET_BYTES: Final = 1024**2
"""Of a key, a token, a password, a few certificates."""
_KINDS: Final = (
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISLNK, "a link"),
)


class NotPlainError(OSError):
    """It is no plain file, or too large; `strerror` says which."""


def open_plain(path: Path) -> BufferedReader:
    """The file, open for reading; never waits.

    Raises:
        NotPlainError: it is a device, a pipe or a socket.
        IsADirectoryError: it is a folder.
        OSError: it cannot be opened.
    """
    # Without O_NONBLOCK a pipe would wait for its writer; a terminal must not become ours.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_plain(path: Path, most_bytes: int = MOST_TEXT_BYTES) -> bytes:
    """All that is in the file.

    Raises:
        NotPlainError: it is a device, a pipe or a socket, or larger than `most_bytes`.
        IsADirectoryError: it is a folder.
        OSError: it cannot be read.
    """
    with open_plain(path) as file:
        known = os.fstat(file.fileno()).st_size  # 0 for what the kernel makes up as it is read
        raw = b"" if known > most_bytes else file.read(most_bytes + 1)
    if raw is None:  # as of the kernel's log, which counts as a plain file
        raise NotPlainError(errno.EAGAIN, "not to be read without waiting, a plain file is needed", str(path))
    if max(known, len(raw)) > most_bytes:
        said = f"larger than {most_bytes // 1024**2} MB"
        raise NotPlainError(errno.EFBIG, said, str(path))
    return raw


def must_be_plain(path: Path) -> None:
    """Before somebody else's code opens it by its name: raises as `open_plain` does."""
    open_plain(path).close()


def must_be_replaceable(path: Path) -> None:
    """Before a file is put in the place of what is there: nothing, or a plain file; never waits.

    A link is not followed: whoever made it would choose what we write over.

    Raises:
        NotPlainError: it is a link, a device, a pipe or a socket.
        IsADirectoryError: it is a folder.
        OSError: what is there cannot be told.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    _check(mode, path)


def _check(mode: int, path: Path) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "no file")
    raise NotPlainError(errno.EINVAL, f"{kind}, a plain file is needed", str(path))
