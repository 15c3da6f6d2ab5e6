"""The wall over a fleet with a story, and a real browser to look at it."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.wall.storied_fleet import made_fleet, served, tell_incidents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.wall.storied_fleet import Fleet

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def make_fleet() -> Callable[..., Any]:
    """For a fleet of its own: give a folder, a configuration, and whether there is a story."""
    return made_fleet


@pytest.fixture(scope="session")
def serve_fleet() -> Callable[..., Any]:
    """For serving a fleet, on a port if need be."""
    return served


@pytest.fixture(scope="session")
def told_story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both databases of the story, made once and copied."""
    folder = tmp_path_factory.mktemp("story")
    with made_fleet(folder):
        return folder


@pytest.fixture(scope="module")
def fleet(told_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The story, served."""
    folder = tmp_path_factory.mktemp("fleet") / "data"
    shutil.copytree(told_story, folder)
    with made_fleet(folder, story=False) as made, served(made) as url:
        made.url = url
        yield made


@pytest.fixture(scope="module")
def faulty(told_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The story with shared faults (`lasting` and `over` are ids of two), served."""
    folder = tmp_path_factory.mktemp("faulty") / "data"
    shutil.copytree(told_story, folder)
    with made_fleet(folder, story=False) as made:
        made.lasting, made.over = tell_incidents(made)
        with served(made) as url:
            made.url = url
            yield made


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    """The system's Chromium; no longer than a module, because its driver keeps an event loop in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        launched = driver.chromium.launch(
            executable_path=program("chromium"), args=CHROMIUM_FLAGS, timeout=60_000
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh 1920 × 1080 page that fails the test on any error in its console."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert not errors


@pytest.fixture
def serve_page(page: Page) -> Callable[..., Any]:
    """For serving a fleet to the page, which leaves before the wall ends: it would ask it again, in vain, and fail."""

    @contextmanager
    def served_to(fleet: Fleet) -> Iterator[str]:
        with served(fleet) as url:
            try:
                yield url
            finally:
                page.goto("about:blank")

    return served_to


def text_of(page: Page, selector: str) -> str:
    """What is read there, spaces that hold together as plain ones."""
    return page.inner_text(selector).replace("\u00a0", " ")


def at_rest(page: Page) -> None:
    """Wait until the letters are there and two frames are drawn: what follows the size of something has followed it."""
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(f"document.fonts.ready.then(() => {frames})")


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until an expression is true in a page (asked from outside: the content policy forbids eval within)."""

    def wait(page: Page, expression: str, timeout_s: float = 60.0) -> None:
        end = time.monotonic() + timeout_s
        while not page.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < end, f"not within {timeout_s} s: {expression}"
            page.wait_for_timeout(50)

    return wait
