"""A document made ready to be laid out: headings with anchors, plots drawn, small ones side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from reports.document import Cards, Heading, PageBreak, Paragraph, Table, Tiles
from reports.paper.plots.draw import draw, is_plot

if TYPE_CHECKING:
    from reports.document import Block, Document
    from reports.paper.plots.picture import Picture


@dataclass(frozen=True, slots=True)
class Pictures:
    """One wide picture, or up to two half ones that stand side by side."""

    pictures: tuple[Picture, ...]

    @property
    def waits_for_one(self) -> bool:
        """Another half one may stand beside it."""
        return len(self.pictures) == 1 and self.pictures[0].is_half


Piece: TypeAlias = Heading | Paragraph | Tiles | Cards | Table | PageBreak | Pictures


def pieces(document: Document) -> list[Piece]:
    """The blocks in order, each plot as its pictures."""
    found: list[Piece] = []
    for number, block in enumerate(document.blocks):
        match block:
            case Heading():
                found.append(Heading(block.text, block.level, block.anchor or f"part-{number}"))
            case _ if is_plot(block):
                for picture in draw(block, document.language):
                    _place(found, picture)
            case Paragraph() | Tiles() | Cards() | Table() | PageBreak():
                found.append(block)
    return found


def _place(found: list[Piece], picture: Picture) -> None:
    """Beside the last one where both are half as wide as the text."""
    last = found[-1] if found else None
    if picture.is_half and isinstance(last, Pictures) and last.waits_for_one:
        found[-1] = Pictures((*last.pictures, picture))
        return
    found.append(Pictures((picture,)))


def kind_of(piece: Piece | Block) -> str:
    """The name by which the templates know a piece."""
    return type(piece).__name__.lower()
