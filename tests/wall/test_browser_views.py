"""Meetings, shared faults and rehearsals in a real Chromium; a fleet of thousands; a stream that slept."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import config
from telemetry.decisions import Factor, FactorKind, Reason, ReasonCode, State
from telemetry.windows import SECOND_NS
from telemetry.words import say_reason
from tests.wall.conftest import at_rest
from tests.wall.crowded import write_fleet
from tests.wall.storied_fleet import made_fleet, tell_rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser
MORNING = "#/meeting/morning-review%40tatpar.example/20261124T053000Z"
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
EVENING = "#/meeting/evening-review%40tatpar.example/20261124T123000Z"
YESTERDAY = "#/meeting/morning-review%40tatpar.example/20261123T053000Z"


def text_of(page: Page, selector: str) -> str:
    return page.inner_text(selector).replace("\u00a0", " ")


def test_whoever_types_a_note_is_not_disturbed(page: Page, faulty: Any, until: Any) -> None:
    """The fault changes meanwhile and is drawn anew: name and note stay, and so does the place where the next letter comes."""
    page.goto(f"{faulty.url}/?lang=en#/incidents/{faulty.lasting}")
    page.fill("#ack-name", "Ravi Kumar")
    page.focus("#ack-note")
    page.keyboard.type("provider called")
    page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, takeChange} = await import(script);
        window.before = document.querySelector('.evidence');
        takeChange({incidents: model.incidents.map((one) => ({...one, told: (one.told ?? 0) + 1}))}); }"""
    )
    until(page, "!window.before.isConnected && document.querySelector('.evidence')")
    page.keyboard.type(", complaint 771")
    assert page.input_value("#ack-note") == "provider called, complaint 771"
    assert page.input_value("#ack-name") == "Ravi Kumar"


def test_a_shared_fault_is_taken_up_with_a_name_and_a_note(page: Page, faulty: Any, until: Any) -> None:
    """The badge and the foot lead there; the evidence is told; once taken up it is so on every open page, by name."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    assert page.inner_text(".badge") == "1"
    assert page.locator(".hull-inner").get_attribute("d")
    assert text_of(page, ".shared-causes") == "Fault at the provider provider-b · 7 offices"
    page.keyboard.press("3")
    page.wait_for_selector(".case form")
    assert text_of(page, ".evidence").split("\n") == [
        "Evidence", "Offices of this provider that suffer", "7 of 8", "All other offices that suffer", "1 of 48",
    ]  # fmt: skip
    assert page.locator(".office-chip").count() == 7
    assert page.locator(".case-line").count() == 2
    page.fill("#ack-name", "Ravi Kumar")
    page.fill("#ack-note", "provider called, complaint 771")
    page.keyboard.press("Enter")
    page.wait_for_selector(".case .taken")
    assert "Ravi Kumar is on it" in text_of(page, ".acknowledge")
    assert "complaint 771" in text_of(page, ".story-acknowledged")
    page.wait_for_selector(".case-ack.taken")
    page.wait_for_selector(".badge.taken")
    until(page, "document.querySelector('.bottom .incidents').textContent.includes('Ravi Kumar is on it')")
    (alert,) = [one for one in faulty.state.open_alerts() if one.incident == faulty.lasting]
    assert (alert.acknowledged_by, alert.note) == ("Ravi Kumar", "provider called, complaint 771")
    page.click(f'[data-case="{faulty.over}"]')
    page.wait_for_selector(".case .story-over")
    assert "Asha Verma took it up at 07:26" in text_of(page, ".acknowledge")
    assert page.locator(".case form").count() == 0
    page.keyboard.press("Escape")
    page.wait_for_selector(".mark")


def test_a_faults_length_is_that_between_the_minutes_beside_it(page: Page, faulty: Any) -> None:
    """00:42 to 00:47 is five minutes for whoever reads it, whatever the seconds were; never none."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    told = page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'causes.js');
        const {lengthText} = await import(script);
        const at = (minute, second) => (minute * 60 + second) * 1000;
        return [[at(42, 1), at(47, 50)], [at(42, 59), at(47, 0)], [at(42, 1), at(42, 59)]]
            .map(([since_ms, until_ms]) => lengthText({since_ms, until_ms})); }"""
    )
    assert [one.replace("\u00a0", " ") for one in told] == ["5 min", "5 min", "1 min"]


def test_a_spell_of_exactly_a_day_is_no_moment(page: Page, faulty: Any) -> None:
    """The clock is the same and the day is not; within one minute one time is enough. As `say_reason` says it."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    since_ms = 1_763_962_200_000
    spells = [since_ms + 20_000, since_ms + 86_400_000]
    told = page.evaluate(
        """async ([since_ms, spells]) => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'reasons.js');
        const {sayReason} = await import(script);
        return spells.map((until_ms) => sayReason({code: 'outage', since_ms, until_ms})); }""",
        [since_ms, spells],
    )
    now_ns = page.evaluate("Date.now()") * 10**6
    assert told == [
        say_reason(
            "en",
            Reason(code=ReasonCode.OUTAGE, since_ns=since_ms * 10**6, until_ns=until_ms * 10**6),
            now_ns=now_ns,
        )
        for until_ms in spells
    ]
    assert [" to " in one for one in told] == [False, True]


