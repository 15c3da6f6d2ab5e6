"""A meeting that is over says on the wall what came true, of those that were in it; what was expected last is no longer what is."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

import config
from config.sites import Site, SiteStatus
from dashboards.wall.meeting_page import meeting_page
from dashboards.wall.picture.gatherings import gatherings
from dashboards.wall.picture.model import Came
from telemetry.decisions import Outcome, OutcomeState, State, Verdict
from telemetry.windows import HOUR_NS
from tests.wall.conftest import at_rest
from tests.wall.crowded import write_meetings
from tests.wall.story import NOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

STARTS_NS = NOW_NS - 2 * HOUR_NS
MEETING = SimpleNamespace(
    uid="m", invited=("a", "b", "late"), end="state", profile="audio", title="m", name=lambda _: "M"
)
OVER: Any = SimpleNamespace(
    meeting=MEETING, recurrence_ns=STARTS_NS, starts_ns=STARTS_NS, ends_ns=STARTS_NS + HOUR_NS
)


def outcome(site: str, state: OutcomeState, uid: str = "m", recurrence_ns: int = STARTS_NS) -> Outcome:
    return Outcome(
        site=site, meeting=uid, occurrence_ns=recurrence_ns, state=state, windows=240,
        broken=0 if state is OutcomeState.HELD else 60, missing=0, settled_ns=NOW_NS,
    )  # fmt: skip


def offices(*names: str) -> dict[str, Site]:
    linked = SiteStatus.LINKED
    return {n: Site(id=n, name_en=n, name_hi=n, region="r", lat=1, lon=1, status=linked) for n in names}


def test_what_came_of_a_meeting_is_counted_from_its_outcomes() -> None:
    """Of those that were in it: an office that was linked since counts nowhere, one that was taken out still does."""
    said = Verdict(
        site="a", meeting="m", occurrence_ns=STARTS_NS, starts_ns=STARTS_NS, ends_ns=STARTS_NS + HOUR_NS,
        profile="audio", issued_ns=STARTS_NS, state=State.READY, probability=0.97,
    )  # fmt: skip
    came = [outcome("a", OutcomeState.HELD), outcome("gone", OutcomeState.FAILED)]
    (before,) = gatherings([OVER], [said], offices("a", "b", "late"), NOW_NS).values()
    (after,) = gatherings([OVER], [said], offices("a", "b", "late"), NOW_NS, came).values()
    assert (before.came, before.linked) == (None, 3)
    assert (after.came, after.linked) == (Came(held=1, failed=1), 2)
    assert after.stamp != before.stamp, "an open page fetches it again"


def test_the_page_of_a_meeting_lists_who_was_in_it(fleet: Any) -> None:
    """What came of an office that was taken out of the list stays, and who was linked since is not held to be open."""
    at = next(one for one in fleet.occurrences((-1, 0)))
    current = fleet.live.current
    gone = next(one for one in at.meeting.invited if one in fleet.linked)
    late = next(one for one in current.registry.sites if one.status is SiteStatus.PLANNED)
    linked_since = structs.replace(late, status=SiteStatus.LINKED)
    by_id = {**current.registry.by_id, late.id: linked_since}
    del by_id[gone]
    changed: Any = SimpleNamespace(calendar=current.calendar, registry=SimpleNamespace(by_id=by_id))
    was = meeting_page(current, fleet.state, at.meeting.uid, at.recurrence_ns, NOW_NS)
    told = meeting_page(changed, fleet.state, at.meeting.uid, at.recurrence_ns, NOW_NS)
    kept = [one.site for one in told.invited if one.shade != "planned"]
    assert gone in kept
    assert late.id not in kept
    assert sorted(kept) == sorted(one.site for one in was.invited if one.shade != "planned")
    assert told.meeting.linked == was.meeting.linked == len(kept)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "shown", "read", "open_"),
    [("en", "55/56 held", "55 of 56 offices held it", "over, its result is still open"),
     ("hi", "55/56 में चली", "56 में से 55 कार्यालयों में चली", "हो चुकी, नतीजा अभी बाक़ी है")],
)  # fmt: skip
def test_strip_and_list_say_what_came_true(  # noqa: PLR0917 - three fixtures and three texts
    page: Page, tmp_path: Path, make_fleet: Callable[..., Any], serve_page: Callable[..., Any],
    language: str, shown: str, read: str, open_: str,
) -> None:  # fmt: skip
    """All but one held, and nothing in them says "ready"; one that has no outcome yet has no number."""
    shutil.copytree(Path(config.__file__).parent / "defaults", tmp_path / "config")
    write_meetings(
        tmp_path / "config" / "meetings", [("early", "0800", 30, "all"), ("open", "0900", 20, "all")]
    )
    (tmp_path / "data").mkdir()
    with make_fleet(tmp_path / "data", tmp_path / "config" / "tatpar.toml", story=False) as fleet:
        early = next(one for one in fleet.occurrences() if one.meeting.uid.startswith("early"))
        failed = fleet.linked[0]
        fleet.state.put_outcomes(
            [
                outcome(
                    site, OutcomeState.FAILED if site == failed else OutcomeState.HELD,
                    early.meeting.uid, early.recurrence_ns,
                )
                for site in fleet.linked
            ]
        )  # fmt: skip
        with serve_page(fleet) as url:
            page.set_viewport_size({"width": 1920, "height": 1080})
            page.goto(f"{url}/?lang={language}")
            page.wait_for_selector(".bar.over", state="visible")
            at_rest(page)
            bar = page.locator(".bar.over", has_text="early").first
            assert bar.locator("b").text_content() == shown
            assert bar.locator(".sr").last.text_content() == read
            assert bar.get_attribute("data-shade") == "not_ready"
            words, text = bar.locator("b").bounding_box(), bar.locator(".bar-text").bounding_box()
            assert words is not None
            assert text is not None
            assert words["x"] + words["width"] <= text["x"] + text["width"] + 1
            other = page.locator(".bar.over", has_text="open").first
            assert other.locator("b").text_content() == "–/56"
            assert other.locator(".sr").last.text_content() == open_
            page.goto(f"{url}/?lang={language}#/meetings")
            card = page.locator(".meeting-card.over", has_text="early")
            card.wait_for(state="attached")
            assert card.locator(".card-ready b").text_content() == shown
            assert card.locator(".counts-text b").all_text_contents() == ["55", "1"]
