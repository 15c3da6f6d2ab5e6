"""The wall in a real Chromium: it lives, it holds still, it can be used without a mouse, it asks nobody else."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from telemetry.decisions import Reason, ReasonCode, State
from telemetry.windows import SECOND_NS
from telemetry.words import LANGUAGES
from tests.wall.conftest import at_rest
from tests.wall.geometry import NOW_NS, apart, boxes, mark, open_wall, overlap, places

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


CUT = """[...document.querySelectorAll('.tile :is(.name, .state, .age)')]
  .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"""


def test_a_changed_verdict_changes_its_tile_and_nothing_else_moves(
    page: Page, fleet: Any, until: Any
) -> None:
    """Without a reload the mark takes the new state, shows that it changed, and every mark stays where it was."""
    open_wall(page, fleet)
    page.evaluate("window.notReloaded = true")
    before = places(page, ".marks a")
    assert "is-ready" in (page.get_attribute(mark("agra"), "class") or "")
    fleet.decide("agra", State.NOT_READY, 0.22, Reason(code=ReasonCode.LOSS_DOWN, value=0.07, unit="ratio"))
    page.wait_for_selector(f"{mark('agra')}.is-not_ready.changed", timeout=60_000)
    assert page.evaluate("window.notReloaded") is True
    assert places(page, ".marks a") == before
    assert "22\u00a0%" in page.text_content(mark("agra"))
    label = page.get_attribute(mark("agra"), "aria-label") or ""
    assert label == "Agra 22\u00a0%: not ready, Loss, downlink 7\u00a0%"
    row = page.locator(".rows .row", has_text="Agra")
    assert "Loss, downlink 7\u00a0%" in (row.text_content() or "")
    until(
        page,
        "document.querySelector('[aria-live=polite]').textContent.includes('Agra: ready, now not ready')",
    )
    fleet.decide("agra", State.READY, 0.95)
    page.wait_for_selector(f"{mark('agra')}.is-ready", timeout=60_000)
    assert places(page, ".marks a") == before


def test_no_row_loses_words_on_a_small_screen(fleet: Any, browser: Any) -> None:
    """At 1366 x 768 each reason and action is whole, in both languages; a dead line says first that it is down."""
    down = {
        "en": "Line is down, since 09:59 · 8\u00a0% that it is back and holds",
        "hi": "लाइन बंद, 09:59 से · ठीक होकर मीटिंग चलने की संभावना 8\u00a0%",
    }
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(60_000)
    for language, words in down.items():
        page.goto(f"{fleet.url}/?lang={language}")
        page.wait_for_selector(".rows .row.down .reason")
        at_rest(page)
        assert words in page.locator(".rows .row.down .reason").all_text_contents()
        cut = page.evaluate(
            "[...document.querySelectorAll('.rows :is(.reason, .action)')].filter(it => it.scrollWidth > it.clientWidth + 1).length"
        )
        assert cut == 0
    page.close()


def test_an_office_that_recovers_keeps_its_row_until_the_minute_is_over(
    page: Page, fleet: Any, until: Any
) -> None:
    """The worst-first list neither closes up nor re-sorts within the minute; then it does."""
    page.clock.install()
    open_wall(page, fleet)
    names = page.locator(".rows .name").all_text_contents()
    assert names[:3] == ["Lalitpur", "Jhansi City", "Rampur"]
    fleet.decide("etawah", State.NOT_READY, 0.01, Reason(code=ReasonCode.OUTAGE))
    until(page, "document.querySelector('.rows').textContent.includes('Etawah')")
    assert page.locator(".rows .name").all_text_contents() == [*names, "Etawah"]
    page.clock.fast_forward(61_000)
    until(page, "document.querySelectorAll('.rows .name')[1].textContent === 'Etawah'")
    fleet.decide("etawah", State.READY, 0.97)
    until(page, "document.querySelector('.rows').textContent.includes('ready again')")
    assert page.locator(".rows .name").all_text_contents()[1] == "Etawah"
    page.clock.fast_forward(61_000)
    until(page, "!document.querySelector('.rows').textContent.includes('Etawah')")


@pytest.mark.parametrize(
    "address", ["/", "/#/site/rampur?range=1h", "/#/meeting/morning-review%40tatpar.example/20261124T053000Z"]
)
def test_no_request_leaves_the_machine(page: Page, fleet: Any, address: str) -> None:
    """Every request of every page, the chart library's too, goes to the wall itself."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(fleet.url + address)
    page.wait_for_selector(".map .mark, .u-wrap canvas, .verdicts tr", state="attached")
    page.wait_for_timeout(300)
    assert len(asked) > 20
    assert [url for url in asked if not url.startswith((fleet.url, "data:"))] == []


