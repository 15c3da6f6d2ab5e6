"""A document as PDF: A4, tagged, searchable, with an outline; the same document gives the same bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict

import typst

from reports.paper.fonts import FOLDER
from reports.paper.pieces import kind_of, pieces
from reports.paper.tones import COLOURS
from telemetry.windows import SECOND_NS
from telemetry.words.catalogues import template

if TYPE_CHECKING:
    from reports.document import Document

_TEMPLATE: Final = Path(__file__).parent / "paper.typ"


def pdf(document: Document) -> bytes:
    """The paper, as PDF/A-2a: kept for years, and read aloud by machines."""
    return typst.compile(_TEMPLATE, format="pdf", pdf_standards="a-2a", **_surroundings(document))


def png(document: Document, ppi: float = 110.0) -> list[bytes]:
    """Its pages as pictures, at this many points an inch."""
    found: object = typst.compile(_TEMPLATE, format="png", ppi=ppi, **_surroundings(document))
    return list(found) if isinstance(found, list) else [bytes(found)]  # type: ignore[call-overload]


class _Surroundings(TypedDict):
    font_paths: list[Path]
    ignore_system_fonts: bool
    sys_inputs: dict[str, str]
    timestamp: int


def _surroundings(document: Document) -> _Surroundings:
    """Nothing of the machine: our fonts, the document as data, its own time."""
    return _Surroundings(
        font_paths=[FOLDER],
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(_as_data(document), ensure_ascii=False)},
        timestamp=document.made_ns // SECOND_NS,
    )


def _as_data(document: Document) -> dict[str, Any]:
    """What the template needs, as plain data."""
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "language": document.language,
        "marked": document.marked,
        "foot": document.foot,
        "page": template(document.language, "paper.page", one=False),
        "tones": {tone.value: colour for tone, colour in COLOURS.items()},
        "pieces": [{"kind": kind_of(piece), **asdict(piece)} for piece in pieces(document)],
    }
