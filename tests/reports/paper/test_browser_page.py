"""The page in Chromium: WCAG A and AA by axe-core, and nothing wider than a telephone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.paper import html
from tests.conftest import find_program
from tests.wall.conftest import CHROMIUM_FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.document import Document

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "wall" / "vendor" / "axe-core-4.14.1" / "axe.min.js"


def test_everybody_can_read_it(make_document: Callable[..., Document], tmp_path: Path) -> None:
    """No violation in light and dark, wide and on a telephone, where only tables scroll sideways."""
    from playwright.sync_api import sync_playwright

    file = tmp_path / "report.html"
    file.write_text(html(make_document(offices=8)), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=find_program("chromium"), args=CHROMIUM_FLAGS, timeout=60_000
        )
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = browser.new_context(
                viewport={"width": width, "height": 1000},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(file.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
            found = page.evaluate("axe.run({resultTypes: ['violations']})")
            assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
            context.close()
        browser.close()
