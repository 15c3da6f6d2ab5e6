"""A document with every kind of block, in both languages, and the tools that look at what is drawn of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from reports.document import (
    Card,
    Cards,
    Cell,
    Column,
    Document,
    Heading,
    HeatMap,
    PageBreak,
    Paragraph,
    Reliability,
    RollOut,
    Table,
    Tile,
    Tiles,
    Tone,
    Trend,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MADE_NS = 1_795_000_000 * 10**9
OFFICES = ("मुज़फ़्फ़रनगर", "कानपुर–बुंदेलखंड", "द्वितीय क्षेत्र ज़िला")


@pytest.fixture
def make_document() -> Callable[..., Document]:
    """A document; say the language, and how many offices its tables and heat map have."""

    def make(language: str = "hi", offices: int = 3, office: str = "") -> Document:
        names = [office or f"{OFFICES[at % 3]} {at}" for at in range(offices)]
        table = Table(
            "offices",
            (Column("कार्यालय", "office"), Column("घंटे", "below_h", is_number=True)),
            tuple((Cell(name), Cell("12 h", 12.0, Tone.BAD)) for name in names),
            "तालिका",
        )
        help_wanted = Cards(tuple(Card(name, "12 h नीचे", ("राउटर बंद करके चालू करें।",)) for name in names[:5]))
        blocks = (
            Tiles(
                (
                    Tile("तैयार", "49 / 56", "2 अधिक", Tone.GOOD),
                    Tile("मीटिंग", "91 %", "", Tone.WATCH),
                    Tile("नीचे", "61 h", "", Tone.BAD),
                    Tile("जुड़े", "56 / 92", "", Tone.MISSING),
                )
            ),
            Heading("मदद चाहिए", 3),
            help_wanted,
            Trend("trend", ("W45", "W46", "W47"), (80.0, math.nan, 91.0), "%", "हर सप्ताह", 90.0),
            RollOut("roll-out", ("1", "2", "3"), (54, 55, 56), 92, "जुड़े कार्यालय"),
            PageBreak(),
            Heading("क्षेत्र के अनुसार"),
            Paragraph("अनुमान एक संभावना है।", small=True),
            Table("none", (Column("x", "x"),), (), empty="कुछ नहीं हुआ"),
            Heading("घंटे"),
            HeatMap("heat", tuple(names), ("00", "12"), ((0.1, math.nan),) * offices, "गहरा: ख़राब", "घंटे"),
            Heading("कार्यालय"),
            table,
            Reliability(
                "said", (0.5, 0.9), (0.4, 0.95), (20, 300), (0.2, 0.9), (0.6, 0.98), "कहा", "निकला", "बिंदु"
            ),
        )
        return Document("साप्ताहिक तैयारी रिपोर्ट", "सप्ताह 47", language, blocks, "23 नवंबर को बनी", MADE_NS)

    return make
