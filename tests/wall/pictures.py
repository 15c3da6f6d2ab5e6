"""Makes docs/pictures anew from the story: `python -m tests.wall.pictures [FOLDER]`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

import config
from telemetry.windows import MS_NS, WINDOW_NS
from tests.wall.conftest import CHROMIUM_FLAGS
from tests.wall.long_story import SITE, tell_long_past
from tests.wall.storied_fleet import made_fleet, served, tell_incidents
from tests.wall.story import NOW_NS

DEFAULTS: Final = Path(config.__file__).parent / "defaults"
MORNING: Final = "#/meeting/morning-review%40tatpar.example/20261124T053000Z"
YESTERDAY: Final = "#/meeting/morning-review%40tatpar.example/20261123T053000Z"
_WIDE: Final = (1600, 900, 1)
_PHONE: Final = (390, 844, 2)
_Look = tuple[str, tuple[int, int, int]]
STORY: Final[dict[str, _Look]] = {
    "wall-hi": ("/?lang=hi&theme=dark", _WIDE),
    "wall-en": ("/?lang=en&theme=dark", _WIDE),
    "wall-phone": ("/?lang=hi&theme=dark", _PHONE),
    "grid-en": ("/?lang=en&theme=light&view=grid", _WIDE),
    "meeting-hi": (f"/?lang=hi&theme=dark{MORNING}", _WIDE),
    "meeting-en": (f"/?lang=en&theme=light{MORNING}", _WIDE),
    "meeting-over-en": (f"/?lang=en&theme=light{YESTERDAY}", _WIDE),
    "meeting-over-hi": (f"/?lang=hi&theme=dark{YESTERDAY}", _WIDE),
    "meeting-phone": (f"/?lang=hi&theme=light{MORNING}", _PHONE),
    "meetings-hi": ("/?lang=hi&theme=dark#/meetings", _WIDE),
    "meetings-en": ("/?lang=en&theme=light#/meetings", _WIDE),
    "meetings-phone": ("/?lang=en&theme=dark#/meetings", _PHONE),
}
FAULTS: Final[dict[str, _Look]] = {
    "shared-map-en": ("/?lang=en&theme=dark", _WIDE),
    "shared-hi": ("/?lang=hi&theme=dark#/incidents", _WIDE),
    "shared-en": ("/?lang=en&theme=light#/incidents/6924-2", _WIDE),
    "shared-phone": ("/?lang=hi&theme=light#/incidents/6924-2", _PHONE),
}
_LINE: Final = f"#/site/{SITE}?path=main.state"
_ONE: Final = (NOW_NS - NOW_NS % WINDOW_NS - 4 * WINDOW_NS) // MS_NS
LONG: Final[dict[str, _Look]] = {
    "site-en": (f"/?lang=en&theme=dark{_LINE}&range=1d", (1920, 1440, 1)),
    "site-weeks-hi": (f"/?lang=hi&theme=light{_LINE}&range=8w", (1920, 1440, 1)),
    "site-report-en": (
        f"/?lang=en&theme=light{_LINE}&from={_ONE}&to={_ONE + 15_000}&at={_ONE}",
        (1920, 1500, 1),
    ),
    "site-phone": (f"/?lang=hi&theme=dark{_LINE}&range=1d", (390, 1700, 2)),
}
"""Name: address, and width and height in CSS px, dots a px. The second lot has shared faults in its story, the third one office's eight weeks."""
_DRAWN: Final = ".u-wrap canvas, .verdicts tr, .wall .bar, .past-table tr, .case .story"


def make(folder: Path) -> None:
    """Write every picture into a folder."""
    with tempfile.TemporaryDirectory() as data:
        shutil.copytree(DEFAULTS, Path(data) / "config")
        with (Path(data) / "config" / "people.csv").open("a", encoding="utf-8") as people:
            people.write("noc-duty,Meera Singh,noc,all,hi,noc@office.example,,mail,,,\n")
        settings = Path(data) / "config" / "tatpar.toml"
        with made_fleet(Path(data), settings) as fleet:
            with served(fleet) as url:
                take(url, folder, STORY)
            tell_incidents(fleet)
            with served(fleet) as url:
                take(url, folder, FAULTS)
        with made_fleet(Path(data) / "long") as fleet:
            tell_long_past(fleet)
            tell_incidents(fleet)
            while fleet.store.maintain(NOW_NS):
                pass
            with served(fleet) as url:
                take(url, folder, LONG)


def take(url: str, folder: Path, pictures: dict[str, _Look]) -> None:
    """Look at a wall."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        for name, (place, (width, height, scale)) in pictures.items():
            page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
            page.goto(url + place)
            page.wait_for_selector(_DRAWN, state="attached")
            if "view=grid" in place:
                page.keyboard.press("g")
            page.evaluate("document.fonts.ready")
            if "#/site/" in place:
                page.wait_for_timeout(4000)  # what is usual comes after the charts
            page.wait_for_timeout(600)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
            smaller(folder / f"{name}.png")
        browser.close()


def smaller(file: Path) -> None:
    """256 colours, which the wall's flat ones are shown in without loss to the eye."""
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs" / "pictures"
    make(target)
