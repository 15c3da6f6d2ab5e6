"""The weekly readiness report as a document: the first page for leadership, then the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.document import Document, PageBreak, Paragraph, Tiles
from reports.weekly.data import completeness, method
from reports.weekly.happened import (
    answers,
    meetings,
    moved_levels,
    moved_table,
    shared,
    trouble_table,
    troubles,
)
from reports.weekly.leadership import leadership, linked_tile
from reports.weekly.places import by_office, by_region, hour_table, worst_hours
from reports.weekly.record import track_record
from reports.weekly.voice import Voice
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from config.config import Config
    from reports.document import Block, Table
    from reports.gather import WeekFigures


def document(figures: WeekFigures, config: Config, language: str, made_ns: int) -> Document:
    """The report in one language; only its foot and the PDF's own date depend on `made_ns`."""
    voice = Voice(config, language, figures)
    week = figures.week
    subtitle = voice("span", week=str(week), first=week.start_ns, last=week.end_ns - SECOND_NS)
    if figures.region:
        subtitle += f" · {voice.region(figures.region)}"
    return Document(
        title=voice("title"),
        subtitle=subtitle,
        language=language,
        blocks=tuple(_blocks(voice, figures)),
        foot=voice("made", at=made_ns),
        made_ns=made_ns,
        marked=_marked(voice, figures),
    )


def tables(figures: WeekFigures, config: Config) -> list[Table]:
    """Every table whole, for the CSV files: what the pages leave out is in them, and names are English."""
    voice = Voice(config, "en", figures)
    whole = {table.name: table for table in (trouble_table(voice, figures), moved_table(voice, figures))}
    found = document(figures, config, "en", 0).tables
    return [*(whole.get(table.name, table) for table in found), hour_table(voice, figures)]


def _blocks(voice: Voice, figures: WeekFigures) -> list[Block]:
    if not figures.measured:
        return [
            Tiles((linked_tile(voice, figures),)),
            Paragraph(voice("empty" if figures.linked else "none_linked")),
            *meetings(voice, figures),
            *method(voice, figures),
        ]
    return [
        *leadership(voice, figures),
        PageBreak(),
        *meetings(voice, figures),
        *track_record(voice, figures),
        *by_region(voice, figures),
        *shared(voice, figures),
        *troubles(voice, figures),
        *worst_hours(voice, figures),
        *by_office(voice, figures),
        *answers(voice, figures),
        *moved_levels(voice, figures),
        *completeness(voice, figures),
        *method(voice, figures),
    ]


def _marked(voice: Voice, figures: WeekFigures) -> str:
    said = []
    if figures.measured and figures.until_ns < figures.week.end_ns:
        said.append(voice("so_far", until=figures.until_ns))
    if figures.emulated:
        said.append(voice("emulated"))
    return " · ".join(said)
