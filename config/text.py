"""Reading a file that the operator wrote: UTF-8, or one line that says why not."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.plain_file import NotPlainError, read_plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BOM = "\ufeff"


def read_text(path: Path) -> str:
    """The file's text without a byte order mark, line ends as they are.

    Raises:
        ConfigError: the file is missing, a folder, a device or a pipe, far too large, unreadable, or not UTF-8 (with the line of the first bad byte).
    """
    try:
        raw = read_plain(path)
    except FileNotFoundError:
        raise ConfigError(path, "there is no such file", "create it, or name the right one") from None
    except (IsADirectoryError, NotADirectoryError):
        raise ConfigError(path, "a file is needed here, not a folder", "name the file itself") from None
    except NotPlainError as error:
        raise ConfigError(path, f"it is {error.strerror}", "name a plain file of the right kind") from None
    except OSError as error:
        raise ConfigError(
            path, f"cannot be read ({error.strerror})", "let the user of this process read it"
        ) from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            path, f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8", line
        ) from None
    return text.removeprefix(_BOM)


def nearest(word: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The known word that a misspelt one most likely means; `alike` is from 0 (any) to 1 (the same)."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=alike)
    return matches[0] if matches else None


def one_of(word: str, known: Iterable[str]) -> str:
    """A remedy for an unknown word: the nearest known one, else all of them (at most ten)."""
    close, shown = meant(word, known)
    return f"write one of: {shown}" if close is None else f'write "{close}"'


def meant(word: str, known: Iterable[str]) -> tuple[str | None, str]:
    """The known word that an unknown one most likely means, also when it is the only one; and all of them (at most ten)."""
    names = list(known)
    close = nearest(word, names)
    if close is None and len(names) == 1:
        close = names[0]
    return close, ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
