"""The fonts of a report, which travel with it."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "fonts"
LATIN: Final = "Noto Sans"
DEVANAGARI: Final = "Noto Sans Devanagari"
_FILES: Final = {
    (LATIN, 400): "NotoSans-Regular",
    (LATIN, 700): "NotoSans-Bold",
    (DEVANAGARI, 400): "NotoSansDevanagari-Regular",
    (DEVANAGARI, 700): "NotoSansDevanagari-Bold",
}


def truetype_files() -> list[Path]:
    """For what draws by itself."""
    return [FOLDER / f"{name}.ttf" for name in _FILES.values()]


@cache
def faces() -> str:
    """The `@font-face` rules with the fonts inside, so that the page asks nobody for them."""
    return "\n".join(_face(family, weight, name) for (family, weight), name in _FILES.items())


def _face(family: str, weight: int, name: str) -> str:
    content = b64encode((FOLDER / f"{name}.woff2").read_bytes()).decode("ascii")
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: swap; '
        f'src: url("data:font/woff2;base64,{content}") format("woff2"); }}'
    )
