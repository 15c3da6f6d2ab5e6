"""The sign-in in a real browser: by keyboard, in both languages, and without a barrier."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from dashboards.wall.access import tokens
from telemetry.access import WallLink
from telemetry.windows import DAY_NS
from tests.wall.access.conftest import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser

expect.set_options(timeout=60_000)  # its own would be 5 s, whatever a page is told
PICTURES = os.environ.get("TATPAR_PICTURES", "")
"""A folder for pictures of it."""
AXE = Path(__file__).parents[1] / "vendor" / "axe-core-4.14.1" / "axe.min.js"


@pytest.mark.parametrize(
    ("look", "other", "out"),
    [(("hi-IN", "dark"), "English", "Sign out"), (("en-GB", "light"), "हिन्दी", "साइन आउट")],
)
def test_in_and_out_by_keyboard(browser: Browser, closed: Any, look: Any, other: str, out: str) -> None:
    """Name, password, Enter: the wall in the language that was chosen, with who it is and the way out; no violation that axe knows, wide or on a phone."""
    locale, scheme = look
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
    page.get_by_role("link", name=other).click()
    page.wait_for_url("**/sign-in?lang=*")
    name = page.locator("input[name=name]")
    expect(name).to_be_focused()  # by itself, once the page has been drawn
    page.keyboard.type("asha")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(name).to_be_focused()
    page.keyboard.type("asha")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".visitor-name")).to_contain_text("asha")
    page.get_by_role("button", name=out).click()
    page.wait_for_url("**/sign-in")
    context.close()


def test_from_another_site_one_may_look_and_not_act(browser: Browser, closed: Any) -> None:
    """A link to a view in somebody's mail opens that view, and a link for the big screen the wall; a form there does nothing."""
    elsewhere = "http://mail.example/"
    token = tokens.new_token()
    link = WallLink(
        id="mailed", label="by mail", made_by="noor", made_ns=1, until_ns=closed.clock.now_ns() + DAY_NS
    )
    closed.state.put_link(tokens.hash_of(token), link)
    context = browser.new_context(locale="en-GB")
    context.route(
        f"{elsewhere}**",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<a href="{closed.url}/look/{token}">screen</a> <a href="{closed.url}/#/site/agra">view</a>'
            f'<form method="post" action="{closed.url}/sign-out"><button>forged</button></form>',
        ),
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(elsewhere)
    page.get_by_role("link", name="screen").click()
    expect(page.locator(".visitor-name")).to_contain_text("by mail")
    context.clear_cookies()
    page.goto(f"{closed.url}/sign-in?lang=en")
    page.get_by_label("Name").fill("ravi")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.locator(".visitor-name")).to_contain_text("ravi")
    page.goto(elsewhere)
    page.get_by_role("button", name="forged").click()
    expect(page.locator("body")).to_contain_text("not sent by a page of this wall")
    page.goto(elsewhere)
    page.get_by_role("link", name="view").click()
    expect(page.locator(".visitor-name")).to_contain_text("ravi")
    assert page.url.endswith("/#/site/agra")
    context.close()
