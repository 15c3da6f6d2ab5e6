"""A document as one HTML file that asks nobody for anything: style, fonts and plots are in it, and there is no script."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.document import Heading, PageBreak, Tone
from reports.paper.fonts import faces
from reports.paper.pieces import kind_of, pieces
from reports.paper.tones import sign
from telemetry.words import say

if TYPE_CHECKING:
    from reports.document import Document

PART: Final = 2
"""Level of the headings that stand in the list of contents."""


def html(document: Document) -> str:
    """The page; the same document gives the same bytes."""
    parts = pieces(document)
    context: dict[str, Any] = {
        "document": document,
        "pieces": parts,
        "first_part": next((at for at, part in enumerate(parts) if _begins_part(part)), 0),
        "contents": [part for part in parts if _begins_part(part)],
        "first_break": next((at for at, part in enumerate(parts) if isinstance(part, PageBreak)), -1),
        "words": {key: say(document.language, f"paper.{key}") for key in ("contents", *_tone_keys())},
        "faces": Markup(faces()),  # noqa: S704 - ours
        "style": Markup(_style()),  # noqa: S704 - ours
    }
    return _environment().get_template("page.html.j2").render(context)


def _begins_part(piece: object) -> bool:
    """What stands before the first part is below the title itself: no level of headings is left out."""
    return isinstance(piece, Heading) and piece.level == PART


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports.paper", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["kind_of"] = kind_of
    environment.globals["sign"] = lambda tone: Markup(sign(tone))  # noqa: S704 - ours
    environment.filters["data_url"] = _data_url
    return environment


@cache
def _style() -> str:
    return files("reports.paper").joinpath("page.css").read_text("utf-8")


def _data_url(svg: str) -> str:
    """A plot as an image, so that the ids in one cannot meet those of another."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode('ascii')}"


def _tone_keys() -> list[str]:
    return [f"tone_{tone.value}" for tone in Tone if tone is not Tone.PLAIN]
