"""Makes docs/pictures/digest-hi.png and -en.png: a meeting's digests as mails. `python -m tests.digest.pictures [FOLDER]`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from reports.digest import after, before
from reports.digest_document import document
from reports.digest_mail import html
from telemetry.decisions import OutcomeState
from tests.digest.desk import Desk, ns
from tests.wall.conftest import CHROMIUM_FLAGS


def pages(folder: Path) -> dict[str, str]:
    """By language, both digests of a made-up meeting, one below the other."""
    desk = Desk(folder)
    desk.says()
    desk.forecasts()
    failed, held = OutcomeState.FAILED, OutcomeState.HELD
    desk.came_out(agra=held, etah=failed, mathura=failed, hathras=OutcomeState.UNSETTLED)
    config, occurrence = desk.live.current, desk.occurrence()
    both = [
        (before(config, desk.state, occurrence), "10:00"),
        (after(config, desk.state, occurrence), "13:00"),
    ]
    found = {
        language: "".join(html(document(one, config, language, ns(at))) for one, at in both)
        for language in ("hi", "en")
    }
    desk.state.close()
    return found


def make(folder: Path) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        shown = browser.new_page(viewport={"width": 720, "height": 400})
        for language, page in pages(Path(scratch)).items():
            shown.set_content(page)
            shown.evaluate("document.fonts.ready")
            shown.screenshot(path=folder / f"digest-{language}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs" / "pictures")
