"""What the wall says when something is missing: the stream, the data, the meetings, the offices."""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

import config
from collector.broker.ports import free_port
from telemetry.decisions import State
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
        port = free_port()  # which nobody else is given while the wall is down
        with serve_fleet(fleet, port) as url:
            page.goto(f"{url}/?lang=en")
            page.wait_for_selector(".mark")
            page.evaluate("window.notReloaded = true")
            assert not page.locator(".outage").is_visible()
        page.clock.fast_forward(14_000)
        page.wait_for_selector(".outage:visible")
        assert "What you see is old" in page.inner_text(".outage")
        assert page.get_attribute(".outage", "role") == "alert"
        with serve_fleet(fleet, port):
            for _ in range(240):
                page.clock.fast_forward(3000)
                page.wait_for_timeout(250)
                if not page.locator(".outage").is_visible():
                    break
            assert not page.locator(".outage").is_visible()
            assert page.evaluate("window.notReloaded") is True
            fleet.decide("agra", State.NOT_READY, 0.2)
            fleet.report(["agra"])
            agra = "document.querySelector('.marks a[href=\"#/site/agra\"]').classList"
            until(page, f"{agra}.contains('is-not_ready') && !{agra}.contains('old')")
            page.close()


def open_wall(page: Page, url: str) -> None:
    page.goto(f"{url}/?lang=en")
    page.wait_for_selector(".attention h2")


@pytest.fixture
def says(page: Page, until: Any) -> Callable[[str], None]:
    """Waits until the page has these words: what is written into the databases comes a look later."""
    return lambda words: until(page, f"document.body.innerText.includes({json.dumps(words)})")


def put(file: Path, body: bytes) -> None:
    """As an editor does: whoever looks sees the old file or the new one, never a half."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(body)
    fresh.replace(file)


def test_the_first_run_says_what_to_do(
    page: Page,
    tmp_path: Path,
    make_fleet: Callable[..., Any],
    serve_page: Callable[..., Any],
    says: Callable[[str], None],
) -> None:
    """Before any data every office is unknown, never ready, and the page says that a probe must be started."""
    with make_fleet(tmp_path, story=False) as fleet, serve_page(fleet) as url:
        open_wall(page, url)
        says("No data yet: start a probe")
        says("No forecast settled yet")
        assert page.locator(".mark.is-unknown").count() == 56
        assert page.locator(".mark.is-ready").count() == 0


def test_an_empty_calendar_names_the_place_for_meetings(
    page: Page,
    tmp_path: Path,
    own_config: Path,
    make_fleet: Callable[..., Any],
    serve_page: Callable[..., Any],
    *,
    says: Callable[[str], None],
) -> None:
    """Without meetings the page says where to put an .ics file; when one is put there it appears by itself."""
    meetings = own_config.parent / "meetings"
    kept = {file.name: file.read_bytes() for file in meetings.glob("*.ics")}
    for name in kept:
        (meetings / name).unlink()
    with make_fleet(tmp_path, own_config, story=False) as fleet, serve_page(fleet) as url:
        open_wall(page, url)
        says("To add one, put an .ics file into “meetings”")
        for name, body in kept.items():
            put(meetings / name, body)
        page.wait_for_selector(".bar:has-text('Morning review')", timeout=60_000)


def test_changed_sites_are_taken_up_and_wrong_ones_are_said(
    page: Page,
    tmp_path: Path,
    own_config: Path,
    make_fleet: Callable[..., Any],
    serve_page: Callable[..., Any],
    *,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new office appears without a reload; a broken file leaves the old offices and says which line is wrong.

    It is no trouble of reading: the wall stays healthy, and the log has the line once.
    """
    sites = own_config.parent / "sites.csv"
    with make_fleet(tmp_path, own_config, story=False) as fleet, serve_page(fleet) as url:
        open_wall(page, url)
        whole = sites.read_bytes()
        shamli = "Shamli,शामली,west,29.450,77.310".encode()
        put(sites, whole.replace(shamli + b",planned", shamli + b",linked"))
        page.wait_for_selector(".linked:has-text('57 of 92')", timeout=60_000)
        put(sites, whole + b"broken-line,Broken\n")
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
        refresh, looks = fleet.live.refresh, threading.Semaphore(0)
        monkeypatch.setattr(fleet.live, "refresh", lambda: (refresh(), looks.release()))
        for _ in range(2):  # more looks at the files, which must not be told again
            assert looks.acquire(timeout=60)
        told = [record.getMessage() for record in caplog.records if "sites.csv:94" in record.getMessage()]
        assert len(told) == 1
        put(sites, whole)
        page.wait_for_selector(".refused", state="hidden", timeout=60_000)


def test_a_silent_part_of_the_house_is_named(
    page: Page,
    tmp_path: Path,
    make_fleet: Callable[..., Any],
    serve_page: Callable[..., Any],
    says: Callable[[str], None],
) -> None:
    """A collector that has not said for minutes that it works is named with the time of its last word."""
    from telemetry.windows import SECOND_NS

    with make_fleet(tmp_path, story=False) as fleet, serve_page(fleet) as url:
        fleet.state.beat("collector", fleet.clock.now_ns() - 300 * SECOND_NS, {})
        open_wall(page, url)
        says("Not heard from since: collector (10:12)")


def test_many_silent_offices_are_counted_and_nothing_is_said_of_their_cause(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any], until: Any
) -> None:
    """Eleven offices of one provider go dark: the foot counts them and their age, and claims no cause, shared or not."""
    from telemetry.control import Presence
    from telemetry.decisions import Action, ReasonCode

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
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any], until: Any
) -> None:
    """Offline for a minute or for half an hour, an office's silence is in the foot, however fresh the others are."""
    with make_fleet(tmp_path) as fleet, serve_page(fleet) as url:
        fleet.report([site for site in fleet.linked if site != "lalitpur"])
        page.goto(f"{url}/?lang=en")
        page.wait_for_selector(".mark")
        until(page, "document.querySelector('.oldest').innerText.includes('· 1 office silent')")
        said = page.inner_text(".oldest").replace("\u00a0", " ")
        assert re.fullmatch(r"Oldest data: 3[67] min · 1 office silent for over 45 s", said), said