def test_a_share_of_others_lines_says_of_whose(page: Page, faulty: Any) -> None:
    """The provider, or the headquarters by its name. As `say_reason` says it."""
    page.goto(f"{faulty.url}/?lang=en")
    page.wait_for_selector(".mark")
    whose = [("provider", "provider-b"), ("end", "state")]
    told = page.evaluate(
        """async (whose) => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'reasons.js');
        const {sayReason} = await import(script);
        return whose.map(([kind, name]) => sayReason({code: 'shared_fault', value: 0.18, unit: 'ratio', among: {kind, name}})); }""",
        whose,
    )
    names = {"state": page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model} = await import(script);
        return model.scene.ends.find((end) => end.id === 'state').en; }"""
    )}  # fmt: skip
    reasons = [
        Reason(code=ReasonCode.SHARED_FAULT, value=0.18, unit="ratio", among=Factor(FactorKind(kind), name))
        for kind, name in whose
    ]
    assert names["state"] != "state"
    assert told == [say_reason("en", reason, names=names) for reason in reasons]


def test_a_row_names_the_cause_that_an_office_shares(page: Page, faulty: Any, until: Any) -> None:
    """The provider, in the list and in what is read out, not trouble at other offices; a meeting of tomorrow is called so."""
    factor = Factor(kind=FactorKind.PROVIDER, name="provider-b")
    reason = Reason(code=ReasonCode.SHARED_FAULT, value=7, limit=8, factor=factor)
    faulty.decide("agra", State.AT_RISK, 0.78, reason)
    page.goto(f"{faulty.url}/?lang=en")
    row = ".rows .row[href='#/site/agra']"
    page.wait_for_selector(row)
    assert page.text_content(f"{row} .reason") == "Fault at the provider provider-b"
    spoken = page.get_attribute(".mark[href='#/site/agra']", "aria-label") or ""
    assert "Fault at the provider provider-b" in spoken
    assert page.inner_text(".attention .subtitle").startswith("11:00 · Morning review")
    page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, takeChange} = await import(script);
        const later = ([key, m]) => [key, {...m, starts_ms: m.starts_ms + 86_400_000, ends_ms: m.ends_ms + 86_400_000}];
        takeChange({meetings: Object.fromEntries(Object.entries(model.meetings).map(later))}); }"""
    )
    until(
        page,
        "document.querySelector('.attention .subtitle').textContent.startsWith('Tomorrow 11:00 · Morning review')",
    )
    faulty.decide("agra", State.READY, 0.95)
    until(page, "document.querySelector('.mark[href=\"#/site/agra\"]').classList.contains('is-ready')")


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
    """Who lost every packet for ten minutes: for how long, of how long; who was only poor: how many windows broke."""
    page.goto(f"{faulty.url}/?lang=en#/meetings")
    page.click(f'.past-table a[href="{YESTERDAY}"]')
    page.wait_for_selector(".came-true")
    told = page.locator(".verdicts .col-outcome small").all_text_contents()
    said = {one.replace("\u00a0", " ").strip() for one in told}
    assert any(
        one.startswith("Line down for 10 min of ") and one.endswith(": all packets lost") for one in said
    ), said
    assert "61 of 240 windows broken" in said