@pytest.mark.parametrize("language", ["hi", "en"])
@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160), (1366, 768)])
def test_the_whole_wall_fits_its_screen(page: Page, fleet: Any, size: tuple[int, int], language: str) -> None:
    """No scroll bar, no name cut off in the list, no two labels over each other, no label out of the map."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_wall(page, fleet, f"/?lang={language}")
    assert page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    ) == list(size)
    labels = boxes(page, ".marks text")
    assert len(labels) >= 48
    # The line boxes of a script with high vowels reach beyond its letters: a quarter of the height is air.
    slack = labels[0]["height"] * 0.25
    crossing = [(a["text"], b["text"]) for a, b in itertools.combinations(labels, 2) if overlap(a, b, slack)]
    assert crossing == []
    frame = boxes(page, ".map-frame")[0]
    assert all(frame["x"] <= a["x"] and a["x"] + a["width"] <= frame["x"] + frame["width"] for a in labels)
    marks = boxes(page, ".marks .shape")
    near = [
        1 for a, b in itertools.combinations(marks, 2) if apart(a, b) < 0.95 * (a["width"] + b["width"]) / 2
    ]
    assert near == []
    cut = page.evaluate(
        "[...document.querySelectorAll('.rows .name, .count span, .next-title')]"
        ".filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.textContent)"
    )
    assert cut == []
    parts = boxes(page, ".top, .fleet, .attention, .timeline, .bottom")
    assert [1 for a, b in itertools.combinations(parts, 2) if overlap(a, b)] == []


def test_the_letters_are_our_own(page: Page, fleet: Any) -> None:
    """Latin and Devanagari come from the vendored fonts, and conjuncts are shaped (narrower than their parts)."""
    open_wall(page, fleet, "/?lang=hi")
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family.replaceAll('\"', ''))"
    )
    assert {"Noto Sans", "Noto Sans Devanagari"} <= set(loaded)
    widths = page.evaluate(
        """() => { const pen = document.createElement('canvas').getContext('2d');
        pen.font = "40px 'Noto Sans Devanagari'";
        const w = text => pen.measureText(text).width;
        return [['क्ष', 'क्\u200cष'], ['ट्र', 'ट्\u200cर'], ['र्क', 'र्\u200cक'], ['द्वि', 'द्\u200cवि']].map(([a, b]) => [w(a), w(b)]); }"""
    )
    for shaped, distance in widths:
        assert shaped < distance * 0.95


def test_keys_reach_everything(page: Page, fleet: Any) -> None:
    """Skip link, one stop for the map, arrows within it, Enter opens, Escape returns, ? explains."""
    open_wall(page, fleet)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus(mark("saharanpur"))
    assert page.locator(".marks a[tabindex='0']").count() == 1
    page.keyboard.press("ArrowDown")
    south = page.evaluate("document.activeElement.getAttribute('href')")
    assert south != "#/site/saharanpur"
    at = places(page, ".marks a")
    assert at[south][1] > at["#/site/saharanpur"][1]
    page.keyboard.press("Enter")
    page.wait_for_selector(".site-page h2")
    assert page.evaluate("location.hash") == south
    page.keyboard.press("Escape")
    page.wait_for_selector(".map .mark")
    page.keyboard.press("?")
    assert page.locator("dialog[open] dt").count() == 11
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("location.hash") == "#/"


def test_map_and_grid_switch_and_are_remembered(page: Page, fleet: Any, until: Any) -> None:
    """G shows the grid, m the map; the choice outlives a reload; tiles hold still, and cut neither name nor number, in any language."""
    open_wall(page, fleet)
    page.keyboard.press("g")
    assert page.locator(".grid").is_visible()
    assert not page.locator(".map").is_visible()
    before = places(page, ".tile")
    assert len(before) == 56
    fleet.decide("basti", State.AT_RISK, 0.7, Reason(code=ReasonCode.JITTER_UP, value=41.0, unit="ms"))
    page.wait_for_selector('.tile[href="#/site/basti"][data-shade="at_risk"]')
    assert places(page, ".tile") == before
    assert "at risk · 70\u00a0%" in (page.text_content('.tile[href="#/site/basti"]') or "")
    fleet.decide("basti", State.READY, 0.95)
    page.reload()
    page.wait_for_selector(".tile")
    assert page.locator(".grid").is_visible()
    for _ in LANGUAGES:
        assert page.evaluate(CUT) == []
        said = page.text_content(".tile .state")
        page.keyboard.press("h")
        until(page, f"document.querySelector('.tile .state').textContent !== {said!r}")
    page.keyboard.press("m")
    assert page.locator(".map").is_visible()


def test_the_language_switches_in_place_and_is_remembered(page: Page, fleet: Any, until: Any) -> None:
    """Hindi is the deployment's; h shows English without a reload; the next visit remembers."""
    page.goto(fleet.url)
    page.wait_for_selector(".mark")
    assert page.get_attribute("html", "lang") == "hi"
    assert page.text_content(".attention h2") == "अगली मीटिंग से पहले"
    assert "रामपुर" in (page.text_content(mark("rampur")) or "")
    page.evaluate("window.notReloaded = true")
    page.keyboard.press("h")
    page.wait_for_selector("html[lang=en]")
    until(page, "document.querySelector('.attention h2').textContent === 'Before the next meeting'")
    assert "Rampur" in (page.text_content(mark("rampur")) or "")
    assert page.evaluate("window.notReloaded") is True
    page.goto(fleet.url)
    page.wait_for_selector(".mark")
    assert page.get_attribute("html", "lang") == "en"


