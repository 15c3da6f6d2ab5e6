"""A rehearsal in a real Chromium: asked for, watched, and what it found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.wall.conftest import text_of
from tests.wall.storied_fleet import tell_rehearsal

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser
MORNING = "#/meeting/morning-review%40tatpar.example/20261124T053000Z"
EVENING = "#/meeting/evening-review%40tatpar.example/20261124T123000Z"


def drawn_anew(page: Page, until: Any) -> None:
    """The meeting's page after something has changed in it."""
    page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, takeChange} = await import(script);
        window.before = document.querySelector('.verdicts');
        const other = ([key, meeting]) => [key, {...meeting, stamp: `${meeting.stamp} and more`}];
        takeChange({meetings: Object.fromEntries(Object.entries(model.meetings).map(other))}); }"""
    )
    until(page, "!window.before.isConnected && document.querySelector('.verdicts')")


def test_a_rehearsal_asks_first_and_shows_its_progress(page: Page, faulty: Any, until: Any) -> None:
    """Nothing begins before the second press; offices come in as they are done; at the end what headquarters carried."""
    page.goto(f"{faulty.url}/?lang=en{MORNING}")
    page.click(".rehearsal-start button")
    page.wait_for_selector("dialog[open]")
    assert "Rehearse with 56 offices?" in text_of(page, "dialog[open]")
    page.keyboard.press("Escape")
    assert faulty.state.open_rehearsal() is None
    page.click(".rehearsal-start button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rehearsal-progress:has-text('about to begin')")
    asked = faulty.state.open_rehearsal().request.id
    tell_rehearsal(faulty, asked)
    page.wait_for_selector(".rehearsed li")
    assert text_of(page, ".rehearsal-progress") == "running · stage 1 of 2 · 3 of 56 offices done"
    assert (
        " ".join(text_of(page, ".rehearsed li:first-child").split())
        == "Rampur broke ↑ Video 360p ↓ Video 720p uplink: packets are lost"
    )
    assert "51 offices wait for their turn" in text_of(page, ".rehearsal-detail")
    assert page.locator(".rehearsal-start button").is_disabled()
    tell_rehearsal(faulty, asked, done=True)
    page.wait_for_selector(".rehearsal-progress:has-text('56 of 56 offices done')")
    assert "↑ 61 Mbit/s" in text_of(page, ".hub")
    page.set_viewport_size({"width": 1366, "height": 768})
    page.wait_for_selector(".rehearsal-detail.goes-on")  # its last line fades out, and is not cut through
    assert page.eval_on_selector(".rehearsal-detail", "e => getComputedStyle(e).maskImage") != "none"
    page.eval_on_selector(".rehearsal-detail", "e => { e.scrollTop = e.scrollHeight; }")
    page.wait_for_selector(".rehearsal-detail:not(.goes-on)")
    drawn_anew(page, until)
    page.wait_for_selector(".rehearsal-detail:not(.goes-on)")  # it stays where the reader has scrolled to
    assert page.evaluate("document.querySelector('.rehearsal-detail').scrollTop") > 0
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert page.locator(".rehearsal-start button").is_enabled()
    page.wait_for_selector(".verdicts .hint")
    told = text_of(page, ".verdicts tr:has([data-site='rampur']) .hint")
    assert told.endswith(": ↑ Video 360p ↓ Video 720p · uplink: packets are lost")
    assert text_of(page, ".verdicts tr:has([data-site='agra']) .hint").endswith(": ↑ Video 720p ↓ Video 720p")


def test_a_rehearsal_is_looked_at_once_at_a_time(page: Page, faulty: Any) -> None:
    """Another language is chosen while a look is on its way: one look follows, not two for ever. The meeting is one of its own, for the clock stands still, and newest would be either."""
    page.goto(f"{faulty.url}/?lang=en{EVENING}")
    page.click(".rehearsal-start button")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rehearsal-progress:has-text('about to begin')")
    looks: list[Route] = []

    def hold(look: Route) -> None:
        looks.append(look)

    def wait_for(count: int) -> None:
        end = time.monotonic() + 60
        while len(looks) < count:
            assert time.monotonic() < end, f"{len(looks)} looks, not {count}"
            page.wait_for_timeout(20)

    page.route("**/api/rehearsals/*", hold)
    wait_for(1)
    page.keyboard.press("h")
    wait_for(2)
    for look in looks:
        look.continue_()
    looks.clear()
    wait_for(1)
    page.wait_for_timeout(1000)  # a second loop would look within some milliseconds of the first
    assert len(looks) == 1
    tell_rehearsal(faulty, faulty.state.open_rehearsal().request.id, done=True)
    looks[0].continue_()
    page.wait_for_selector(".rehearsal-start button:enabled")
