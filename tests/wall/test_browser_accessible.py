"""WCAG A and AA by axe-core, in Chromium, on every page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.wall.web.files import Files

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
PAGES = {
    "map": ("#/", ""),
    "grid": ("#/", "g"),
    "help": ("#/", "?"),
    "meeting": ("#/meeting/morning-review%40tatpar.example/20261124T053000Z", ""),
    "site": ("#/site/rampur?range=1h", ""),
    "planned": ("#/site/shamli", ""),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("look", [("hi", "dark", 1920), ("en", "light", 390)])
def test_axe_finds_nothing(browser: Browser, fleet: Any, name: str, look: tuple[str, str, int]) -> None:
    """No violation of WCAG 2.2 A or AA, nor of axe's best practices, in both themes and languages, wide and phone."""
    language, theme, width = look
    context = browser.new_context(viewport={"width": width, "height": 1080}, bypass_csp=True)
    page = context.new_page()
    address, key = PAGES[name]
    page.goto(f"{fleet.url}/?lang={language}&theme={theme}{address}")
    page.wait_for_selector(
        ".mark, .tile, .verdicts tr, .u-wrap canvas, .charts .nothing:not([hidden])", state="attached"
    )
    page.wait_for_timeout(300)
    if key:
        page.keyboard.press(key)
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    context.close()
    assert [
        (
            one["id"],
            one["help"],
            [node["html"][:160] + " || " + str(node["failureSummary"])[:240] for node in one["nodes"][:4]],
        )
        for one in found["violations"]
    ] == []


def test_the_front_end_stays_small() -> None:
    """All files together travel in under 300 kB packed, the page without charts and fonts in under 60 kB."""
    sizes = Files().packed_bytes()
    licences = {name for name in sizes if name.endswith(".txt")}
    assert sum(size for name, size in sizes.items() if name not in licences) < 300_000
    own = sum(
        size
        for name, size in sizes.items()
        if name.endswith((".js", ".css", ".html")) and "vendor" not in name
    )
    assert own < 60_000
