"""The strip of meetings in a real Chromium: every meeting says when it is and how many of its offices are ready."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import config
from tests.wall.conftest import at_rest
from tests.wall.crowded import CROWD, write_crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WORDS = """() => [...document.querySelectorAll('.bar')].filter(bar => bar.checkVisibility()).map(bar => {
  const part = selector => { const found = bar.querySelector(selector);
    const {x, y, width, height} = found.getBoundingClientRect();
    const cut = found.scrollWidth > found.clientWidth + 1 && getComputedStyle(found).display !== 'inline';
    return {shown: found.checkVisibility() && width > 1 && height > 1, cut, text: found.textContent, x, y, width, height}; };
  return {at: part('time'), shape: part('.shape'), count: part('b'), title: part('.bar-title'), words: part('.bar-text')}; })"""


@pytest.fixture(scope="module")
def crowded(
    tmp_path_factory: pytest.TempPathFactory,
    make_fleet: Callable[..., Any],
    serve_fleet: Callable[..., Any],
) -> Iterator[str]:
    """The wall over a calendar of twelve more meetings a day."""
    folder = tmp_path_factory.mktemp("crowded")
    shutil.copytree(Path(config.__file__).parent / "defaults", folder / "config")
    write_crowd(folder / "config" / "meetings")
    (folder / "data").mkdir()
    made = make_fleet(folder / "data", folder / "config" / "tatpar.toml", story=False)
    with made as fleet, serve_fleet(fleet) as url:
        yield url


def told(page: Page, url: str, size: tuple[int, int], language: str = "en") -> list[dict[str, Any]]:
    """What the strip shows of each meeting."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{url}/?lang={language}")
    page.wait_for_selector(".bar", state="attached")
    at_rest(page)
    found: list[dict[str, Any]] = page.evaluate(WORDS)
    return found


def meetings(url: str, language: str = "en", *, over: bool | None = None) -> list[tuple[str, str]]:
    """Count and title of every meeting of today and tomorrow, as the server knows them; or of those that are over, or are not."""
    with urllib.request.urlopen(f"{url}/api/snapshot", timeout=60) as answer:
        told = json.load(answer)
    known = sorted(told["picture"]["meetings"].values(), key=lambda m: m["starts_ms"])
    wanted = [m for m in known if over is None or (m["ends_ms"] <= told["now_ms"]) == over]
    return [(f"{ready(m)}/{m['linked']}", m[language]) for m in wanted]


def ready(meeting: dict[str, Any]) -> int | str:
    """How many of its offices are ready; a dash, no nought, where nothing is known of any."""
    nothing = meeting["linked"] and meeting["count"].get("unknown") == meeting["linked"]
    return "–" if nothing else meeting["count"].get("ready", 0)


def whole(shown: list[dict[str, Any]], width: int) -> None:
    """Time, shape, count and title of every meeting are on the screen, none cut off at its edge."""
    for one in shown:
        for name in ("at", "shape", "count", "title"):
            part = one[name]
            assert part["shown"], (name, part["text"], one["at"]["text"])
            assert 0 <= part["x"] <= width - part["width"], (name, part)
        assert not one["title"]["cut"], one["title"]


@pytest.mark.parametrize("language", ["hi", "en"])
def test_on_a_phone_every_meeting_has_all_its_words(page: Page, crowded: str, language: str) -> None:
    """Time, shape, n of m and the whole title of each that runs or comes, in the order of time, however crowded the day."""
    shown = told(page, crowded, (390, 844), language)
    assert sorted((m["count"]["text"], m["title"]["text"]) for m in shown) == sorted(
        meetings(crowded, language, over=False)
    )
    whole(shown, 390)
    assert [m["words"]["y"] for m in shown] == sorted(m["words"]["y"] for m in shown)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


OVER_WORDS = {"hi": "{n} हो चुकीं", "en": "{n} are over"}


@pytest.mark.parametrize("language", ["hi", "en"])
def test_on_a_phone_what_is_over_is_counted_behind_what_comes(
    page: Page, crowded: str, language: str
) -> None:
    """One line below the day's meetings, with the way to them; none where nothing is over, and none on a wide screen."""
    shown = told(page, crowded, (390, 844), language)
    over = len(meetings(crowded, over=True))
    assert over > 1
    [line] = page.locator(".gone:visible").all()
    assert line.text_content() == OVER_WORDS[language].format(n=over)
    box = line.bounding_box()
    assert box is not None
    assert box["height"] >= 24
    today = len(page.locator(".day-frame").first.locator(".bar:visible").all())
    assert shown[today - 1]["title"]["y"] < box["y"] < shown[today]["at"]["y"]
    line.click()
    page.wait_for_selector(".day-over")
    assert page.locator(".day-over li").count() == over
    page.go_back()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_selector(".bar.over", state="visible")
    assert page.locator(".gone:visible").count() == 0


