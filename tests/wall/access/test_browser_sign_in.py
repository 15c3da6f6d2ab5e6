"""The sign-in in a real browser: by keyboard, in both languages, and without a barrier."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.wall.access.conftest import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PICTURES = os.environ.get("TATPAR_PICTURES", "")
"""A folder for pictures of it."""
AXE = Path(__file__).parents[1] / "vendor" / "axe-core-4.14.1" / "axe.min.js"


@pytest.mark.parametrize(
    ("locale", "scheme", "out"), [("hi-IN", "dark", "साइन आउट"), ("en-GB", "light", "Sign out")]
)
def test_in_and_out_by_keyboard(browser: Browser, closed: Any, locale: str, scheme: Any, out: str) -> None:
    """Name, password, Enter: the wall, with who it is and the way out; no violation that axe knows, wide or on a phone."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale=locale, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(closed.url)
    page.wait_for_url("**/sign-in")
    page.add_script_tag(path=str(AXE))
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        found = page.evaluate(
            "async () => (await axe.run()).violations.map((one) => [one.id, one.nodes[0].html])"
        )
        assert found == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/sign-in-{locale[:2]}.png")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.keyboard.type("asha")  # the name has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.keyboard.type("asha")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".visitor-name")).to_contain_text("asha")
    page.get_by_role("button", name=out).click()
    page.wait_for_url("**/sign-in")
    context.close()
