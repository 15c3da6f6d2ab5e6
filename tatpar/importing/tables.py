"""Reading a CSV or Parquet file chunk by chunk, so that its size does not matter."""

from __future__ import annotations

import codecs
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
from pyarrow import parquet  # type: ignore[import-untyped,unused-ignore]

from config.errors import ConfigError
from config.plain_file import NotPlainError, open_plain
from config.text import one_of
from telemetry.csv_troubles import trouble_of
from telemetry.packed_file import PackedError, bad_byte, opened
from telemetry.traces import line_numbers, read_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tatpar.importing.mapping import Mapping

ROWS_PER_CHUNK: Final = 100_000
_SEPARATORS: Final = (";", "\t", "|", ",")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file; the cells of CSV are text as it stands there."""

    file: Path
    frame: pd.DataFrame
    lines: NDArray[np.int64]
    """(n,) the line of CSV, or the row of Parquet (from 1), that each row is."""
    mended: tuple[str, ...] = ()
    """What was amiss with the file and is mended, a line each for people."""

    def wrong(self, row: int, problem: str, remedy: str) -> ConfigError:
        """The error about one of its rows."""
        return ConfigError(self.file, problem, remedy, int(self.lines[row]))


def form_of(path: Path, mapping: Mapping) -> str:
    """`csv`, `parquet` or `trace`."""
    return mapping.file.form or ("parquet" if path.suffix.lower() in (".parquet", ".pq") else "csv")


def chunks(path: Path, mapping: Mapping, progress: Callable[[int], None]) -> Iterator[Chunk]:
    """The file's rows, with the columns that the mapping names; `progress` is told how many of its bytes are done.

    Raises:
        ConfigError: the file cannot be read, or has no such columns.
    """
    form = form_of(path, mapping)
    read = {"csv": _csv, "parquet": _parquet, "trace": _trace}[form]
    try:
        yield from read(path, mapping, progress)
    except FileNotFoundError:
        raise ConfigError(path, "there is no such file", "name the right one") from None
    except IsADirectoryError:
        raise ConfigError(path, "a file is needed here, not a folder", "name the file itself") from None
    except NotPlainError as error:
        raise ConfigError(path, f"it is {error.strerror}", "name a plain file") from None
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except PackedError as error:
        raise ConfigError(path, f"it cannot be unpacked ({error})", "pack or copy it again") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pa.ArrowException, OSError) as error:
        line, what = trouble_of(error)
        raise ConfigError(
            path, f"it cannot be read as {form} ({what})", "compare it with [file] of the mapping", line
        ) from None


def _not_utf8(path: Path) -> ConfigError:
    found = bad_byte(path)
    if found is None:
        return ConfigError(path, "it is not UTF-8", "save the file as UTF-8")
    line, byte = found
    return ConfigError(path, f"byte 0x{byte:02x} is not UTF-8", "save the file as UTF-8", line)


def _csv(path: Path, mapping: Mapping, progress: Callable[[int], None]) -> Iterator[Chunk]:
    told = mapping.file
    header: dict[str, Any] = {"names": list(told.columns), "header": None} if told.columns else {"header": 0}
    comments = _comments(path, told.comment)
    names = list(told.columns) or _head(path, told.separator, told.comment)
    with (
        opened(path) as (raw, content),
        pd.read_csv(
            content,
            sep=told.separator,
            comment=told.comment,
            chunksize=ROWS_PER_CHUNK,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            **header,
        ) as reader,
        _said_of(raw, progress) as say,
    ):
        line = 1 if told.columns else 2
        for frame in reader:
            # What is too much pandas takes for names of the rows.
            if not isinstance(frame.index, pd.RangeIndex):
                raise ConfigError(
                    path, f"a row has more than the {len(names)} columns that are named", "name each of them"
                )
            _must_have(path, mapping, names)
            cells = frame.fillna("")  # a line that ends too early
            there = (cells != "").any(axis=1).to_numpy(np.bool_)
            lines = _lines(line + np.flatnonzero(there), comments)
            yield Chunk(path, cells[there].reset_index(drop=True), lines)
            line += len(frame)
            say()


def _comments(path: Path, sign: str | None) -> NDArray[np.int64]:
    """(C,) the lines, from 1, that are comments."""
    if sign is None:
        return np.empty(0, dtype=np.int64)
    begins = sign.encode()
    with opened(path) as (_, content):
        found = [
            number
            for number, raw in enumerate(content, 1)
            if raw.removeprefix(codecs.BOM_UTF8).startswith(begins)
        ]
    return np.array(found, dtype=np.int64)


def _head(path: Path, separator: str, comment: str | None) -> list[str]:
    """The names of the columns as they are written: as a header pandas calls one that stands twice by another name."""
    with opened(path) as (_, content):
        head = pd.read_csv(
            content,
            sep=separator,
            comment=comment,
            header=None,
            nrows=1,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
        )
    return list(head.iloc[0])


def _lines(counted: NDArray[np.int64], comments: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lines of a file, of which pandas counts all but the comments."""
    before = comments - 1 - np.arange(len(comments))
    return counted + np.searchsorted(before, counted)


@contextmanager
def _said_of(raw: BinaryIO, progress: Callable[[int], None]) -> Iterator[Callable[[], None]]:
    """Tells how far a file has been read; all of it at the end."""
    done = 0

    def say() -> None:
        nonlocal done
        at = raw.tell()
        progress(at - done)
        done = at

    yield say
    progress(os.fstat(raw.fileno()).st_size - done)


def _parquet(path: Path, mapping: Mapping, progress: Callable[[int], None]) -> Iterator[Chunk]:
    with open_plain(path) as raw, parquet.ParquetFile(raw) as file:
        _must_have(path, mapping, file.schema_arrow.names)
        size, rows = path.stat().st_size, max(file.metadata.num_rows, 1)
        first = 1
        for batch in file.iter_batches(ROWS_PER_CHUNK, columns=list(mapping.columns())):
            # Not as pandas would have it: what was its index is a column of the file like any other.
            frame = batch.to_pandas(ignore_metadata=True)
            yield Chunk(path, frame, first + np.arange(batch.num_rows))
            first += batch.num_rows
            progress(size * batch.num_rows // rows)


def _trace(path: Path, _: Mapping, progress: Callable[[int], None]) -> Iterator[Chunk]:
    """A labelled trace in the form of a ping a row: `time_ns`, `rtt_ms`."""
    trace = read_trace(path)
    frame = pd.DataFrame({"time_ns": trace.time_ns, "rtt_ms": trace.rtt_ms})
    yield Chunk(path, frame, line_numbers(path, trace), trace.mended)
    progress(path.stat().st_size)


def _must_have(path: Path, mapping: Mapping, there: list[Any]) -> None:
    names = [str(name) for name in there]
    for column in mapping.columns():
        if column not in names:
            raise ConfigError(path, f'there is no column "{column}"', _remedy(column, names))
        if names.count(column) > 1:
            raise ConfigError(path, f'the column "{column}" stands twice', "give one of them another name")


def _remedy(column: str, names: list[str]) -> str:
    """Which column may be meant; or, where the whole head is one, what stands between them."""
    for sign in _SEPARATORS:
        if len(names) == 1 and column in [name.strip('" ') for name in names[0].split(sign)]:
            return f"say separator = {json.dumps(sign)} under [file] of the mapping"
    return one_of(column, names)
