"""What the wall says when something is missing: the stream, the data, the meetings, the offices."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

import config
from tests.wall.story import STORY, told, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
DEFAULTS = Path(config.__file__).parent / "defaults"


@pytest.fixture
def own_config(tmp_path: Path) -> Path:
    """A copy of the default configuration that may be changed."""
    folder = tmp_path / "config"
    shutil.copytree(DEFAULTS, folder)
    return folder / "tatpar.toml"


def test_a_stopped_stream_is_said_across_the_top_and_mends_itself(
    browser: Browser,
    tmp_path: Path,
    make_fleet: Callable[..., Any],
    serve_fleet: Callable[..., Any],
    until: Any,
) -> None:
    """When the server is gone the bar comes; when it is back the page lives again without a reload."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.set_default_timeout(60_000)
    page.clock.install()
    with make_fleet(tmp_path) as fleet:
        with serve_fleet(fleet) as url:
            page.goto(f"{url}/?lang=en")
            page.wait_for_selector(".mark")
            page.evaluate("window.notReloaded = true")
            assert not page.locator(".outage").is_visible()
        page.clock.fast_forward(14_000)
        page.wait_for_selector(".outage:visible")
        assert "What you see is old" in page.inner_text(".outage")
        assert page.get_attribute(".outage", "role") == "alert"
        with serve_fleet(fleet, int(url.rpartition(":")[2])):
            for _ in range(240):
                page.clock.fast_forward(3000)
                page.wait_for_timeout(250)
                if not page.locator(".outage").is_visible():
                    break
            assert not page.locator(".outage").is_visible()
            assert page.evaluate("window.notReloaded") is True
            fleet.report(["agra"])
            until(page, "!document.querySelector('.marks a[href=\"#/site/agra\"]').classList.contains('old')")
            page.close()


def first_words(page: Page, url: str) -> str:
    page.goto(f"{url}/?lang=en")
    page.wait_for_selector(".attention h2")
    page.wait_for_timeout(300)
    return page.inner_text("body")


def test_the_first_run_says_what_to_do(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any]
) -> None:
    """Before any data every office is unknown, never ready, and the page says that a probe must be started."""
    with make_fleet(tmp_path, story=False) as fleet, serve_page(fleet) as url:
        text = first_words(page, url)
        assert "No data yet: start a probe" in text
        assert "No forecast settled yet" in text
        assert page.locator(".mark.is-unknown").count() == 56
        assert page.locator(".mark.is-ready").count() == 0


def test_an_empty_calendar_names_the_place_for_meetings(
    page: Page,
    tmp_path: Path,
    own_config: Path,
    make_fleet: Callable[..., Any],
    serve_page: Callable[..., Any],
) -> None:
    """Without meetings the page says where to put an .ics file; when one is put there it appears by itself."""
    meetings = own_config.parent / "meetings"
    kept = {file.name: file.read_bytes() for file in meetings.glob("*.ics")}
    for name in kept:
        (meetings / name).unlink()
    with make_fleet(tmp_path, own_config, story=False) as fleet, serve_page(fleet) as url:
        assert "To add one, put an .ics file into “meetings”" in first_words(page, url)
        for name, body in kept.items():
            (meetings / name).write_bytes(body)
        page.wait_for_selector(".bar:has-text('Morning review')", timeout=60_000)


def test_changed_sites_are_taken_up_and_wrong_ones_are_said(
    page: Page,
    tmp_path: Path,
    own_config: Path,
    make_fleet: Callable[..., Any],
    serve_page: Callable[..., Any],
    *,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A new office appears without a reload; a broken file leaves the old offices and says which line is wrong.

    It is no trouble of reading: the wall stays healthy, and the log has the line once.
    """
    sites = own_config.parent / "sites.csv"
    with make_fleet(tmp_path, own_config, story=False) as fleet, serve_page(fleet) as url:
        first_words(page, url)
        whole = sites.read_text(encoding="utf-8")
        sites.write_text(
            whole.replace(
                "Shamli,शामली,west,29.450,77.310,planned", "Shamli,शामली,west,29.450,77.310,linked"
            ),
            encoding="utf-8",
        )
        page.wait_for_selector(".linked:has-text('57 of 92')", timeout=60_000)
        sites.write_text(whole + "broken-line,Broken\n", encoding="utf-8")
        page.wait_for_selector(".refused:has-text('sites.csv:94')", timeout=60_000)
        assert page.locator(".mark").count() == 92
        said = page.inner_text(".bottom")
        assert "The changed file is wrong: sites.csv:94: " in said
        assert "The old one stays in force" in said
        assert "cannot read" not in said
        with urllib.request.urlopen(f"{url}/healthz", timeout=60) as answer:
            health = json.load(answer)
        assert health["ok"] is True
        assert "sites.csv:94" in health["refused"]
        page.wait_for_timeout(2500)  # one more look at the files, which must not be told again
        told = [record.getMessage() for record in caplog.records if "sites.csv:94" in record.getMessage()]
        assert len(told) == 1
        sites.write_text(whole, encoding="utf-8")
        page.wait_for_selector(".refused", state="hidden", timeout=60_000)


def test_a_silent_part_of_the_house_is_named(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any]
) -> None:
    """A collector that has not said for minutes that it works is named with the time of its last word."""
    from telemetry.windows import SECOND_NS

    with make_fleet(tmp_path, story=False) as fleet, serve_page(fleet) as url:
        fleet.state.beat("collector", fleet.clock.now_ns() - 300 * SECOND_NS, {})
        assert "Not heard from since: collector (10:12)" in first_words(page, url)


def test_many_silent_offices_are_counted_and_nothing_is_said_of_their_cause(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any], until: Any
) -> None:
    """Eleven offices of one provider go dark: the foot counts them and their age, and claims no cause, shared or not."""
    from telemetry.control import Presence
    from telemetry.decisions import Action, ReasonCode, State

    with make_fleet(tmp_path) as fleet, serve_page(fleet) as url:
        page.goto(f"{url}/?lang=en")
        page.wait_for_selector(".mark")
        gone = [
            site.id
            for site in fleet.live.current.registry.linked()
            if site.provider == "provider-a" and site.id not in STORY
        ][:11]
        coming = next(at for at in fleet.occurrences() if at.starts_ns > fleet.clock.now_ns())
        now_ns = fleet.clock.now_ns()
        dark = (told(ReasonCode.DARK, 180.0, "s", 3.0),)
        for site in gone:
            fleet.state.set_presence(site, "p1", Presence(online=False, since_ns=now_ns), now_ns)
        fleet.state.put_verdicts(
            [
                structs.replace(
                    verdict(site, coming, now_ns),
                    state=State.NOT_READY,
                    probability=None,
                    reasons=dark,
                    action=Action.CHECK_POWER,
                )
                for site in gone
            ]
        )
        until(page, "document.querySelector('.incidents').textContent.includes('12 offices without contact')")
        said = page.inner_text(".incidents")
        assert said == "5 offices have a degraded line · 12 offices without contact · 1 office without data"


def test_a_dark_office_counts_in_the_age_of_the_oldest_data(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any]
) -> None:
    """Offline for a minute or for half an hour, an office's silence is in the foot, however fresh the others are."""
    with make_fleet(tmp_path) as fleet, serve_page(fleet) as url:
        fleet.report([site for site in fleet.linked if site != "lalitpur"])
        page.goto(f"{url}/?lang=en")
        page.wait_for_selector(".mark")
        said = page.inner_text(".oldest").replace("\u00a0", " ")
        assert re.fullmatch(r"Oldest data: 3[67] min · 1 office silent for over 45 s", said), said
