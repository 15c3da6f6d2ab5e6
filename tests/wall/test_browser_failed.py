"""Two meetings at once, in a real Chromium: map and counts show the worse verdict, and who has failed one already is said."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

import config
from tatpar.verdicts.underway import failing
from telemetry.decisions import Action, Flag, Reason, ReasonCode, State
from tests.wall.conftest import at_rest, text_of
from tests.wall.crowded import write_meetings
from tests.wall.story import NOW_NS, PATHS, STORY, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
WHOLE, BRAJ = "#/meeting/whole%40test.example/20261124T040000Z", "braj"
LOSS = Reason(code=ReasonCode.LOSS_UP, value=0.05, unit="ratio", path=PATHS[0])
FAILED = {"rampur": 48, "jhansi-city": 70, "sonbhadra": 190, "kushinagar": 98}
"""Broken windows of 240 by 10:17:50, as the story has them."""


@pytest.fixture
def both(tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any]) -> Iterator[Any]:
    """The story at 10:17: a meeting of all since 09:30, one of Braj since 10:05. Only Rampur is not ready for the first, nobody of Braj for the second."""
    shutil.copytree(Path(config.__file__).parent / "defaults", tmp_path / "config")
    folder = tmp_path / "config" / "meetings"
    for file in folder.glob("*.ics"):
        file.unlink()
    write_meetings(folder, [("whole", "0930", 60, "all"), ("beside", "1005", 55, "region:braj")])
    (tmp_path / "data").mkdir()
    with make_fleet(tmp_path / "data", tmp_path / "config" / "tatpar.toml") as fleet:
        fleet.failing = failing(fleet.live, tmp_path / "data", fleet.state)
        fleet.state.put_flags([], NOW_NS)
        decide(fleet, {"whole": {"rampur"}, "beside": set(braj(fleet))})
        with serve_page(fleet) as url:
            fleet.url = url
            yield fleet


def braj(fleet: Any) -> list[str]:
    """Its linked offices."""
    return [site.id for site in fleet.live.current.registry.linked() if site.region == BRAJ]


def decide(fleet: Any, weak: dict[str, set[str]]) -> None:
    """Nobody is ready for a meeting who is named with it, all others are."""
    for at in fleet.occurrences((0, 1)):
        named = weak[at.meeting.uid.partition("@")[0]]
        fleet.state.put_verdicts(
            [
                structs.replace(
                    verdict(site, at, NOW_NS),
                    state=State.NOT_READY if site in named else State.READY,
                    probability=0.0 if site in named else 0.97,
                    reasons=(LOSS,) if site in named else (),
                    action=Action.NONE,
                )
                for site in at.meeting.invited
                if site in fleet.linked
            ]
        )


def rows(page: Page) -> list[str]:
    """Names and headings of the list, top down, also those that there is no room for."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.rows > li')].map(e => e.querySelector('.name, h3').textContent.replaceAll('\\u00a0', ' '))"
    )
    return found


WORDS = {
    "en": (
        "All offices: worst running meeting, else the next",
        "2 running, this for",
        "has failed it already: 20 % of it too poor",
        "Failed it already, ready for the rest",
        "Sonbhadra (79 % of it too poor)",
    ),
    "hi": (
        "सभी कार्यालय: चल रही मीटिंगों में सबसे ख़राब हाल, वरना अगली का",
        "2 मीटिंग चल रही हैं, उनमें यह",
        "मीटिंग नहीं चली, यह तय है: 20 % समय लाइन ख़राब थी",
        "मीटिंग नहीं चली, यह तय है; बचे हिस्से के लिए तैयार",
        "सोनभद्र (79 % समय लाइन ख़राब थी)",
    ),
}


