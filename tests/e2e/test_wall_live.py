"""The wall over the running house, in Chromium: a link is broken, and the office's mark changes by itself."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.browser]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def mark(page: Page, site: str) -> str:
    """The classes of an office's mark on the map."""
    return page.locator(f'.marks a[href="#/site/{site}"]').get_attribute("class") or ""


def is_unwell(page: Page, site: str) -> bool:
    return bool({"is-not_ready", "is-at_risk"} & set(mark(page, site).split()))


def until(page: Page, what: str, within_s: float, holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if holds():
            return
        page.wait_for_timeout(250)
    pytest.fail(f"not within {within_s:g} s: {what}")


def test_the_mark_of_a_broken_office_changes_without_a_reload(
    deployment: Any, eventually: Callable[..., float], program: Callable[[str], str]
) -> None:
    """Loss on one uplink turns the office's mark, and the reason stands beside it, in the page that was open all the time."""
    from playwright.sync_api import sync_playwright

    deployment.write()
    deployment.start("up", "--lab", "--history", "0", "--port", "0")
    eventually("the wall's address", 120, lambda: re.search(r"wall: http://\S+", deployment.said("up")))
    address = re.search(r"wall: (http://\S+)", deployment.said("up"))
    assert address is not None
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address[1]}?lang=en")
        page.wait_for_selector(".marks a")
        until(page, "etah is ready", 240, lambda: "is-ready" in mark(page, "etah"))
        page.evaluate("window.neverReloaded = true")
        broken = deployment.tatpar("lab", "break", "etah", "--loss", "0.3", "--direction", "up", config=False)
        assert broken.returncode == 0, broken.stderr
        until(page, "etah is unwell", 240, lambda: is_unwell(page, "etah"))
        until(
            page, "the reason is shown", 60, lambda: "Loss, uplink" in str(page.locator("body").inner_text())
        )
        assert "is-ready" in mark(page, "agra")
        assert page.evaluate("window.neverReloaded") is True
        assert all(url.startswith((address[1], "data:")) for url in asked)
        browser.close()
