"""Drawing a report: seconds of HTML and PDF for a fleet of 92 and of 1,000 offices."""

from __future__ import annotations

import math
import random
import time
from typing import TYPE_CHECKING

from config.load import load_config
from reports.document import (
    Cell,
    Column,
    Document,
    Heading,
    HeatMap,
    PageBreak,
    Table,
    Tile,
    Tiles,
    Tone,
    Trend,
)
from reports.paper import html, pdf

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = 9


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Seconds and megabytes of both forms, by number of offices."""
    figures: dict[str, object] = {}
    for offices in (92, 1_000):
        progress(f"{offices} offices")
        document = _document(offices)
        begin = time.perf_counter()
        page = html(document)
        middle = time.perf_counter()
        paper = pdf(document)
        end = time.perf_counter()
        figures[str(offices)] = {
            "html_s": middle - begin,
            "pdf_s": end - middle,
            "html_mb": len(page.encode()) / 1e6,
            "pdf_mb": len(paper) / 1e6,
        }
    return figures


def _document(offices: int) -> Document:
    """A heat map and three tables over all offices, as a weekly report has."""
    draw = random.Random(1)
    sites = load_config().registry.sites
    names = [sites[at % len(sites)].name_hi for at in range(offices)]
    columns = tuple(Column(f"स्तंभ {at}", f"c{at}", is_number=at > 1) for at in range(COLUMNS))
    rows = tuple(
        (Cell(name), *(Cell(f"{draw.random() * 100:.1f}", 1.0, Tone.WATCH) for _ in range(COLUMNS - 1)))
        for name in names
    )
    shares = tuple(tuple(draw.choice((0.0, 0.1, math.nan)) for _ in range(24)) for _ in names)
    blocks = (
        Tiles(tuple(Tile("तैयार", str(at), "पिछले सप्ताह", Tone.GOOD) for at in range(4))),
        Trend("trend", ("W46", "W47"), (80.0, 85.0), "%"),
        PageBreak(),
        HeatMap("heat", tuple(names), tuple(f"{hour:02d}" for hour in range(24)), shares),
        *(block for at in range(3) for block in (Heading(f"भाग {at}"), Table(f"t{at}", columns, rows))),
    )
    return Document("रिपोर्ट", "सप्ताह", "hi", blocks, "बनी", 0)
