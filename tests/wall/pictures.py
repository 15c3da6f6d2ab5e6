"""Makes docs/pictures anew from the story: `python -m tests.wall.pictures [FOLDER]`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tests.wall.conftest import CHROMIUM_FLAGS
from tests.wall.storied_fleet import made_fleet, served

MORNING: Final = "#/meeting/morning-review%40tatpar.example/20261124T053000Z"
PICTURES: Final = {
    "wall-hi": ("/?lang=hi&theme=dark", 1600, 900, 1),
    "wall-en": ("/?lang=en&theme=dark", 1600, 900, 1),
    "wall-phone": ("/?lang=hi&theme=dark", 390, 844, 2),
    "meeting-hi": (f"/?lang=hi&theme=dark{MORNING}", 1920, 1080, 1),
    "site-en": ("/?lang=en&theme=dark#/site/rampur?range=1h&path=main.state", 1920, 1080, 1),
}
"""Name: address, width and height in CSS px, dots a px."""


def make(folder: Path) -> None:
    """Write every picture into a folder."""
    with tempfile.TemporaryDirectory() as data, made_fleet(Path(data)) as fleet, served(fleet) as url:
        take(url, folder)


def take(url: str, folder: Path) -> None:
    """Look at a wall."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        for name, (place, width, height, scale) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
            page.goto(url + place)
            page.wait_for_selector(".u-wrap canvas, .verdicts tr, .bar", state="attached")
            page.evaluate("document.fonts.ready")
            page.wait_for_timeout(600)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs" / "pictures"
    make(target)
