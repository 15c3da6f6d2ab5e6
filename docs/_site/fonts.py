"""The fonts of the wall beside the pages: no page asks another machine for anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FONTS: Final = Path(__file__).parents[2] / "dashboards" / "wall" / "static" / "fonts"


def setup(app: Sphinx) -> dict[str, Any]:
    """Copy them when the pages are written."""
    app.connect("build-finished", _copy_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _copy_fonts(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        place = Path(app.outdir) / "_static" / "fonts"
        place.mkdir(parents=True, exist_ok=True)
        for font in FONTS.glob("*.woff2"):
            shutil.copyfile(font, place / font.name)
