"""What is said before the next meeting, in a real Chromium: that meeting's offices first, whatever else is wrong."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

import config
from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode, State
from tests.wall.conftest import at_rest
from tests.wall.crowded import write_meetings
from tests.wall.story import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
LOSS = Reason(code=ReasonCode.LOSS_UP, value=0.05, unit="ratio")
Expected = dict[str, tuple[State, float] | tuple[State, float, Reason]]
FAULT = Reason(
    code=ReasonCode.SHARED_FAULT, value=4, limit=5, factor=Factor(FactorKind.PROVIDER, "provider-d")
)


@pytest.fixture
def day(
    tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any]
) -> Callable[[dict[str, Expected]], Any]:
    """The wall at 10:17: one meeting of all offices runs (and "beside" it one of Braj, if expected), one of Braj comes at 10:30 (if `soon`), one of all at 14:00."""

    @contextmanager
    def served(
        expected: dict[str, Expected], *, soon: bool = True
    ) -> Iterator[tuple[str, Callable[..., None]]]:
        shutil.copytree(Path(config.__file__).parent / "defaults", tmp_path / "config")
        folder = tmp_path / "config" / "meetings"
        for file in folder.glob("*.ics"):
            file.unlink()
        write_meetings(
            folder,
            [
                ("runs", "1000", 60, "all"),
                *([("beside", "1005", 55, "region:braj")] if "beside" in expected else []),
                *([("next", "1030", 30, "region:braj")] if soon else []),
                ("late", "1400", 60, "all"),
            ],
        )
        (tmp_path / "data").mkdir()
        made = make_fleet(tmp_path / "data", tmp_path / "config" / "tatpar.toml", story=False)
        with made as fleet:
            linked = set(fleet.linked)

            def decide(meetings: dict[str, Expected]) -> None:
                for at in fleet.occurrences((0, 1)):
                    weak = meetings.get(at.meeting.uid.partition("@")[0])
                    if weak is None:
                        continue
                    fleet.state.put_verdicts(
                        [
                            structs.replace(
                                verdict(site, at, fleet.clock.now_ns()),
                                state=weak[site][0] if site in weak else State.READY,
                                probability=weak[site][1] if site in weak else 0.97,
                                reasons=(weak[site][2:] or (LOSS,)) if site in weak else (),
                                action=Action.SECOND_LINE if site in weak else Action.NONE,
                            )
                            for site in at.meeting.invited
                            if site in linked
                        ]
                    )

            # Before the wall is served: it would draw what is decided of one meeting while the next still waits.
            decide({"runs": {}, "next": {}, "late": {}} | expected)
            with serve_page(fleet) as url:
                yield url, decide

    return served


def said(page: Page) -> list[str]:
    """Names and headings of the list as they stand, top down, the visible ones."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll('.rows > li')].filter(item => item.checkVisibility())
        .map(item => (item.querySelector('.name, h3')).textContent.replaceAll('\\u00a0', ' '))"""
    )
    return found


def open_wall(page: Page, url: str) -> None:
    page.goto(f"{url}/?lang=en")
    page.wait_for_selector(".attention h2")
    at_rest(page)


def test_the_next_meetings_offices_come_first_though_others_are_worse(page: Page, day: Any) -> None:
    """Its weak offices by state, probability and name; those of the meeting that runs stand below, under its time."""
    bad, risk = State.NOT_READY, State.AT_RISK
    weak = {
        "next": {"agra": (risk, 0.7), "mathura": (risk, 0.7), "hathras": (bad, 0.5), "aligarh": (risk, 0.62)},
        "runs": {"varanasi": (bad, 0.01), "agra": (bad, 0.2)},
    }
    with day(weak) as (url, _):
        open_wall(page, url)
        assert page.inner_text(".attention h2") == "Before the next meeting"
        assert page.inner_text(".attention .subtitle").startswith("10:30 · District by district next")
        assert said(page) == [
            "Hathras",
            "Aligarh",
            "Agra",
            "Mathura",
            "10:00 · District by district runs",
            "Varanasi",
            "Agra",
        ]


def test_a_running_meeting_lists_whoever_is_weak_in_another_too(page: Page, day: Any, until: Any) -> None:
    """Two run and a third comes: an office that none of them has for sure stands under each, with its chance in that one."""
    bad, risk = State.NOT_READY, State.AT_RISK
    weak = {
        "next": {"agra": (risk, 0.7)},
        "runs": {"varanasi": (bad, 0.01), "agra": (bad, 0.2)},
        "beside": {"agra": (bad, 0.3), "mathura": (risk, 0.72)},
    }
    with day(weak) as (url, decide):
        open_wall(page, url)
        first, second = "10:00 · District by district runs", "10:05 · District by district beside"
        assert said(page) == ["Agra", first, "Varanasi", "Agra", second, "Agra", "Mathura"]
        chances = page.locator(".rows .row .chance").all_inner_texts()
        assert [chance.split()[0] for chance in chances] == ["70", "1", "20", "30", "72"]
        assert page.locator(".rows .group b").all_inner_texts() == ["Running now"] * 2
        decide({"next": {}, "runs": weak["runs"], "beside": weak["beside"]})
        until(
            page, "document.querySelector('.attention h2').textContent === 'In the meeting that is running'"
        )
        assert said(page) == ["Varanasi", "Agra", second, "Agra", "Mathura"]


def test_a_next_meeting_that_all_will_hold_says_so_above_the_others(page: Page, day: Any) -> None:
    """Nothing of another meeting is passed off as the next one's; the sentence counts the invited, not the linked."""
    with day({"runs": {"varanasi": (State.AT_RISK, 0.7)}}) as (url, _):
        open_wall(page, url)
        nothing = page.inner_text(".attention .nothing")
        assert "invited offices that are linked are ready" in nothing
        assert "56" not in nothing
        assert "Nothing to do" not in nothing
        assert said(page) == ["10:00 · District by district runs", "Varanasi"]


