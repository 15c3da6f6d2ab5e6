"""Standard output and error while a command runs: the one place through which all that people read goes out.

Nothing that anybody else has said may steer the terminal (`telemetry.visible`), whichever command shows it, in whichever
table, error or line of the log. Our own progress lines do steer it, and are written past it (`ours`).
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from telemetry.visible import visible_lines

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Escaping:
    """A stream that is written to through `visible_lines`; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """As the stream; says how much of `text` was written, as its callers count."""
        self.stream.write(visible_lines(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """As the stream."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self.stream, name)


@contextmanager
def guarded() -> Iterator[None]:
    """For as long as the block lasts."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _over(sys.stdout), _over(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def ours() -> TextIO:
    """Standard error for what draws itself: bars and lines that are written over. No words of others go there."""
    return sys.stderr.stream if isinstance(sys.stderr, _Escaping) else sys.stderr


def _over(stream: TextIO | None) -> TextIO:
    """A closed stream stays what it is: nothing."""
    return cast("TextIO", stream if stream is None else _Escaping(stream))