def test_on_a_phone_a_meeting_leaves_the_list_when_it_is_over(page: Page, crowded: str, until: Any) -> None:
    """Within a second, though nothing but the time has changed."""
    told(page, crowded, (390, 844))
    over = len(meetings(crowded, over=True))
    # News that comes meanwhile sets the clock back to the server's: it is put on until the list has followed.
    passing = """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, syncClock, now} = await import(script);
        const next = Math.min(...Object.values(model.meetings).map((m) => m.ends_ms).filter((ms) => ms > now()));
        window.pass = () => { if (now() <= next) syncClock(next + 1); return true; }; }"""
    page.evaluate(passing)
    until(page, f"pass() && document.querySelector('.gone').textContent === '{over + 1} are over'")
    assert len(page.locator(".bar:visible").all()) == len(meetings(crowded)) - over - 1


def test_a_phone_prints_what_is_over_too(page: Page, crowded: str) -> None:
    told(page, crowded, (390, 844))
    page.emulate_media(media="print")
    shown: list[dict[str, Any]] = page.evaluate(WORDS)
    assert [(m["count"]["text"], m["title"]["text"]) for m in shown] == meetings(crowded)
    assert page.locator(".gone:visible").count() == 0


def test_on_paper_every_meeting_has_all_its_words(page: Page, crowded: str) -> None:
    """What is printed from a wide screen is the list with time, shape, n of m and title, not the strip's leavings."""
    told(page, crowded, (1366, 768))
    page.emulate_media(media="print")
    shown: list[dict[str, Any]] = page.evaluate(WORDS)
    assert [(m["count"]["text"], m["title"]["text"]) for m in shown] == meetings(crowded)
    whole(shown, 1366)


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (3840, 2160), (1000, 800)])
@pytest.mark.parametrize("language", ["hi", "en"])
def test_on_the_wall_every_meeting_shows_its_time_and_count(
    page: Page, crowded: str, size: tuple[int, int], language: str
) -> None:
    """A crowded day takes more rows; no words lie over others, none leaves its day, and all meetings are there."""
    shown = told(page, crowded, size, language)
    assert len(meetings(crowded)) >= 2 * len(CROWD)
    left_out = sum(
        int(n) for text in page.locator(".unseated").all_text_contents() for n in re.findall(r"\d+", text)
    )
    assert len(shown) + left_out == len(meetings(crowded))
    assert left_out == 0 or size[0] < 1200
    for one in shown:
        for name in ("at", "shape", "count"):
            assert one[name]["shown"], (name, one["at"]["text"])
            assert one[name]["x"] >= 0
            assert one[name]["x"] + one[name]["width"] <= one["words"]["x"] + one["words"]["width"] + 1
    for one, other in itertools.combinations(shown, 2):
        a, b = one["words"], other["words"]
        across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
        down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
        assert not (across > 1 and down > 1), (one["at"]["text"], other["at"]["text"])
    outside = page.evaluate(
        """() => [...document.querySelectorAll('.bar-text')].filter(text => text.checkVisibility()).filter(text => { const own = text.getBoundingClientRect();
        const day = text.closest('.day-frame').getBoundingClientRect();
        return own.left < day.left - 1 || own.right > day.right + 1; }).map(text => text.textContent)"""
    )
    assert outside == []


def test_what_no_row_has_room_for_is_counted(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any]
) -> None:
    """Thirty meetings at once: eight rows, and the day says how many more; the phone lists all that are not over."""
    shutil.copytree(Path(config.__file__).parent / "defaults", tmp_path / "config")
    write_crowd(tmp_path / "config" / "meetings", [("0900", 15)] * 30)
    (tmp_path / "data").mkdir()
    made = make_fleet(tmp_path / "data", tmp_path / "config" / "tatpar.toml", story=False)
    with made as fleet, serve_page(fleet) as url:
        every = len(meetings(url))
        shown = told(page, url, (1920, 1080))
        said = page.locator(".unseated").all_text_contents()
        more = [int(text.removeprefix(" · ").split()[0]) for text in said]
        assert min(more) >= 14
        assert len(shown) + sum(more) == every
        assert len(told(page, url, (390, 844))) == len(meetings(url, over=False)) >= 30


def test_the_story_has_its_words_too(page: Page, fleet: Any) -> None:
    """On the wall and on the phone each meeting of the default calendar shows time and count; on the phone the title."""
    known = meetings(fleet.url)
    wide = told(page, fleet.url, (1920, 1080))
    assert [m["count"]["text"] for m in wide if m["at"]["shown"] and m["count"]["shown"]] == [
        c for c, _ in known
    ]
    whole(told(page, fleet.url, (390, 844)), 390)
