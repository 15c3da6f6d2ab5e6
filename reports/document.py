"""A report as a tree of blocks: written once, drawn as HTML and as PDF, and every table of it as CSV.

Whoever writes a report decides what it says and in which order; whoever draws it decides how it looks. All text is
in the reader's language already, and plain: nothing in it is markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Tone(StrEnum):
    """What a figure or a cell means; drawn as a sign and a colour, never as a colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a part of the report."""

    text: str
    level: int = 2
    """2: a part (also in the list of contents), 3: below one."""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph."""

    text: str
    small: bool = False
    """A remark: how a figure came about, what it does not mean."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One large figure with what it is, and how it compares."""

    label: str
    value: str
    beside: str = ""
    """As `6 fewer than last week`."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Tiles:
    """Figures side by side."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One office that needs help: its name, why, and what to do."""

    title: str
    beside: str
    lines: tuple[str, ...]
    tone: Tone = Tone.BAD


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards below each other."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str
    value: float | str | None = None
    """What stands in the CSV, without a locale: None is an empty cell; the text itself where it is a name."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    heading: str
    name: str
    """In the CSV: English, with its unit, as `below_h`."""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; may run over pages, with its headings repeated."""

    name: str
    """Of its CSV file, as `offices`."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    empty: str = ""
    """Said instead when there are no rows."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Rows of offices, columns of hours of the day; shares 0..1, NaN where nothing is known."""

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]
    caption: str = ""
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure over the weeks: bars or a line with a point a week; NaN where nothing is known."""

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    unit: str
    """In words, on the axis."""
    caption: str = ""
    mark: float | None = None
    """A level that is aimed at."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was said against what came true: one point a bin of forecasts."""

    name: str
    said: tuple[float, ...]
    came_true: tuple[float, ...]
    count: tuple[int, ...]
    low: tuple[float, ...]
    """Ends of the interval of `came_true`."""
    high: tuple[float, ...]
    said_label: str
    true_label: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class RollOut:
    """Offices linked by day, and on to the day when all are at this pace."""

    name: str
    days: tuple[str, ...]
    linked: tuple[int, ...]
    total: int
    caption: str = ""


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins a page."""


Block: TypeAlias = (
    Heading | Paragraph | Tiles | Cards | Table | HeatMap | Trend | Reliability | RollOut | PageBreak
)


@dataclass(frozen=True, slots=True)
class Document:
    """A report."""

    title: str
    subtitle: str
    language: str
    """`hi` or `en`."""
    blocks: tuple[Block, ...]
    foot: str
    """The line at the foot of each page, with the time at which it was made."""
    made_ns: int
    marked: str = ""
    """Across the head of the first page, as `made of emulated data`; empty: nothing."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Table))
