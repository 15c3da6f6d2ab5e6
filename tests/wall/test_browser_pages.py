"""The pages of an office and of a meeting in a real Chromium."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from telemetry.decisions import Reason, ReasonCode, State
from telemetry.state.clocks import ClockSaid
from telemetry.store.protocol import Received
from telemetry.windows import SECOND_NS, window_start
from tests.wall.story import envelope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MORNING = "#/meeting/morning-review%40tatpar.example/20261124T053000Z"


def open_site(page: Page, fleet: Any, rest: str = "rampur?range=1h&path=main.state") -> None:
    page.goto(f"{fleet.url}/?lang=en#/site/{rest}")
    page.wait_for_selector(".u-wrap canvas")


def ink(page: Page, chart: int, colour: str) -> int:
    """How many pixels of a chart have a colour of the page (CSS variable), within a little."""
    count: int = page.evaluate(
        """([chart, variable]) => {
        const canvas = document.querySelectorAll('.u-wrap canvas')[chart];
        const probe = document.createElement('i'); probe.style.color = `var(${variable})`; document.body.append(probe);
        const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number); probe.remove();
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let found = 0;
        for (let i = 0; i < data.length; i += 4)
          if (data[i + 3] > 200 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24) found += 1;
        return found; }""",
        [chart, colour],
    )
    return count


def test_a_site_draws_its_six_charts(page: Page, fleet: Any, until: Any) -> None:
    """Loss, round trip, jitter, delay variation, bitrate, estimated sound; Rampur's loss stands above the line, Agra has hardly any."""
    open_site(page, fleet)
    assert page.locator(".u-wrap canvas").count() == 6
    assert [t for t in page.locator("figcaption b").all_text_contents()] == [  # noqa: C416 - a plain list
        "Loss",
        "Round trip",
        "Jitter (RFC 3550)",
        "Delay variation (PDV, RFC 5481)",
        "Bitrate of the probe",
        "Sound of a call (MOS, estimated)",
    ]
    lossy = ink(page, 0, "--chart-up")
    open_site(page, fleet, "agra?range=1h&path=main.state")
    until(page, "document.querySelector('h2').textContent.includes('Agra')")
    assert lossy > 2000
    end = time.monotonic() + 60
    while ink(page, 0, "--chart-up") >= lossy / 10:  # the name changes before the charts are drawn anew
        assert time.monotonic() < end, "Agra has as much loss as Rampur"
        page.wait_for_timeout(50)
    assert ink(page, 0, "--chart-up") < lossy / 10


def test_an_office_that_is_left_while_its_charts_are_made_is_let_go_of(
    page: Page, fleet: Any, until: Any
) -> None:
    """The library of the charts comes when the reader is at the wall again: nothing fails, and the office opens as ever."""
    held: list[Any] = []
    page.route("**/uPlot*.js", lambda route: held.append(route))  # noqa: PLW0108 - it wants a function that takes a mark
    page.goto(f"{fleet.url}/?lang=en#/site/rampur?range=1h")
    while not held:
        page.wait_for_timeout(50)
    page.keyboard.press("Escape")
    page.wait_for_selector(".mark")
    held.pop().continue_()
    until(page, "window.uPlot")
    page.goto(f"{fleet.url}/?lang=en#/site/rampur?range=1h")
    page.wait_for_selector(".u-wrap canvas")


def test_a_drag_zooms_and_the_address_carries_the_view(page: Page, fleet: Any, until: Any) -> None:
    """Dragging over a chart writes from and to into the address; opening that address shows the same span."""
    open_site(page, fleet)
    box = page.locator(".u-over").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 40, steps=6)
    page.mouse.up()
    until(page, "location.hash.includes('from=')")
    found = re.search(r"from=(\d+)&to=(\d+)&path=main.state", page.evaluate("location.hash"))
    assert found is not None
    assert int(found[2]) - int(found[1]) == pytest.approx(1_800_000, rel=0.02)
    page.reload()
    page.wait_for_selector(".u-wrap canvas")
    assert page.locator(".choice a[aria-current]").all_text_contents() == ["State headquarters, Lucknow"]


def test_the_span_and_the_end_are_chosen_by_links(page: Page, fleet: Any, until: Any) -> None:
    """Ranges and paths are links with addresses of their own."""
    open_site(page, fleet)
    page.click("text=1 day")
    until(page, "location.hash.includes('range=1d')")
    page.click("text=National headquarters")
    until(page, "location.hash.includes('path=main.national')")
    assert "range=1d" in page.evaluate("location.hash")
    page.wait_for_selector(".choice a[aria-current]:has-text('National')")


