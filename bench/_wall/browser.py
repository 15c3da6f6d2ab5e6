"""A wall in Chromium: how long until the first full picture, and what one update costs."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, CDPSession, Page

_FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_PAINTED: Final = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"""
_NEWEST: Final = """async site => { const { model } = await import(`${document.documentElement.dataset.static}/js/model.js`);
return model.tiles[site].newest_ms; }"""
_READY: Final = {"map": ".map-frame .mark, .map-frame canvas", "grid": ".grid .tile"}
_LONG_S: Final = 120.0
_SETTLES_MS: Final = 2000
"""Within so long everything that an update sets off in the page is done."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield launched
        launched.close()


def opened(browser: Browser, url: str, view: str) -> tuple[Page, float]:
    """A fresh page with nothing cached, and the milliseconds from navigation to the second frame after every part is there."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    context.add_init_script(f"localStorage.setItem('tatpar.view', '{view}')")
    page = context.new_page()
    page.set_default_timeout(_LONG_S * 1000)
    page.goto(f"{url}?lang=en#/", wait_until="commit")
    page.wait_for_selector(_READY[view], state="attached")
    return page, float(page.evaluate(_PAINTED))


def cost_of_updates(
    page: Page, site: str, commit: Callable[[], float], count: int, progress: Callable[[str], None]
) -> dict[str, float]:
    """Means over `count` updates: main-thread ms of the page, less what it spends by itself, and ms from the commit to the page's model.

    `commit()` waits for the next window, stores a report of every office, and returns when (`time.perf_counter`) that was done.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    spent, delays = 0.0, []
    for n in range(count):
        progress(f"update {n + 1} of {count}")
        told = page.evaluate(_NEWEST, site)
        done = commit()
        before = _task_s(session)
        while page.evaluate(_NEWEST, site) == told:
            if time.perf_counter() - done > _LONG_S:
                raise TimeoutError("an update did not reach the page")
            page.wait_for_timeout(10)
        delays.append((time.perf_counter() - done) * 1000)
        page.wait_for_timeout(_SETTLES_MS)
        spent += _task_s(session) - before
    before = _task_s(session)
    page.wait_for_timeout(_SETTLES_MS * count)
    idle = _task_s(session) - before
    return {
        "update_main_thread_ms": max(spent - idle, 0.0) * 1000 / count,
        "commit_to_page_ms": sum(delays) / count,
    }


def _task_s(session: CDPSession) -> float:
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))