def test_a_running_meetings_trouble_stands_before_a_meeting_hours_away(
    page: Page, day: Any, until: Any
) -> None:
    """Nothing is to be done only once the running one holds, and no fault that offices share lasts."""
    with day({"runs": {"varanasi": (State.NOT_READY, 0.01)}}, soon=False) as (url, decide):
        open_wall(page, url)
        assert page.inner_text(".attention h2") == "In the meeting that is running"
        assert page.inner_text(".attention .subtitle").startswith("10:00 · District by district runs")
        assert said(page) == ["Varanasi"]
        assert not page.locator(".attention .nothing").is_visible()
        decide({"late": {"agra": (State.AT_RISK, 0.7)}})
        until(page, "document.querySelectorAll('.rows > li').length === 3")
        assert said(page) == ["Varanasi", "14:00 · District by district late", "Agra"]
        decide({"runs": {}, "late": {}})
        until(page, "document.querySelector('.attention h2').textContent === 'Before the next meeting'")
        until(
            page,
            "document.querySelector('.attention .nothing').textContent.endsWith('are ready. Nothing to do.')",
        )
        page.evaluate(
            """async () => { const script = document.querySelector('script[type=module]').src.replace('main.js', 'model.js');
            const {takeChange, now} = await import(script);
            takeChange({incidents: [{id: 'one', kind: 'provider', name: 'provider-b', region: '', sites: ['agra'], since_ms: now() - 60_000}]}); }"""
        )
        until(page, "document.querySelector('.attention .nothing').textContent.endsWith('are ready.')")


def test_all_ready_for_the_next_meeting_never_hides_the_running_ones_trouble(
    page: Page, day: Any, until: Any
) -> None:
    """Quarter of an hour before a meeting that all will hold: the head and the list tell of the one that fails."""
    with day({"runs": {"varanasi": (State.NOT_READY, 0.01)}}) as (url, decide):
        open_wall(page, url)
        assert page.inner_text(".attention h2") == "In the meeting that is running"
        assert said(page) == ["Varanasi"]
        assert page.inner_text(".next-label") == "Meeting running for"
        assert page.inner_text(".next-title").endswith("runs")
        assert page.inner_text(".next-ready b") == "55/56"
        decide({"next": {"agra": (State.AT_RISK, 0.7)}})
        until(page, "document.querySelector('.attention h2').textContent === 'Before the next meeting'")
        assert said(page) == ["Agra", "10:00 · District by district runs", "Varanasi"]
        until(page, "document.querySelector('.next-title').textContent.endsWith('next')")


def test_more_never_hides_the_next_meetings_offices_below_others(page: Page, day: Any) -> None:
    """When room is short, others go first; what of the next meeting has no room is counted, and leads to it."""
    page.set_viewport_size({"width": 1366, "height": 768})
    names = "varanasi gorakhpur deoria basti jhansi mahoba sultanpur amethi jaunpur azamgarh unnao hardoi"
    crowd = dict.fromkeys(names.split(), (State.NOT_READY, 0.01))
    weak = {"next": {"agra": (State.AT_RISK, 0.85), "mathura": (State.AT_RISK, 0.88)}, "runs": crowd}
    with day(weak) as (url, decide):
        open_wall(page, url)
        shown = said(page)
        assert shown[:3] == ["Agra", "Mathura", "10:00 · District by district runs"]
        hidden = len(crowd) - (len(shown) - 3)
        assert hidden > 0
        assert page.inner_text(".more") == f"and {hidden} more offices, under other headings"
        assert page.get_attribute(".more", "href") is None
        everybody = {site.id for site in braj()}
        decide({"next": dict.fromkeys(everybody, (State.AT_RISK, 0.7))})
        page.wait_for_selector(".more[href*='next']", timeout=60_000)
        shown = said(page)
        assert not any("runs" in text for text in shown)
        assert page.inner_text(".more") == f"and {len(everybody) - len(shown)} more offices"


