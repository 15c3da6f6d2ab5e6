"""Whether the wall can be trusted and read at a glance, in a real Chromium: old pictures, lines degraded now, a phone, a full day."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

import config
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.state.held_back import HELD_BACK, HELD_SINCE
from telemetry.state.store_away import UNSTORED
from telemetry.windows import HOUR_NS, SECOND_NS
from tests.wall.conftest import at_rest
from tests.wall.crowded import write_meetings
from tests.wall.story import PATHS, STORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
LATE_NS = 120 * SECOND_NS


@pytest.fixture
def looked_at(page: Page, fleet: Any) -> Page:
    """The wall in English, all parts of the house just heard, all offices but two just heard."""
    beat(fleet, "watch", "collector", "alerts")
    fleet.report([site for site in fleet.linked if site not in {"lalitpur", "auraiya"}])
    page.goto(f"{fleet.url}/?lang=en")
    page.wait_for_selector(".mark.is-ready:not(.old)")
    return page


def beat(fleet: Any, *roles: str, ago_ns: int = 0) -> None:
    for role in roles:
        fleet.state.beat(role, fleet.clock.now_ns() - ago_ns, {"reports": 1})


def bar(page: Page, until: Any, words: str) -> str:
    """What the bar says once it has these words."""
    until(
        page,
        f"!document.querySelector('.outage').hidden && document.querySelector('.outage').textContent.includes({words!r})",
    )
    return page.inner_text(".outage").replace("\u00a0", " ")


SILENT = [
    (["watch"], "the watch has not been heard since", True),
    (["collector"], "No reports are taken in since", True),
    (["alerts"], "Nobody is being told of anything", False),
    (["watch", "collector", "alerts"], "The hub stands still since", True),
]
"""Who is not heard, what is said of it, and whether the picture is old because of it."""


def test_a_silent_part_of_the_house_is_said_across_the_page(looked_at: Page, fleet: Any, until: Any) -> None:
    """Which part, since when; what is old loses its colours; heard again, the bar goes without a reload."""
    until(looked_at, "document.querySelector('.outage').hidden")
    for roles, words, old in SILENT:
        beat(fleet, *roles, ago_ns=LATE_NS)
        assert re.search(r"\d\d:\d\d", bar(looked_at, until, words))
        assert looked_at.evaluate("document.documentElement.classList.contains('stopped')") is old
        beat(fleet, *roles)
        until(looked_at, "document.querySelector('.outage').hidden")


def test_a_store_that_does_not_answer_is_said_with_the_age_of_what_is_shown(
    looked_at: Page, fleet: Any, until: Any
) -> None:
    """The collector is heard and can store nothing: the counts stay as they were, without their colours, until it can."""
    before = looked_at.inner_text(".counts")
    assert "ready" in before
    now_ns = fleet.clock.now_ns()
    fleet.state.beat("collector", now_ns, {UNSTORED: now_ns - LATE_NS})
    said = bar(looked_at, until, "The hub's own store does not answer since")
    assert re.search(r"since \d\d:\d\d: what you see is the last known state, 2 min( \d+ s)? old\.", said)
    assert looked_at.evaluate("document.documentElement.classList.contains('stopped')")
    assert looked_at.inner_text(".counts") == before
    fleet.state.beat("collector", now_ns, {UNSTORED: now_ns - 26 * HOUR_NS})
    assert re.search(
        r"since \d{1,2} [A-Z][a-z]+ \d\d:\d\d: .*, 1 day 2 h old\.", bar(looked_at, until, "1\u00a0day")
    ), "not of today"
    beat(fleet, "collector")
    until(looked_at, "document.querySelector('.outage').hidden")


def test_all_clears_that_are_held_back_are_said_across_the_page(
    looked_at: Page, fleet: Any, until: Any
) -> None:
    """How many wait, since when and why; the picture keeps its colours, and once they are sent the bar goes."""
    now_ns = fleet.clock.now_ns()
    fleet.state.beat("alerts", now_ns, {HELD_BACK: 2, HELD_SINCE: now_ns - LATE_NS})
    said = bar(looked_at, until, "all-clears have waited since")
    assert re.match(r"2 all-clears have waited since \d\d:\d\d: the watch lags behind", said)
    assert not looked_at.evaluate("document.documentElement.classList.contains('stopped')")
    assert "alerts (" not in looked_at.inner_text(".incidents")
    looked_at.keyboard.press("h")
    assert "संदेश रुके हैं" in bar(looked_at, until, "संदेश रुके हैं")
    looked_at.keyboard.press("h")
    beat(fleet, "alerts")
    until(looked_at, "document.querySelector('.outage').hidden")


def test_notes_of_failures_and_imports_are_no_silent_parts(looked_at: Page, fleet: Any, until: Any) -> None:
    """Nobody repeats them, so their age says nothing; a part that is not known here is still missed at the foot."""
    fleet.state.put_flags([], fleet.clock.now_ns())
    beat(fleet, "failure:watch", "import", "desk", ago_ns=LATE_NS)
    until(
        looked_at, "document.querySelector('.incidents').textContent.includes('Not heard from since: desk (')"
    )
    assert "failure" not in looked_at.inner_text(".incidents")
    assert "import" not in looked_at.inner_text(".incidents")
    fleet.state.forget_beats(["failure:watch", "import", "desk"])


def test_offices_that_fall_silent_all_at_once_are_our_own_trouble(page: Page, fleet: Any, until: Any) -> None:
    """The collector beats and nothing comes of any office: the page never calls that ready, whatever the verdicts say."""
    page.goto(f"{fleet.url}/?lang=en")
    page.wait_for_selector(".mark")
    beat(fleet, "watch", "collector", "alerts")
    then = f"Date.now() - {10 * LATE_NS // 10**6}"
    page.evaluate(
        f"""async () => {{ const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {{model, takeChange, now}} = await import(script);
        const heard = Object.keys(model.tiles).filter(site => model.tiles[site].newest_ms && model.tiles[site].shade !== 'dark');
        const offset = now() - Date.now();
        takeChange({{tiles: Object.fromEntries(heard.map(site => [site, {{newest_ms: {then} + offset}}]))}}); }}"""
    )
    said = bar(page, until, "fell silent at once")
    assert re.match(r"55 of 55 offices fell silent at once, the newest report is of \d\d:\d\d\.", said)
    assert page.evaluate("getComputedStyle(document.querySelector('.counts')).filter") == "grayscale(1)"
    assert "old data" not in page.inner_text(".rows")


def test_list_and_foot_reckon_a_line_that_degrades_together(looked_at: Page, fleet: Any, until: Any) -> None:
    """A flag whose office is still called ready: it is in the list in the same moment in which the foot counts it."""
    page = looked_at
    reason = Reason(code=ReasonCode.LOSS_UP, value=0.05, unit="ratio", path=PATHS[0])
    now_ns = fleet.clock.now_ns()
    flag = Flag(site="agra", path=PATHS[0], reason=reason, since_ns=now_ns, seen_ns=now_ns)
    rose = structs.replace(flag, site="basti", reason=structs.replace(reason, code=ReasonCode.MOVED_RTT))
    assert not {"agra", "basti"} & set(STORY)
    page.evaluate(
        """() => { window.seen = []; const look = () => { const rows = [...document.querySelectorAll('.rows .name')].map(n => n.textContent);
        window.seen.push([document.querySelector('.incidents').textContent.includes('1 office has a degraded line'), rows.includes('Agra')]); };
        new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true}); }"""
    )
    fleet.state.put_flags([flag, rose], now_ns)
    until(page, "document.querySelector('.incidents').textContent.includes('1 office has a degraded line')")
    seen = page.evaluate("window.seen")
    assert [True, True] in seen
    assert [True, False] not in seen
    row = page.locator(".rows .row.line")
    assert (row.text_content() or "").startswith("Agraready")
    assert "Loss, uplink 5\u00a0%" in (row.text_content() or "")
    heading = page.locator(".rows .group", has_text="Line degraded now")
    assert heading.count() == 1
    fleet.state.put_flags([], fleet.clock.now_ns())
    until(page, "!document.querySelector('.rows .row.line')")


@pytest.mark.parametrize("language", ["hi", "en"])
def test_a_phone_keeps_most_of_its_screen_for_the_list(page: Page, fleet: Any, language: str) -> None:
    """The header takes under a fifth of it, and cuts none of its words."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{fleet.url}/?lang={language}")
    page.wait_for_selector(".rows .row")
    at_rest(page)
    assert page.evaluate("document.querySelector('.top').offsetHeight") < 844 / 5
    words = "[...document.querySelectorAll('.top :is(.count span, .next-title, .clock, button)')].filter(e => e.checkVisibility())"
    assert page.evaluate(f"{words}.length") >= 7
    assert (
        page.evaluate(
            f"{words}.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.textContent)"
        )
        == []
    )
    boxes = page.evaluate(
        f"{words}.map(e => {{ const b = e.getBoundingClientRect(); return [b.left, b.right]; }})"
    )
    assert all(left >= 0 and right <= 390 for left, right in boxes)


