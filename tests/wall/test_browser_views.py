"""A meeting that is over, a phone, a fleet of thousands and a stream that slept, in a real Chromium."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import config
from telemetry.decisions import Reason, ReasonCode, State
from telemetry.windows import SECOND_NS
from tests.wall.conftest import at_rest, text_of
from tests.wall.crowded import write_fleet
from tests.wall.storied_fleet import made_fleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MORNING = "#/meeting/morning-review%40tatpar.example/20261124T053000Z"
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
YESTERDAY = "#/meeting/morning-review%40tatpar.example/20261123T053000Z"


def test_a_meeting_says_how_its_forecast_moved_and_what_came_true(page: Page, faulty: Any) -> None:
    """From the list of meetings to one that is over: four horizons, the 2 × 2 of said and came true, surprises first."""
    page.goto(f"{faulty.url}/?lang=en#/meetings")
    page.wait_for_selector(".past-table tbody tr")
    assert page.locator(".meeting-card").count() == 6
    assert page.locator(".meetings-page .bar").count() == 6
    page.emulate_media(media="print")
    assert page.locator(".views:visible, .controls:visible").count() == 0
    assert page.locator(".past-table:visible, .meeting-card:visible").count() == 7
    page.emulate_media(media="screen")
    page.click(f'.past-table a[href="{YESTERDAY}"]')
    page.wait_for_selector(".came-true")
    cells = [int(n) for n in page.locator(".crossed td b").all_text_contents()]
    said = text_of(page, ".came-true p")
    assert said.startswith(f"{cells[0] + cells[3]} of {sum(cells)} forecasts right")
    assert [t.split("\n")[0] for t in page.locator(".moved li").all_inner_texts()] == [
        "24 h before", "2 h before", "30 min before", "10 min before",
    ]  # fmt: skip
    came = page.locator(".verdicts tbody tr").evaluate_all("rows => rows.map(row => row.dataset.came ?? '')")
    assert came[: cells[1]] == ["missed"] * cells[1]
    assert came.count("false_alarm") == cells[2]
    told = page.locator(".verdicts tbody tr:has-text('Rampur') .move .sr").text_content() or ""
    assert told.replace("\u00a0", " ").startswith("24 h before 92 %, 2 h before")
    assert page.locator(".rehearsal:visible").count() == 0
    page.keyboard.press("2")
    page.click(f'.meeting-card[href="{MORNING}"]')
    page.wait_for_selector(".verdicts tbody tr")
    assert page.locator(".moved li").count() == 3
    told = page.locator(".verdicts tbody tr:has-text('Rampur') .move .sr").text_content() or ""
    assert told.replace("\u00a0", " ") == "24 h before 94 %, 2 h before 90 %, now 31 %"


def test_a_meeting_that_is_over_tells_an_outage_as_one(page: Page, faulty: Any) -> None:
    """Who lost every packet for ten minutes: for how long, of how long, and what broke beside it; who was only poor: how many windows broke."""
    page.goto(f"{faulty.url}/?lang=en#/meetings")
    page.click(f'.past-table a[href="{YESTERDAY}"]')
    page.wait_for_selector(".came-true")
    told = page.locator(".verdicts .col-outcome small").all_text_contents()
    said = {one.replace("\u00a0", " ").strip() for one in told}
    assert any(
        one.startswith("Line down for 10 min of ") and one.endswith("· 21 of 240 windows broken")
        for one in said
    ), said
    assert "61 of 240 windows broken" in said


def test_a_page_that_slept_says_so_and_takes_up_what_it_missed(page: Page, faulty: Any, until: Any) -> None:
    """The network is gone and comes back: a bar while what is shown is old, then the missed change, without a reload."""
    page.clock.install()
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    page.evaluate("window.notReloaded = true")
    stop = "(async () => (await import(document.querySelector('script[type=module]').src.replace('main.js', 'stream.js'))).sleep())()"
    page.evaluate(stop)
    page.clock.fast_forward(14_000)
    page.wait_for_selector(".outage:visible")
    faulty.decide("hardoi", State.NOT_READY, 0.11, Reason(code=ReasonCode.OUTAGE))
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_selector('.marks a[href="#/site/hardoi"].is-not_ready')
    page.clock.fast_forward(1000)
    until(page, "document.querySelector('.outage').hidden")
    assert page.evaluate("window.notReloaded") is True
    faulty.decide("hardoi", State.READY, 0.95)


def the_canvas_is_for_the_keyboard(page: Page) -> None:
    """One stop of the Tab key; arrows go to offices in that direction, each said and shown in the card; Enter opens, Escape returns."""
    pin = page.locator(".pin")
    assert pin.count() == 1
    pin.focus()
    seen = []
    for key, axis, sign in (
        ("ArrowRight", "x", 1),
        ("ArrowLeft", "x", -1),
        ("ArrowDown", "y", 1),
        ("ArrowUp", "y", -1),
    ):
        before, was = pin.bounding_box(), pin.get_attribute("aria-label")
        page.keyboard.press(key)
        after, said = pin.bounding_box(), pin.get_attribute("aria-label")
        assert before is not None
        assert after is not None
        assert said
        assert page.locator(".pin:focus").count() == 1
        assert (sign * (after[axis] - before[axis]) > 0) == (said != was)  # type: ignore[literal-required]
        name = page.locator(".card.shown strong").text_content() or ""
        assert name.strip() in said
        seen.append(said)
    assert len(set(seen)) > 2
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run('.map-frame')).violations.map((one) => one.id)")
    assert found == []
    href = pin.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_selector(".site-page h2")
    assert page.evaluate("location.hash") == href
    page.keyboard.press("Escape")
    page.wait_for_selector(".dense canvas")


def test_five_thousand_offices_stay_usable(
    page: Page, tmp_path: Path, serve_page: Callable[..., Any], until: Any
) -> None:
    """Dots on one canvas, tiles that keep their places, an office that reports shows it, and the keys still work."""
    shutil.copytree(Path(config.__file__).parent / "defaults", tmp_path / "config")
    write_fleet(tmp_path / "config", 5000)
    (tmp_path / "data").mkdir()
    with (
        made_fleet(tmp_path / "data", tmp_path / "config" / "tatpar.toml", story=False) as fleet,
        serve_page(fleet) as url,
    ):
        page.goto(f"{url}/?lang=en")
        page.wait_for_selector(".dense canvas")
        at_rest(page)
        more = page.inner_text(".attention .more").replace(",", "")
        rows = page.locator(".rows li:visible .row").count()
        assert rows + int(re.search(r"\d+", more)[0]) == len(fleet.linked)
        assert page.locator(".mark, .tile").count() == 0
        assert page.evaluate("document.querySelectorAll('*').length") < 6000
        the_canvas_is_for_the_keyboard(page)
        page.keyboard.press("g")
        page.wait_for_selector(".tile")
        assert page.locator(".tile").count() == len(fleet.linked)
        where = "[...document.querySelectorAll('.tile')].slice(0, 60).map(t => t.offsetTop + ' ' + t.offsetLeft).join()"
        before = page.evaluate(where)
        first = page.locator(".tile").first.get_attribute("data-site")
        fleet.report([first])
        page.wait_for_selector('.tile[data-shade="ready"]')
        until(page, "document.querySelector('.tile .age').textContent !== ''")
        assert page.evaluate(where) == before
        page.locator(".tile").last.scroll_into_view_if_needed()
        last = page.locator(".tile").last.get_attribute("data-site")
        fleet.report([last])
        until(page, "[...document.querySelectorAll('.tile')].at(-1).dataset.shade === 'ready'")
        assert page.evaluate("document.documentElement.scrollWidth") == 1920


def test_on_a_phone_the_next_meeting_comes_first(
    page: Page, told_story: Path, tmp_path: Path, serve_page: Callable[..., Any]
) -> None:
    """What is over is folded below it, opens with a touch, and stays as it was left when the list is drawn anew."""
    shutil.copytree(told_story, tmp_path / "data")
    with made_fleet(tmp_path / "data", story=False) as later:
        later.clock.advance(5 * 3600 * SECOND_NS)  # quarter past three in the afternoon
        with serve_page(later) as url:
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(f"{url}/?lang=en#/meetings")
            page.wait_for_selector(".day-over summary")
            times = page.locator(".day-list").first.locator(".meeting-card:visible time")
            assert times.all_inner_texts() == ["14:00", "18:00"]
            assert text_of(page, ".day-over summary") == "1 is over"
            page.click(".day-over summary")
            page.wait_for_selector(".day-over .meeting-card:visible")
            page.keyboard.press("h")
            page.wait_for_selector(".day-over summary:has-text('1 हो चुकी')")
            assert times.all_inner_texts() == ["14:00", "18:00", "11:00"]
            assert page.evaluate("document.documentElement.scrollWidth") == 390