def test_a_shared_fault_is_one_row_with_its_offices_in_it(page: Page, day: Any, until: Any) -> None:
    """It stands where its worst office would, counts them, names them when it is opened, and hides nobody's own trouble."""
    bad = State.NOT_READY
    hit = {
        "varanasi": (bad, 0.05, FAULT),
        "jaunpur": (bad, 0.04, FAULT),
        "deoria": (State.AT_RISK, 0.7, FAULT),
    }
    runs = {**hit, "basti": (bad, 0.01), "agra": (bad, 0.2)}
    with day({"runs": runs}, soon=False) as (url, decide):
        open_wall(page, url)
        assert said(page) == ["Basti", "Fault at the provider provider-d", "Agra"]
        fold = page.locator(".rows details")
        assert fold.locator(".reason").inner_text() == "3 offices"
        assert fold.locator(".chance").inner_text().replace("\u00a0", " ") == "4 %"
        assert not fold.locator(".names").is_visible()
        fold.locator("summary").press("Enter")
        assert fold.locator(".names a").all_inner_texts() == ["Jaunpur", "Varanasi", "Deoria"]
        assert fold.locator(".names a").first.get_attribute("href") == "#/site/jaunpur"
        decide({"runs": {**runs, "unnao": (bad, 0.03, FAULT)}})
        until(page, "document.querySelector('.rows details .reason').textContent === '4 offices'")
        assert fold.locator(".names").is_visible()
        assert said(page) == ["Basti", "Fault at the provider provider-d", "Agra"]


@pytest.mark.parametrize(("language", "width"), [("en", 1920), ("hi", 1366), ("hi", 390)])
def test_a_shared_fault_that_hits_its_offices_unlike_says_that_it_shows_the_worst(
    page: Page, day: Any, until: Any, language: str, width: int
) -> None:
    """One of three is not ready, two are at risk: the row's state and chance are not those of all. Where all are alike they are."""
    page.set_viewport_size({"width": width, "height": 844})
    words = {"en": ("at worst not ready", "at risk"), "hi": ("सबसे ख़राब हाल: तैयार नहीं", "जोखिम में")}[language]
    alike = dict.fromkeys(("jaunpur", "deoria"), (State.AT_RISK, 0.77, FAULT))
    with day({"runs": {"varanasi": (State.NOT_READY, 0.57, FAULT), **alike}}, soon=False) as (url, decide):
        page.goto(f"{url}/?lang={language}")
        page.wait_for_selector(".rows details")
        at_rest(page)
        fold = page.locator(".rows details")
        assert fold.locator(".worst").inner_text() == words[0]
        assert fold.locator(".chance").inner_text().startswith("57")
        assert not fold.locator(".sr").count()
        boxes = {
            part: fold.locator(part).bounding_box() for part in (".worst", ".chance", ".reason", ".name")
        }
        worst, chance, reason, name = (box for box in boxes.values() if box is not None)
        assert worst["y"] >= chance["y"] + chance["height"] - 1
        assert worst["y"] >= name["y"] + name["height"] - 1
        assert reason["x"] + reason["width"] <= worst["x"]
        decide({"runs": alike})
        until(
            page, "document.querySelector('.rows details') && !document.querySelector('.rows details .worst')"
        )
        assert fold.locator(".sr").text_content() == words[1]
        assert fold.locator(".chance").inner_text().startswith("77")


def test_while_a_meeting_runs_the_next_one_is_named_as_such(page: Page, day: Any) -> None:
    """The rows of a meeting hours away stand below the running one that all hold, and never as if they were its own."""
    with day({"late": {"agra": (State.AT_RISK, 0.7)}}, soon=False) as (url, _):
        open_wall(page, url)
        assert page.inner_text(".attention h2") == "In the meeting that is running"
        assert "invited offices that are linked are ready" in page.inner_text(".attention .nothing")
        assert said(page) == ["14:00 · District by district late", "Agra"]
        assert page.inner_text(".rows .group b") == "Next meeting"
        assert page.inner_text(".next-label") == "Meeting running for"