def test_no_title_of_an_ordinary_full_day_is_cut(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any]
) -> None:
    """Six meetings with long titles, two of them at once and three in a row: lanes are opened until each has its words."""
    shutil.copytree(Path(config.__file__).parent / "defaults", tmp_path / "config")
    folder = tmp_path / "config" / "meetings"
    for file in folder.glob("*.ics"):
        file.unlink()
    day = [("0930", 45), ("1030", 45), ("1030", 60), ("1130", 90), ("1500", 60), ("1730", 45)]
    write_meetings(folder, [(f"of the week {n}", start, long, "all") for n, (start, long) in enumerate(day)])
    (tmp_path / "data").mkdir()
    made = make_fleet(tmp_path / "data", tmp_path / "config" / "tatpar.toml", story=False)
    with made as fleet, serve_page(fleet) as url:
        for width, height in ((1920, 1080), (1366, 768)):
            page.set_viewport_size({"width": width, "height": height})
            for language in ("hi", "en"):
                page.goto(f"{url}/?lang={language}")
                page.wait_for_selector(".bar-title")
                at_rest(page)
                cut = "e => !e.checkVisibility() || e.scrollWidth > e.clientWidth + 1"
                titles = "[...document.querySelectorAll('.bar .bar-title')]"
                assert page.evaluate(f"{titles}.length") == 2 * len(day)
                assert page.evaluate(f"{titles}.filter({cut}).map(e => e.textContent)") == []


def test_the_loss_can_be_read_on_a_laptop(page: Page, fleet: Any, until: Any) -> None:
    """At 1366 × 768 the loss has an inch of height, and the words of its axis do not touch."""
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{fleet.url}/?lang=en#/site/rampur?path=main.state&range=1h")
    page.wait_for_selector(".u-wrap canvas")
    plot = ".charts figure:first-of-type .u-over"
    until(page, f"document.querySelector({plot!r}).offsetHeight >= 96")


def test_a_past_frequency_is_not_taken_for_the_forecast(page: Page, fleet: Any) -> None:
    """What failed in past weeks is said to be of past weeks; the forecast has its own heading."""
    assert fleet.state is not None
    page.goto(f"{fleet.url}/?lang=en")
    page.wait_for_selector(".rows .row")
    assert page.inner_text(".measured") == "Chance to hold"
    row = page.locator(".rows .row", has_text="Mainpuri").text_content() or ""
    assert "failed in 2 of 8 weeks" in row
    page.goto(f"{fleet.url}/?lang=en#/site/mainpuri")
    page.wait_for_selector(".site-head .facts")
    assert "at risk · 83\u00a0% chance to hold" in page.inner_text(".site-head .facts")