@pytest.mark.parametrize(("language", "said"), [("hi", "लाइन बंद"), ("en", "down")])
def test_a_dead_line_is_called_so_on_the_map(page: Page, fleet: Any, language: str, said: str) -> None:
    """Nothing comes through it at this moment: the label says that, and not the chance that it is back by the meeting."""
    open_wall(page, fleet, f"/?lang={language}")
    fleet.report(["jhansi-city"])
    page.wait_for_selector(f"{mark('jhansi-city')}:not(.old)")
    label = page.text_content(f"{mark('jhansi-city')} text") or ""
    assert label.endswith(f" {said}")
    assert "%" not in label
    assert said in (page.get_attribute(mark("jhansi-city"), "aria-label") or "")


def test_a_phone_shows_what_needs_doing_first(page: Page, fleet: Any) -> None:
    """List, then meetings, then all offices; no map, nothing wider than the screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    open_wall(page, fleet, "/?lang=hi")
    assert not page.locator(".map-frame").is_visible()
    tops = [boxes(page, name)[0]["y"] for name in (".attention", ".timeline", ".grid")]
    assert tops == sorted(tops)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".rows li[hidden]").count() == 0


def test_paper_gets_the_list_and_the_meetings(page: Page, fleet: Any) -> None:
    """In print the map and the buttons are gone, the list and the meetings stand black on white."""
    open_wall(page, fleet)
    page.emulate_media(media="print")
    for gone in (".fleet", ".controls", ".now-line"):
        assert not page.locator(gone).first.is_visible()
    assert page.locator(".row").first.is_visible()
    assert page.locator(".bar").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.row .name')).color") == "rgb(0, 0, 0)"


def test_the_picture_of_the_browser_stays_that_of_the_server(page: Page, fleet: Any, until: Any) -> None:
    """After many changes, told one by one, the page knows exactly what a fresh page would be given."""
    open_wall(page, fleet)
    for n, site in enumerate(["mathura", "hardoi", "deoria", "mathura", "unnao"]):
        fleet.report([site], up_loss=0.1 * (n % 2))
        fleet.decide(
            site, State.AT_RISK, 0.6 + n / 100, Reason(code=ReasonCode.RTT, value=300.0 + n, unit="ms")
        )
        until(page, f"document.querySelector('{mark(site)}').getAttribute('aria-label').includes('{60 + n}')")
    fresh = page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model} = await import(script);
        for (let i = 0; i < 600; i += 1) {
          const whole = await (await fetch('/api/snapshot')).json();
          const same = part => JSON.stringify(sorted(model[part])) === JSON.stringify(sorted(whole.picture[part]));
          function sorted(v) { return v && typeof v === 'object' && !Array.isArray(v)
            ? Object.fromEntries(Object.keys(v).sort().map(k => [k, sorted(v[k])])) : v; }
          if (['tiles', 'meetings', 'flags'].every(same)) return true;
          await new Promise(r => setTimeout(r, 100));
        }
        return false; }"""
    )
    assert fresh is True
    for site in ("mathura", "hardoi", "deoria", "unnao"):
        fleet.decide(site, State.READY, 0.95)


def test_numbers_are_written_as_the_server_writes_them(page: Page, fleet: Any) -> None:
    """The browser's formats and the catalogues' are twins: the same text for every value, in both languages."""
    from telemetry.words import format as form

    ratios = [
        0,
        1e-9,
        0.000058,
        0.0001,
        0.00042,
        0.0099,
        0.0405,
        0.095,
        0.31,
        0.5,
        0.845,
        0.945,
        0.994,
        0.9951,
        0.9999,
        1,
    ]
    durations_ms = [0.0456, 1.25, 9.95, 38, 99.6, 243, 1234.5, 5]
    rates = [300, 999.6e3, 640e3, 1.2e6, 9.96e6, 24.6e6]
    spans = [0, 1, 42.4, 59.6, 60, 90, 2300, 3599, 3600, 6720, 7800, 86_399, 90_061, 170_220, 864_000]
    moments = [NOW_NS + n * 7 * 3600 * SECOND_NS for n in range(8)]
    for language in ("hi", "en"):
        page.goto(f"{fleet.url}/?lang={language}")
        page.wait_for_selector(".mark")
        told = page.evaluate(
            """async ([ratios, durations, rates, spans, times]) => {
            const f = await import(document.querySelector('script[type=module]').src.replace('main.js', 'format.js'));
            return [ratios.map(f.percent), durations.map(f.ms), rates.map(f.rate), spans.map(f.duration), times.map(f.moment), times.map((at) => f.dayClock(at, times[0]))]; }""",
            json.loads(json.dumps([ratios, durations_ms, rates, spans, [t // 10**6 for t in moments]])),
        )
        assert told == [
            [form.percent(language, v) for v in ratios],
            [form.milliseconds(language, v) for v in durations_ms],
            [form.rate(language, v) for v in rates],
            [form.duration(language, v) for v in spans],
            [form.moment(language, t, form.DEFAULT_ZONE) for t in moments],
            [form.day_clock(language, t, form.DEFAULT_ZONE, moments[0]) for t in moments],
        ]