def test_a_running_meeting_beside_a_pressing_one_is_named_as_running(page: Page, day: Any) -> None:
    """Within half an hour the next one's trouble comes first; what fails in the one that runs stands under its own name."""
    weak = {"next": {"agra": (State.AT_RISK, 0.7)}, "runs": {"varanasi": (State.NOT_READY, 0.01)}}
    with day(weak) as (url, _):
        open_wall(page, url)
        assert said(page) == ["Agra", "10:00 · District by district runs", "Varanasi"]
        assert page.inner_text(".rows .group b") == "Running now"


def test_the_page_of_a_running_meeting_says_of_what_its_verdicts_are(page: Page, day: Any) -> None:
    """An office that was away for a third of it and is well reads ready; of one that has not begun there is nothing to say."""
    rest = {
        "en": "running · the verdicts are about what is left of it, not about what it has lost",
        "hi": "चल रही है · हाल बचे हुए हिस्से का है, जो बीत गया उसका नहीं",
    }
    with day({}) as (url, _):
        for language, words in rest.items():
            page.goto(f"{url}/?lang={language}#/meeting/runs%40test.example/20261124T043000Z")
            page.wait_for_selector(".meeting-page .facts")
            assert page.inner_text(".meeting-page .facts").replace("\u00a0", " ").endswith(words)
        page.goto(f"{url}/?lang=en#/meeting/late%40test.example/20261124T083000Z")
        page.wait_for_selector(".meeting-page .facts >> text=14:00")
        assert "what is left" not in page.inner_text(".meeting-page .facts")


def test_a_meeting_that_runs_is_not_rehearsed(page: Page, day: Any) -> None:
    """Every office would refuse: its page says so in place of the button, which the next meeting's has."""
    said = {
        "en": "Not while the meeting runs: it would load the lines that carry it",
        "hi": "मीटिंग के दौरान नहीं होती: जाँच का डेटा उन्हीं लाइनों पर चलता है जिन पर मीटिंग",
    }
    with day({}) as (url, _):
        for language, words in said.items():
            page.goto(f"{url}/?lang={language}#/meeting/runs%40test.example/20261124T043000Z")
            page.wait_for_selector(".rehearsal-start .hint >> visible=true")
            assert page.inner_text(".rehearsal-start .hint") == words
            assert not page.locator(".rehearsal-start button").is_visible()
        page.goto(f"{url}/?lang=en#/meeting/late%40test.example/20261124T083000Z")
        page.wait_for_selector(".rehearsal-start button >> visible=true")
        assert "all its offices at once" in page.inner_text(".rehearsal-start .hint")


@pytest.mark.parametrize(("language", "width"), [("en", 1920), ("hi", 1366), ("hi", 390)])
def test_what_is_of_the_running_meeting_says_so_beside_a_list_of_the_next_one(
    page: Page, day: Any, until: Any, language: str, width: int
) -> None:
    """An office that is weak in both has two chances on one page: each is told with its meeting, on the map when it is asked."""
    words = {
        "en": (
            "Outside this list, an office in the running meeting has its chance in that one",
            "All offices: worst running meeting, else the next",
        ),
        "hi": (
            "इस सूची के बाहर, चल रही मीटिंग वाले कार्यालय की संभावना उसी मीटिंग की है",
            "सभी कार्यालय: चल रही मीटिंगों में सबसे ख़राब हाल, वरना अगली का",
        ),
    }[language]
    page.set_viewport_size({"width": width, "height": 844})
    weak = {"next": {"agra": (State.AT_RISK, 0.7)}, "runs": {"agra": (State.NOT_READY, 0.2)}}
    with day(weak) as (url, decide):
        page.goto(f"{url}/?lang={language}")
        page.wait_for_selector(".rows .row")
        at_rest(page)
        assert page.inner_text(".elsewhere") == words[0]
        assert page.inner_text(".counts-of") == words[1]
        cut = "[...document.querySelectorAll('.counts-of, .elsewhere')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
        assert page.evaluate(f"{cut}.length") == 0
        assert page.inner_text(".rows .row .chance").startswith("70")
        if width > 390:
            mark = ".mark[href='#/site/agra']"
            page.focus(mark)
            told = page.inner_text(".card.shown").replace("\u00a0", " ")
            assert "20 %" in told
            assert "10:00" in told
            assert "10:00" in (page.get_attribute(mark, "aria-label") or "")
        decide({"next": {}, "runs": {"agra": (State.NOT_READY, 0.2)}})
        until(
            page, "document.querySelector('.elsewhere').hidden"
        )  # now the list is about the running one too


def braj() -> list[Any]:
    """The linked offices of the region that the next meeting invites."""
    from config.load import load_config

    return [site for site in load_config(None).registry.linked() if site.region == "braj"]