def test_the_charts_can_be_read_as_numbers(page: Page, fleet: Any) -> None:
    """A table says newest, middle and worst of each measure with its unit."""
    open_site(page, fleet)
    page.click("summary")
    rows = {
        r[0]: r[1:]
        for r in (t.split("\t") for t in page.inner_text(".summary-table").split("\n"))
        if len(r) > 3
    }
    assert re.fullmatch(r"[\d.]+\u00a0%", rows["Loss, uplink"][2])
    assert float(rows["Loss, uplink"][2].split("\u00a0")[0]) > 4
    assert rows["Round trip, middle"][0].endswith("ms")
    worst = {way: float(rows[f"Sound, {way} (MOS, estimated)"][2]) for way in ("uplink", "downlink")}
    assert 1 < worst["uplink"] < 3.6 < worst["downlink"] < 4.5


def test_the_probe_speaks_for_itself(page: Page, fleet: Any) -> None:
    """Provider, age, stamps, clock error and the probe's own trouble stand beside the charts."""
    open_site(page, fleet)
    facts = page.inner_text(".facts-list")
    for part in (
        "provider-a",
        "kernel · kernel · kernel · kernel",
        "set by time server, ± 0.8\u00a0ms",
        "10 a second",
        "opus (no figures published; EVS stands in)",
    ):
        assert part in facts


def test_of_a_line_that_fell_silent_nothing_is_said_of_now(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any], until: Any
) -> None:
    """The last good figures of an office without contact are not its loss, round trip and sound now."""
    with make_fleet(tmp_path) as fleet, serve_page(fleet) as url:
        now_ns = fleet.clock.now_ns()
        before = envelope("lalitpur", 999, window_start(now_ns - 90 * SECOND_NS), 0.0, 21.0)
        fleet.store.append([Received(before, now_ns)])
        fleet.report(["agra"])
        fact = "document.querySelector('.facts-list')?.innerText.match(/Loss now\\s+(\\S+)/)?.[1]"
        page.goto(f"{url}/?lang=en#/site/agra?range=1h&path=main.state")
        until(page, f"{fact} && {fact} !== '–'")
        page.goto(f"{url}/?lang=en#/site/lalitpur?range=1h&path=main.state")
        until(page, f"document.querySelector('h2').textContent.includes('Lalitpur') && {fact} === '–'")
        facts = page.inner_text(".facts-list")
    assert re.search(r"Round trip now\s+–", facts)
    assert "10 a second" in facts


def test_an_offices_wrong_clock_is_told_until_a_day_after_it_is_right(
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any], until: Any
) -> None:
    """By how much, that its reports are dated by ours, and what to do there; of two probes the one whose clock it is."""
    wrong_ns = -(3 * 3600 + 4 * 60) * SECOND_NS
    with make_fleet(tmp_path) as fleet, serve_page(fleet) as url:
        now_ns = fleet.clock.now_ns()
        fleet.state.put_clocks([ClockSaid("agra", "p2", wrong_ns, now_ns - 60 * SECOND_NS)])
        for language, off in (("en", "3\u00a0h 4\u00a0min slow"), ("hi", "3\u00a0घंटे 4\u00a0मिनट पीछे है")):
            page.goto(f"{url}/?lang={language}#/site/agra?range=1h&path=main.state")
            until(page, f"document.querySelector('.site-head')?.innerText.includes('{off}')")
            said = page.inner_text(".site-head")
            assert "(p2)" in said
            assert "timedatectl set-ntp true" in said
        fleet.state.put_clocks([ClockSaid("agra", "p2", 0, now_ns)])
        page.goto(f"{url}/?lang=en#/site/agra?range=6h&path=main.state")
        until(page, "document.querySelector('.site-head')?.innerText.includes('slow; it is right since')")
        assert "timedatectl" not in page.inner_text(".site-head")
        page.goto(f"{url}/?lang=en#/site/rampur?range=1h&path=main.state")
        until(page, "document.querySelector('.facts-list')?.innerText.includes('Loss now')")
        assert "clock of" not in page.inner_text(".site-head")


def test_an_office_that_is_not_there_has_its_own_sentence(page: Page, fleet: Any) -> None:
    """A wrong address names what was asked and the next step; a planned office says what it lacks."""
    page.goto(f"{fleet.url}/?lang=en#/site/atlantis")
    page.wait_for_selector("h2:has-text('There is no such office')")
    assert "“atlantis”" in page.inner_text(".site-head")
    page.goto(f"{fleet.url}/?lang=en#/site/shamli")
    page.wait_for_selector("text=This office has no probe yet")
    page.wait_for_timeout(300)
    body = page.inner_text(".site-page")
    assert body.count("This office has no probe yet") == 1
    assert "then write “linked” for it in sites.csv" in body
    assert "No data in this span" not in body
    assert page.locator(".choice, .charts figure:visible").count() == 0
    page.goto(f"{fleet.url}/?lang=en#/site/rampur?range=1h")
    page.wait_for_selector(".u-wrap canvas")
    assert "no probe yet" not in page.inner_text(".site-page")