@pytest.mark.parametrize(("language", "width"), [("en", 1920), ("hi", 1366), ("hi", 390)])
def test_the_front_shows_the_worse_of_two_meetings_and_who_has_failed(
    page: Page, both: Any, until: Any, language: str, width: int
) -> None:
    """Ready for the one and not for the other is not ready; three that are ready have failed the first, and are one row under it."""
    caption, label, failed, fold, share = WORDS[language]
    page.set_viewport_size({"width": width, "height": 844 if width < 400 else 1080})
    page.goto(f"{both.url}/?lang={language}")
    until(page, "document.querySelector('.rows details')")
    at_rest(page)
    assert page.inner_text(".count.shade-not_ready b") == str(len(braj(both)) + 1)
    assert text_of(page, ".counts-of") == caption
    assert text_of(page, ".next-label") == label
    cut = "[...document.querySelectorAll('.counts-of, .next-label, .next-title')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
    assert page.evaluate(f"{cut}.map(e => e.className)") == []
    if width > 400:
        assert page.locator(".mark.is-not_ready").count() == len(braj(both)) + 1
    told = rows(page)
    assert told[1] == fold
    assert told[2].endswith("beside")
    rampur, early = page.locator(".rows .row").nth(0), page.locator(".rows details")
    assert (rampur.locator(".reason").text_content() or "").replace("\u00a0", " ").startswith(failed)
    early.locator("summary").press("Enter")
    assert early.locator(".names a").count() == len(FAILED) - 1
    assert share in (early.locator(".names").text_content() or "").replace("\u00a0", " ")


def test_no_line_is_said_to_hold_of_an_office_that_has_failed_or_does_not_hold(
    page: Page, both: Any, until: Any
) -> None:
    """Degraded lines stay under "will hold" only of who holds every running meeting, at once and not after the list's minute."""
    reason = structs.replace(LOSS, value=0.04)
    degraded = [
        Flag(site=site, path=PATHS[0], reason=reason, since_ns=NOW_NS, seen_ns=NOW_NS)
        for site in ("kushinagar", "agra", "varanasi")
    ]
    decide(
        both, {"whole": {"rampur"}, "beside": set()}
    )  # so that the first meeting, and with it the order, stays
    both.state.put_flags(degraded, NOW_NS)
    page.goto(f"{both.url}/?lang=en")
    until(page, "document.querySelector('.rows .group') && document.querySelector('.rows details')")
    held = rows(page)
    assert held[held.index("Line degraded now, forecast still: will hold") + 1 :] == ["Agra", "Varanasi"]
    decide(both, {"whole": {"rampur"}, "beside": {"agra"}})
    until(page, "document.querySelectorAll('.rows .row[data-shade=not_ready]').length === 2")
    held = rows(page)
    assert held.count("Agra") == 1
    assert held[held.index("Line degraded now, forecast still: will hold") + 1 :] == ["Varanasi"]


PAGE = {
    "en": (
        "4 offices have failed it already",
        "has failed it already: 79 % of the meeting was below what the call needs",
    ),
    "hi": (
        "4 कार्यालयों में मीटिंग नहीं चली, यह तय है",
        "मीटिंग नहीं चली, यह तय है: पूरी मीटिंग के 79 % समय में लाइन ज़रूरत से कम थी",
    ),
}


@pytest.mark.parametrize("language", PAGE)
def test_the_page_of_a_running_meeting_says_who_has_failed_it(
    page: Page, both: Any, until: Any, language: str
) -> None:
    """In the head how many, in the row how much; who has and is ready for the rest stands before who has not."""
    head, row = PAGE[language]
    assert set(FAILED) <= set(STORY)
    page.goto(f"{both.url}/?lang={language}{WHOLE}")
    until(page, "document.querySelector('.verdicts .failed')")
    assert text_of(page, ".meeting-page .facts").endswith(head)
    sites = page.locator(".verdicts tbody a").evaluate_all("found => found.map(a => a.dataset.site)")
    assert sites[0] == "rampur"
    assert set(sites[:4]) == set(FAILED)
    sonbhadra = page.locator(".verdicts tr", has=page.locator("[data-site=sonbhadra]"))
    assert sonbhadra.locator(".failed").inner_text().replace("\u00a0", " ") == row
    assert page.locator(".verdicts .failed").count() == len(FAILED)
