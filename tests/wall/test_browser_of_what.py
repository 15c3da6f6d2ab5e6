"""Of what a number is, in a real Chromium: the counts of the head, an office's chance and loss, charts that are still being made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


WORDS = {
    "en": "All offices, each for its next meeting",
    "hi": "सभी कार्यालय, हर एक अपनी अगली मीटिंग के लिए",
}


@pytest.mark.parametrize(("language", "width"), [("en", 1366), ("hi", 1366), ("hi", 390)])
def test_the_head_says_of_what_it_counts(
    page: Page, fleet: Any, until: Any, language: str, width: int
) -> None:
    """All offices beside the next meeting's own, which are those of its bar in the strip; no word is cut."""
    words = WORDS[language]
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{fleet.url}/?lang={language}")
    page.wait_for_selector(".timeline .bar", state="attached")
    until(page, "document.querySelector('.next-ready b')")
    assert page.inner_text(".counts-of") == words
    assert page.get_by_role("list", name=words).is_visible()
    coming = page.locator(".timeline .bar:not(.over)").first
    assert page.inner_text(".next-ready b") == coming.locator("b").text_content()
    assert page.locator(".next-ready .sr").text_content() == coming.locator(".sr").text_content()
    cut = "[...document.querySelectorAll('.counts-of, .next-ready b')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
    assert page.evaluate(f"{cut}.length") == 0


def test_an_office_says_of_which_meeting_its_chance_is(page: Page, fleet: Any, until: Any) -> None:
    """And of which directions and span its loss is: the reason above it speaks of one direction, since a time."""
    page.goto(f"{fleet.url}/?lang=en#/site/rampur?range=1h&path=main.state")
    until(page, "document.querySelector('.facts-list')?.innerText.includes('newest 15')")
    head = page.inner_text(".site-head")
    assert "31\u00a0% chance to hold (Morning review, Tuesday 24 November, 11:00)" in head
    assert "Loss, uplink" in head
    assert "% (both directions together, newest 15\u00a0s)" in page.inner_text(".facts-list")


def test_charts_have_their_titles_before_they_are_drawn(page: Page, fleet: Any, until: Any) -> None:
    """While what draws them is still on its way, each box says what will stand in it."""
    held: list[Route] = []
    page.route("**/uPlot.iife.min.js", lambda route: held.append(route))  # noqa: PLW0108 - a builtin cannot be a handler
    page.goto(f"{fleet.url}/?lang=en#/site/rampur?range=1h&path=main.state")
    until(page, "[...document.querySelectorAll('.charts figure')].some(f => f.checkVisibility())")
    assert held
    titles = page.locator(".charts figure b").all_inner_texts()
    assert len(titles) == 6
    assert all(titles)
    assert page.locator(".u-wrap").count() == 0
    for route in held:
        route.continue_()
    page.unroute("**/uPlot.iife.min.js")
    page.wait_for_selector(".u-wrap")
