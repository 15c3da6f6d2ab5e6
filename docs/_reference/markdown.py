"""Tables and pages in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MADE: Final = "<!-- Written by `make reference` from {origin}: change it there. -->"


def page(title: str, origin: str, *parts: str) -> str:
    """A whole page; `origin` is where its words come from."""
    return (
        "\n\n".join([f"# {title}", _MADE.format(origin=origin), *(part.strip("\n") for part in parts)]) + "\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; an upright bar in a cell stays one."""
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Text on one line."""
    return " ".join(text.replace("|", "\\|").split())


def code(text: str) -> str:
    """Text as code; nothing for nothing."""
    return f"`{text}`" if text else ""
