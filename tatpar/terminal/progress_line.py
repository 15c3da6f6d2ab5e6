"""Progress of long work, in the reader's language: one line on standard error that is written over; nothing where that is no terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Self

import click

from tatpar.terminal.columns import padded
from tatpar.terminal.screen import ours

if TYPE_CHECKING:
    from collections.abc import Callable

_WIDE: Final = 40


class ProgressLine:
    """A context manager: at the end of the work the line stays."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._said = ""
        self._done = 0
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._said:
            click.echo(file=ours())

    def say(self, text: str) -> None:
        """What is being done, in place of what stood there."""
        if self._shown and text != self._said:
            self._said = text
            click.echo(f"\r{padded(text, _WIDE)}", nl=False, file=ours())

    def share(self, label: str, done: int, total: int) -> None:
        """How much of it is done, in percent."""
        self.say(f"{label}: {100 * done // max(total, 1):3d} %")

    def copied(self, more: int, total: int) -> None:
        """So many octets more, of so many in all."""
        self._done += more
        self.share(self._words("copied"), self._done, total)

    def counting(self, what: str) -> Callable[[int, int], None]:
        """Told how many are done, of how many, in the words of `progress.<what>`: `day 3 of 30`."""
        return lambda done, total: self.say(self._words(what, done=done, total=total))

    def _words(self, what: str, **numbers: Any) -> str:  # noqa: ANN401 - as `say` has them
        from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

        return say(self._language, f"progress.{what}", **numbers)
