"""The page behind a link: looking changes nothing, the button acknowledges, the first wins."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

import pytest

from alerts.links import sign
from telemetry.alerting import AlertState
from telemetry.windows import HOUR_NS, SECOND_NS
from tests.alerts.acknowledging.conftest import page_served
from tests.alerts.parts import NOW_NS, an_alert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.alerts.acknowledging.conftest import Desk


@pytest.fixture
def desk(bare: Desk) -> Iterator[Desk]:
    with page_served(bare) as served:
        yield served


def call(url: str, fields: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    body = None if fields is None else urllib.parse.urlencode(fields).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read().decode()


def link(desk: Desk, person: str = "asha", alert: str = "K7M2PQ", ends_ns: int = NOW_NS + HOUR_NS) -> str:
    return f"{desk.url}/ack/{sign(desk.secret, alert, person, ends_ns)}"


def test_looking_changes_nothing(desk: Desk) -> None:
    """However often a link is opened, by people or by scanners of mail, the alert stands as it stood."""
    for _ in range(3):
        status, headers, page = call(link(desk))
        assert status == 200
    assert "Agra" in page
    assert "Seen, I am on it" in page
    assert desk.state.alert("K7M2PQ") == an_alert()
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert not re.search(r"(src|href|url)\s*[=(]", page)


def test_an_old_form_does_not_take_up_what_got_worse(desk: Desk) -> None:
    """It has got worse since the page was opened: the old form shows it anew, and only the new one acknowledges."""
    for person in ("asha", "site:agra"):
        desk.state.put_alerts([an_alert(turn=1)], [], NOW_NS)
        for fields in (None, {}):
            status, _, page = call(link(desk, person), fields)
            assert (status, desk.state.alert("K7M2PQ")) == (200, an_alert(turn=1))
        found = re.search(r'action="([^"]+)"', page)
        assert found is not None
        call(urllib.parse.urljoin(link(desk, person), found[1]), {})
        alert = desk.state.alert("K7M2PQ")
        assert alert is not None
        assert alert.state is AlertState.ACKNOWLEDGED
        desk.state.put_alerts([an_alert(overtaken_ns=alert.acknowledged_ns)], [], NOW_NS)


def test_the_button_acknowledges_and_the_first_wins(desk: Desk) -> None:
    """The first is thanked, by name and time; the second is told who was first, and changes nothing."""
    _, _, page = call(link(desk), {"note": "  at the <b>provider</b>\r\n now "})
    assert "Thank you, Asha Verma" in page
    alert = desk.state.alert("K7M2PQ")
    assert alert is not None
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_ns) == (
        AlertState.ACKNOWLEDGED,
        "Asha Verma",
        NOW_NS,
    )
    assert alert.note == "at the <b>provider</b> now"
    desk.clock.advance(300 * SECOND_NS)
    _, _, page = call(link(desk, "ravi"), {})
    assert "Asha Verma इसे पहले से देख रहे हैं, 10:00 से" in page
    assert '<html lang="hi">' in page
    assert desk.state.alert("K7M2PQ") == alert


def test_what_is_over_is_said(desk: Desk) -> None:
    """An alert that is over cannot be taken up any more, and says so."""
    desk.state.put_alerts([an_alert(state=AlertState.RESOLVED, resolved_ns=NOW_NS)], [], NOW_NS)
    for fields in (None, {}):
        status, _, page = call(link(desk), fields)
        assert status == 200
        assert "This is over, since 10:00" in page
        assert "<button" not in page


def test_links_that_are_not_followed(desk: Desk) -> None:
    """Expired: 410; foreign, damaged, of an alert that never was: 404; each with a page to read, and counted."""
    status, _, page = call(link(desk, ends_ns=NOW_NS), {})
    assert (status, "समय पूरा" in page) == (410, True)
    for url in (link(desk) + "x", f"{desk.url}/ack/rubbish", link(desk, alert="XXXXXX")):
        status, _, page = call(url, {})
        assert (status, "लिंक सही नहीं" in page) == (404, True)
    assert desk.state.alert("K7M2PQ") == an_alert()
    assert desk.page.refused == {"expired": 1, "foreign": 3}


def test_a_form_that_is_too_long(desk: Desk) -> None:
    """More than a note is refused before it is read to its end; a long note is cut."""
    status, _, _ = call(link(desk), {"note": "x" * 20_000})
    assert status == 413
    assert desk.state.alert("K7M2PQ") == an_alert()
    call(link(desk), {"note": "अ" * 400})
    alert = desk.state.alert("K7M2PQ")
    assert alert is not None
    assert alert.note == "अ" * 300


def test_a_name_is_shown_as_text(desk: Desk) -> None:
    """What people write about themselves is no markup."""
    desk.state.acknowledge("K7M2PQ", "<script>alert(1)</script>", "", NOW_NS)
    _, _, page = call(link(desk))
    assert "&lt;script&gt;" in page
    assert "<script" not in page


@pytest.mark.browser
def test_on_a_telephone(desk: Desk, program: Callable[[str], str]) -> None:
    """In a real browser of a telephone's width, in both languages: one button, no line that runs off, nothing from elsewhere."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program("chromium"), args=flags, timeout=60_000)
        page = browser.new_page(viewport={"width": 360, "height": 640})
        page.set_default_timeout(60_000)
        errors: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        for person, button in (("asha", "Seen"), ("ravi", "देख लिया")):
            page.goto(link(desk, person))
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert page.locator("button", has_text=button).evaluate("e => e.clientHeight") >= 48
        page.locator("button").click()
        page.wait_for_selector(".said")
        assert "धन्यवाद, रवि सिंह" in page.inner_text(".said")
        browser.close()
    assert [error for error in errors if "404" not in error] == []
    assert all(url.startswith(desk.url) for url in asked)
