"""WCAG A and AA by axe-core, in Chromium, on every page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.wall.web.files import Files
from tests.wall.conftest import at_rest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
PAGES = {
    "map": ("#/", ".mark, .tile", ""),
    "grid": ("#/", ".tile", "g"),
    "meetings": ("#/meetings", ".past-table tr", "m"),
    "meeting": ("#/meeting/morning-review%40tatpar.example/20261124T053000Z", ".verdicts tbody tr", ""),
    "meeting that is over": (
        "#/meeting/morning-review%40tatpar.example/20261123T053000Z",
        ".came-true",
        "",
    ),
    "shared fault": ("#/incidents/6925-1", ".case form", ""),
    "shared faults": ("#/incidents", ".case-line", ""),
    "site": ("#/site/rampur?range=1h", ".u-wrap canvas", ""),
    "raw reports": ("#/site/rampur?range=1h&at=1795495500000", ".reports-table tr", ""),
    "planned": ("#/site/shamli", ".site-page h2:has-text('Shamli'), .site-page h2:has-text('शामली')", ""),
    "help": ("#/", ".mark, .tile", "?"),
}
"""Address, what is waited for, and a key that is pressed; help is last because it stays open."""


WORDY = ["meetings", "meeting that is over", "shared fault", "site"]
"""Also asked in the other language at each width: where much text is set."""
LOOKS = [
    ("hi", "dark", 1920, [*PAGES]),
    ("en", "light", 390, [*PAGES]),
    ("hi", "light", 390, WORDY),
    ("en", "dark", 1920, WORDY),
]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}-{look[2]}")
def test_axe_finds_nothing(browser: Browser, faulty: Any, look: tuple[str, str, int, list[str]]) -> None:
    """No violation of WCAG 2.2 A or AA, nor of axe's best practices, on any view, in both themes and languages, wide and phone."""
    language, theme, width, asked = look
    context = browser.new_context(viewport={"width": width, "height": 1080}, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{faulty.url}/?lang={language}&theme={theme}#/")
    page.wait_for_selector(".mark, .tile", state="attached")
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    told = []
    for name in asked:
        address, waited, key = PAGES[name]
        page.evaluate("address => { location.hash = address; }", address)
        if key:
            page.keyboard.press(key)
        page.wait_for_selector(waited, state="attached")
        at_rest(page)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")
        told += [
            (name, one["id"], node["html"][:160], str(node["failureSummary"])[:240])
            for one in found["violations"]
            for node in one["nodes"][:4]
        ]
    context.close()
    assert told == []


def test_axe_finds_nothing_in_the_open_rehearsal(browser: Browser, faulty: Any) -> None:
    """The question that is asked first, on a telephone, in both languages and themes; and the progress behind it."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    told = []
    address, waited, _ = PAGES["meeting"]
    for language, theme in (("hi", "dark"), ("en", "light")):
        page.goto(f"{faulty.url}/?lang={language}&theme={theme}{address}")
        page.wait_for_selector(waited)
        page.click(".rehearsal-start button")
        page.wait_for_selector("dialog[open]")
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run('dialog[open]', {resultTypes: ['violations']})")
        assert found["passes"], "it looked at something"
        told += [(language, theme, one["id"], one["nodes"][0]["html"][:160]) for one in found["violations"]]
        page.keyboard.press("Escape")
    context.close()
    assert told == []


def test_the_front_end_stays_small() -> None:
    """All files together travel in under 300 kB packed, the page without charts and fonts in under 100 kB."""
    sizes = Files().packed_bytes()
    licences = {name for name in sizes if name.endswith(".txt")}
    assert sum(size for name, size in sizes.items() if name not in licences) < 300_000
    own = sum(
        size
        for name, size in sizes.items()
        if name.endswith((".js", ".css", ".html")) and "vendor" not in name
    )
    assert own < 100_000