def drawn_anew(page: Page, until: Any) -> None:
    """The meeting's page after something has changed in it."""
    page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, takeChange} = await import(script);
        window.before = document.querySelector('.verdicts');
        const other = ([key, meeting]) => [key, {...meeting, stamp: `${meeting.stamp} and more`}];
        takeChange({meetings: Object.fromEntries(Object.entries(model.meetings).map(other))}); }"""
    )
    until(page, "!window.before.isConnected && document.querySelector('.verdicts')")


def test_a_rehearsal_asks_first_and_shows_its_progress(page: Page, faulty: Any, until: Any) -> None:
    """Nothing begins before the second press; offices come in as they are done; at the end what headquarters carried."""
    page.goto(f"{faulty.url}/?lang=en{MORNING}")
    page.click(".rehearsal-start button")
    page.wait_for_selector("dialog[open]")
    assert "Rehearse with 56 offices?" in text_of(page, "dialog[open]")
    page.keyboard.press("Escape")
    assert faulty.state.open_rehearsal() is None
    page.click(".rehearsal-start button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rehearsal-progress:has-text('about to begin')")
    asked = faulty.state.open_rehearsal().request.id
    tell_rehearsal(faulty, asked)
    page.wait_for_selector(".rehearsed li")
    assert text_of(page, ".rehearsal-progress") == "running · stage 1 of 2 · 3 of 56 offices done"
    assert (
        " ".join(text_of(page, ".rehearsed li:first-child").split())
        == "Rampur broke ↑ Video 360p ↓ Video 720p uplink: packets are lost"
    )
    assert "51 offices wait for their turn" in text_of(page, ".rehearsal-detail")
    assert page.locator(".rehearsal-start button").is_disabled()
    tell_rehearsal(faulty, asked, done=True)
    page.wait_for_selector(".rehearsal-progress:has-text('56 of 56 offices done')")
    assert "↑ 61 Mbit/s" in text_of(page, ".hub")
    page.set_viewport_size({"width": 1366, "height": 768})
    page.wait_for_selector(".rehearsal-detail.goes-on")  # its last line fades out, and is not cut through
    assert page.eval_on_selector(".rehearsal-detail", "e => getComputedStyle(e).maskImage") != "none"
    page.eval_on_selector(".rehearsal-detail", "e => { e.scrollTop = e.scrollHeight; }")
    page.wait_for_selector(".rehearsal-detail:not(.goes-on)")
    drawn_anew(page, until)
    page.wait_for_selector(".rehearsal-detail:not(.goes-on)")  # it stays where the reader has scrolled to
    assert page.evaluate("document.querySelector('.rehearsal-detail').scrollTop") > 0
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert page.locator(".rehearsal-start button").is_enabled()
    page.wait_for_selector(".verdicts .hint")
    told = text_of(page, ".verdicts tr:has([data-site='rampur']) .hint")
    assert told.endswith(": ↑ Video 360p ↓ Video 720p · uplink: packets are lost")
    assert text_of(page, ".verdicts tr:has([data-site='agra']) .hint").endswith(": ↑ Video 720p ↓ Video 720p")


def test_a_rehearsal_is_looked_at_once_at_a_time(page: Page, faulty: Any) -> None:
    """Another language is chosen while a look is on its way: one look follows, not two for ever. The meeting is one of its own, for the clock stands still, and newest would be either."""
    page.goto(f"{faulty.url}/?lang=en{EVENING}")
    page.click(".rehearsal-start button")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rehearsal-progress:has-text('about to begin')")
    looks: list[Route] = []

    def hold(look: Route) -> None:
        looks.append(look)

    def wait_for(count: int) -> None:
        end = time.monotonic() + 60
        while len(looks) < count:
            assert time.monotonic() < end, f"{len(looks)} looks, not {count}"
            page.wait_for_timeout(20)

    page.route("**/api/rehearsals/*", hold)
    wait_for(1)
    page.keyboard.press("h")
    wait_for(2)
    for look in looks:
        look.continue_()
    looks.clear()
    wait_for(1)
    page.wait_for_timeout(1000)  # a second loop would look within some milliseconds of the first
    assert len(looks) == 1
    tell_rehearsal(faulty, faulty.state.open_rehearsal().request.id, done=True)
    looks[0].continue_()
    page.wait_for_selector(".rehearsal-start button:enabled")


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


def test_a_faults_office_that_falls_silent_is_shown_without_contact(
    page: Page, faulty: Any, until: Any
) -> None:
    """In the minutes in which its verdict still says ready, and without a change of its tile: by shape, word and label."""
    page.goto(f"{faulty.url}/?lang=en#/incidents/{faulty.lasting}")
    page.wait_for_selector(".office-chip")
    site = page.evaluate(
        """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
        const {model, now, takeChange} = await import(script);
        const site = document.querySelector('.office-chip').dataset.office;
        const heard = ([id, tile]) => [id, {shade: 'ready', newest_ms: id === site ? now() - 44_000 : now() + 3_600_000}];
        takeChange({
            tiles: Object.fromEntries(Object.entries(model.tiles).filter(([, tile]) => tile.shade !== 'planned').map(heard)),
            pulses: Object.fromEntries(Object.keys(model.pulses).map((key) => [key, null])),
        });
        return site; }"""
    )
    chip = f".office-chip[data-office='{site}']"
    until(page, f"""document.querySelector("{chip}").textContent.includes('no contact')""")
    assert page.get_attribute(f"{chip} use", "href") == "#shape-dark"
    assert ": no contact, old data, " in (page.get_attribute(chip, "aria-label") or "")
    assert page.locator(".office-chip use[href='#shape-ready']").count() == 6
