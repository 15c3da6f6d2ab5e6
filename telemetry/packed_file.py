"""A file that somebody named, packed or not, as the bytes that it holds; by its name's end is known how it is packed.

One that was cut short or damaged is told as that: an `EOFError` would be taken for an end of the operator's input, and a
Zstandard stream that breaks off between two blocks would pass for a shorter file.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import zstandard

from config.plain_file import open_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PIECE: Final = 1 << 17
_DAMAGED: Final = (
    EOFError,
    RuntimeError,  # of a zip: behind a password, or packed in a way that is not known
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zstandard.ZstdError,
)


class PackedError(ValueError):
    """It cannot be unpacked; the text says why."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file as it lies there, whose position tells how far it has been read, and what it holds.

    Raises:
        PackedError: it is cut short or damaged; also from within, whenever that comes to light.
        NotPlainError: it is a device, a pipe or a socket.
        OSError: it cannot be opened.
    """
    unpacked = _PACKED.get(path.suffix.lower())
    with ExitStack() as open_now:
        raw = open_now.enter_context(open_plain(path))
        if unpacked is None:
            yield raw, raw
            return
        try:
            yield raw, open_now.enter_context(unpacked(raw))
        except _DAMAGED as error:
            raise PackedError(str(error)) from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise PackedError(str(error)) from error


def bad_byte(path: Path) -> tuple[int, int] | None:
    """The line of the first byte that is not UTF-8, and that byte; None where all are, or it cannot be unpacked."""
    try:
        with opened(path) as (_, content):
            for number, line in enumerate(content, 1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    return number, line[error.start]
    except (PackedError, OSError):
        return None
    return None


class _Frames(io.RawIOBase):
    """Zstandard frames one after another; the last must be whole."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame: Any = None
        self._packed = b""
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:  # noqa: ANN401 - any buffer
        while not self._ready and self._more():
            pass
        taken, self._ready = self._ready[: len(room)], self._ready[len(room) :]
        room[: len(taken)] = taken
        return len(taken)

    def _more(self) -> bool:
        packed = self._packed or self._raw.read(_PIECE)
        if not packed:
            if self._frame is not None:
                raise EOFError("Compressed file ended before the end of its last frame")
            return False
        frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
        self._ready = frame.decompress(packed)
        self._packed = frame.unused_data
        self._frame = None if frame.eof else frame
        return True


def _only_member(raw: BinaryIO) -> BinaryIO:
    archive = zipfile.ZipFile(raw)
    names = [each.filename for each in archive.infolist() if not each.is_dir()]
    if len(names) != 1:
        raise zipfile.BadZipFile(f"it holds {len(names)} files, one is needed")
    return archive.open(names[0])  # type: ignore[return-value]


_PACKED: Final[dict[str, Callable[[BinaryIO], Any]]] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda raw: io.BufferedReader(_Frames(raw), _PIECE),
    ".zip": _only_member,
}
