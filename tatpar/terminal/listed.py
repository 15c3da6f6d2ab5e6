"""What a command lists; where there is nothing, one line that says so and how something comes into the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tatpar.terminal.columns import table
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Sequence


def listed(head: Sequence[str], rows: Sequence[Sequence[str]], language: str, what: str) -> list[str]:
    """A table with its heading, or the words of `nothing.<what>` alone."""
    return table(head, rows) if rows else [say(language, f"nothing.{what}")]
