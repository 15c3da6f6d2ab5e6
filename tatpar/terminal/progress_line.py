"""Progress of long work: one line on standard error that is written over; nothing where that is no terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from collections.abc import Callable


class ProgressLine:
    """A context manager: at the end of the work the line stays."""

    def __init__(self) -> None:
        self._said = ""
        self._done = 0
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._said:
            click.echo(err=True)

    def say(self, text: str) -> None:
        """What is being done, in place of what stood there."""
        if self._shown and text != self._said:
            self._said = text
            click.echo(f"\r{text:<40}", nl=False, err=True)

    def share(self, label: str, done: int, total: int) -> None:
        """How much of it is done, in percent."""
        self.say(f"{label}: {100 * done // max(total, 1):3d} %")

    def copied(self, more: int, total: int) -> None:
        """So many octets more, of so many in all."""
        self._done += more
        self.share("copied", self._done, total)

    def counting(self, what: str) -> Callable[[int, int], None]:
        """Told how many are done, of how many: `day 3 of 30`."""
        return lambda done, total: self.say(f"{what} {done} of {total}")
