"""What of the page's files travels."""

from __future__ import annotations

import gzip
from pathlib import Path

import dashboards.wall
from dashboards.wall.web.files import Files, without_comments

MAIN = Path(dashboards.wall.__file__).parent / "static" / "js" / "main.js"


def test_comments_stay_with_the_source() -> None:
    """What travels packed has no line that is a comment alone, every line of code where it was, and nobody else's file is touched."""
    source = b"// a\nlet a = 1; // b\n  /** c\n   * d */\nb(); /* e */\n/* f */ g();\n* { color: red; }\n"
    sent = b"\nlet a = 1; // b\n\n\nb(); /* e */\n g();\n* { color: red; }\n"
    assert without_comments(source) == sent
    made = Files()
    assert made.packed_bytes()["js/main.js"] == len(
        gzip.compress(without_comments(MAIN.read_bytes()), 9, mtime=0)
    )
    vendor = MAIN.parents[1] / "vendor" / "uplot-1.6.32" / "uPlot.min.css"
    assert made.packed_bytes()["vendor/uplot-1.6.32/uPlot.min.css"] == len(
        gzip.compress(vendor.read_bytes(), 9, mtime=0)
    )
