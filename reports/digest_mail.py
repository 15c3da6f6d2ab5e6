"""A short document as the body of a mail: plain text, and HTML that mail programs draw (styles in the elements, no picture, no font)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.document import Cards, Heading, Paragraph, Table, Tiles

if TYPE_CHECKING:
    from reports.document import Block, Document

_COLOURS: Final = {
    "plain": "#444444",
    "good": "#1b6e3c",
    "watch": "#8a5a00",
    "bad": "#b3261e",
    "missing": "#5f6368",
}


def plain(document: Document) -> str:
    """The text: what people read who see no HTML, and what a chat gets."""
    parts = [f"{document.title}\n{document.subtitle}"]
    parts += [text for block in document.blocks if (text := _text(block))]
    return "\n\n".join([*parts, document.foot]) + "\n"


def html(document: Document) -> str:
    """The page; paragraphs, tiles, cards and tables only."""
    context = {"document": document, "colours": _COLOURS, "kind_of": lambda block: type(block).__name__}
    return _environment().get_template("digest.html.j2").render(context)


def _text(block: Block) -> str:
    match block:
        case Paragraph() | Heading():
            return block.text
        case Tiles():
            return "\n".join(f"{tile.label}: {tile.value}" for tile in block.tiles)
        case Cards():
            return "\n".join(
                "\n".join((f"• {card.title}: {card.beside}", *(f"  {line}" for line in card.lines)))
                for card in block.cards
            )
        case Table():
            return _table(block)
        case _:
            return ""


def _table(table: Table) -> str:
    if not table.rows:
        return table.empty
    headings = [column.heading for column in table.columns[1:]]
    lines = [
        f"• {row[0].text}: "
        + "; ".join(f"{name} {cell.text}" for name, cell in zip(headings, row[1:], strict=True))
        for row in table.rows
    ]
    return "\n".join([table.caption, *lines] if table.caption else lines)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