def test_a_meeting_shows_every_office_and_follows_changes(page: Page, fleet: Any) -> None:
    """56 linked offices worst first with reason and action; a changed verdict changes its row while it is open."""
    page.goto(f"{fleet.url}/?lang=en{MORNING}")
    page.wait_for_selector(".verdicts tbody tr")
    rows = page.locator(".verdicts tbody tr")
    assert rows.count() == 56
    assert rows.locator("th").all_text_contents()[:3] == ["Lalitpur", "Jhansi City", "Rampur"]
    rampur = rows.nth(2).inner_text()
    for part in (
        "not ready",
        "31\u00a0%",
        "Loss, uplink 4.1\u00a0%, since 10:05",
        "switch the router off",
        "Audio only",
    ):
        assert part in rampur
    jhansi = rows.nth(1).inner_text()
    assert "Line is down · not ready" in jhansi
    assert "Line is down, since 09:59 · 8\u00a0% that it is back and holds" in jhansi
    assert "36 invited offices are not linked yet" in page.inner_text(".planned-list")
    fleet.decide(
        "varanasi", State.NOT_READY, 0.02, Reason(code=ReasonCode.BITRATE_UP, value=400e3, unit="bps")
    )
    page.wait_for_selector(".verdicts tbody tr:nth-child(2) th:has-text('Varanasi')")
    assert "Bitrate, uplink only 400\u00a0kbit/s" in rows.nth(1).inner_text()
    fleet.decide("varanasi", State.READY, 0.95)
    page.wait_for_selector(".verdicts tbody tr:nth-child(2) th:has-text('Jhansi City')")


def test_a_meeting_that_is_not_there_has_its_own_sentence(fleet: Any, browser: Any) -> None:
    """A cancelled meeting's address says so and leads back."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{fleet.url}/?lang=en#/meeting/gone/20261124T053000Z")
    page.wait_for_selector("h2:has-text('not in the calendar')")
    page.click(".back")
    page.wait_for_selector(".meeting-card")
    page.close()


@pytest.mark.parametrize("language", ["hi", "en"])
def test_on_a_phone_a_ready_office_takes_one_line(page: Page, fleet: Any, language: str) -> None:
    """Office, verdict and probability; no dash stands for a reason or an action that there is none of."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{fleet.url}/?lang={language}{MORNING}")
    page.wait_for_selector(".verdicts tbody tr")
    rows = page.locator('.verdicts tr[data-shade="ready"]')
    assert rows.count() > 40
    for text in rows.all_inner_texts():
        assert "–" not in text, text
    assert page.evaluate("document.documentElement.scrollWidth") == 390


MIDNIGHT_MS = 1_795_458_600_000
"""24 November 2026, 00:00 IST: the label of the day stands at the end of an axis that ends here."""
RECORD = """(() => { window.drawn = []; let edge = 0; const box = CanvasRenderingContext2D.prototype.fillRect;
CanvasRenderingContext2D.prototype.fillRect = function(x, y, w, h) { edge = x + w; return box.apply(this, arguments); };
const draw = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function(text, x, y) { const at = this.getTransform(); const w = this.measureText(text).width;
  const left = {center: x - w / 2, right: x - w, end: x - w}[this.textAlign] ?? x;
  if (this.canvas.isConnected && Math.abs(at.b) < 0.1) window.drawn.push([text, left * at.a + at.e, (left + w) * at.a + at.e, this.canvas.width, edge]);
  return draw.apply(this, arguments); }; })()"""


@pytest.mark.parametrize(("language", "width"), [("hi", 390), ("hi", 1920), ("en", 1920)])
@pytest.mark.parametrize("span", ["range=1h", "range=1d", "to-midnight"])
def test_no_label_of_a_chart_is_cut(  # noqa: PLR0917 - a table
    page: Page, fleet: Any, until: Any, language: str, span: str, width: int
) -> None:
    """Every date, time and number lies whole on its canvas; a meeting's name is whole or ends in an ellipsis."""
    asked = f"from={MIDNIGHT_MS - 12 * 3_600_000}&to={MIDNIGHT_MS}" if span == "to-midnight" else span
    page.add_init_script(RECORD)
    page.set_viewport_size({"width": width, "height": 1080})
    page.goto(f"{fleet.url}/?lang={language}#/site/rampur?{asked}&path=main.state")
    until(page, "document.querySelectorAll('.u-wrap canvas').length === 6 && window.drawn.length > 20")
    drawn = page.evaluate("window.drawn")
    assert [one for one in drawn if one[1] < -0.5 or one[2] > one[3] + 0.5] == []
    named = [one for one in drawn if re.match(r"\d\d:\d\d .", one[0])]
    assert [one for one in named if one[2] > one[4]] == []
    assert [one[0] for one in named if not one[0].endswith(("…", "बैठक", "review", "West"))] == []
