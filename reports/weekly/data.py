"""Data completeness: what is missing, and why; and how all of this was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.document import Cell, Heading, Paragraph, Table
from reports.weekly.cells import figures as figure_column
from reports.weekly.cells import share, text, words
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from reports.document import Block
    from reports.gather import WeekFigures
    from reports.weekly.voice import Voice
    from telemetry.store.completeness import Completeness


def completeness(voice: Voice, week: WeekFigures) -> list[Block]:
    """The fleet's row, then the offices of which something is missing, worst first."""
    columns = (
        words(voice("office"), "office"),
        figure_column(voice("completeness_short"), "complete_ratio"),
        figure_column(voice("lost"), "lost_s"),
        figure_column(voice("dropped"), "dropped_s"),
        figure_column(voice("never_measured"), "never_measured_s"),
        figure_column(voice("should_be"), "expected_s"),
    )
    fleet = week.complete
    missing = sorted(
        ((site, part) for site, part in week.completeness.items() if part.missing),
        key=lambda pair: (-pair[1].missing, pair[0]),
    )
    rows: tuple[tuple[Cell, ...], ...] = ()
    if missing:
        rows = (
            _row(voice, voice("all_offices"), fleet),
            *(_row(voice, voice.site(site), part) for site, part in missing),
        )
    empty = voice("nothing_missing" if fleet.expected else "nothing_expected")
    return [
        Heading(voice("completeness_by_office"), 2, "data"),
        Table("data", columns, rows, empty=empty),
    ]


def _row(voice: Voice, name: str, part: Completeness) -> tuple[Cell, ...]:
    return (
        text(name),
        share(voice, part.ratio, exact=True),
        *(_windows(voice, count) for count in (part.lost, part.dropped, part.never, part.expected)),
    )


def _windows(voice: Voice, count: int) -> Cell:
    return Cell(voice.windows(count), count * WINDOW_NS / SECOND_NS)


def method(voice: Voice, week: WeekFigures) -> list[Block]:
    """Method and limits in plain words."""
    said = (
        voice("method_1"),
        voice("method_2", profile=week.profile),
        voice("method_3"),
        voice("method_4"),
        voice("method_5"),
        voice("method_6"),
        voice("method_7"),
        " ".join(voice.sound_method()),
    )
    return [Heading(voice("method"), 2, "method"), *(Paragraph(words_) for words_ in said)]
