"""The page of an office with a long past: what is usual, what happened, the raw reports, and the charts from 8 weeks to 15 s."""

from __future__ import annotations

import json
import re
import shutil
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analytics.changes.moved import Moved
from analytics.forecast.slots import history_of
from analytics.quality.assumed import endpoints_of
from dashboards.wall.series import series
from dashboards.wall.site_calls import live_call
from dashboards.wall.site_past import site_past, when_heard
from dashboards.wall.site_reports import MOST, site_reports
from telemetry import codec
from telemetry.store.protocol import Selection, Silence
from telemetry.windows import DAY_NS, HOUR_NS, MS_NS, SLOT_NS, WINDOW_NS
from tests.wall.long_story import GAP_NS, SITE, rehearsal, tell_long_past
from tests.wall.storied_fleet import made_fleet, served, tell_incidents
from tests.wall.story import NOW_NS, PATHS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from analytics.history import History
    from analytics.hours import HourSpan
    from analytics.lines import Lines
    from telemetry.store.tables import RollupTable

WEEK_NS = 7 * DAY_NS
CALL_MS = (NOW_NS - NOW_NS % WINDOW_NS - 4 * WINDOW_NS) // MS_NS
"""Begin of a window whose report is kept whole and tells of a live call."""


@pytest.fixture(scope="module")
def long_fleet(told_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The story with four weeks of one office's past, and shared faults."""
    folder = tmp_path_factory.mktemp("long") / "data"
    shutil.copytree(told_story, folder)
    with made_fleet(folder, story=False) as made:
        tell_long_past(made, weeks=4)
        tell_incidents(made)
        while made.store.maintain(NOW_NS):
            pass
        with served(made) as url:
            made.url = url
            yield made


def load(fleet: Any, rest: str) -> Any:
    with urllib.request.urlopen(f"{fleet.url}/api/site/{rest}", timeout=60) as answer:
        return json.load(answer)


def past_of(fleet: Any, length_ns: int) -> Any:
    settings = fleet.live.current.settings
    return site_past(fleet.reader, settings, SITE, PATHS[0], Selection(NOW_NS - length_ns, NOW_NS))


def test_the_usual_is_of_the_weeks_before_the_view(long_fleet: Any) -> None:
    """Each hour of a day has its band around its middle; what broke in view this morning does not widen it."""
    past = past_of(long_fleet, DAY_NS)
    assert past.as_of_ms == (NOW_NS - DAY_NS) // MS_NS
    assert np.diff(past.t_ms).tolist() == [HOUR_NS // MS_NS] * 24
    for band in past.usual.values():
        low, middle, high = (np.array(v, float) for v in (band.low, band.middle, band.high))
        assert ((low <= middle) & (middle <= high)).all()
    drawn = series(
        long_fleet.reader,
        SITE,
        PATHS[0],
        NOW_NS - HOUR_NS,
        NOW_NS,
        endpoints_of(long_fleet.live.current.settings.quality),
    )
    assert max(past.usual["rtt_p95_ms"].high) < np.nanmin(np.array(drawn.rtt_ms["p95"], float))


def test_of_a_long_view_the_usual_is_that_of_its_end(long_fleet: Any) -> None:
    """A week of hours is asked once and repeated."""
    past = past_of(long_fleet, 3 * WEEK_NS)
    assert past.as_of_ms == NOW_NS // MS_NS
    middle = past.usual["rtt_p95_ms"].middle
    assert middle[: 14 * 24] == middle[7 * 24 : 21 * 24]


def test_how_much_of_the_past_is_known_is_told(long_fleet: Any) -> None:
    """Of eight weeks that are asked for four are known; three weeks ago one was, and no band stood on it."""
    assert long_fleet.live.current.settings.watch.history_weeks == 8
    whole = past_of(long_fleet, DAY_NS)
    assert {(band.weeks, band.since_ms) for band in whole.usual.values()} == {(4, None)}
    span = Selection(NOW_NS - 3 * WEEK_NS, NOW_NS - 3 * WEEK_NS + DAY_NS)
    early = site_past(long_fleet.reader, long_fleet.live.current.settings, SITE, PATHS[0], span)
    for band in early.usual.values():
        assert band.weeks in {1, 2}
        assert set(band.low) == {None}
        assert None not in band.middle
    assert early.least_days == 24


def test_since_when_the_usual_is_that_of_a_moved_level_is_told(
    long_fleet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a day, which is how near a move is known; the jitter stayed and keeps its whole past."""
    days = 8

    def moved(table: RollupTable, lines: Lines, limits: tuple[()], span: HourSpan) -> History:
        history = history_of(table, lines, limits, span)
        history.figures["rtt_p95_ms"][...] *= 1 + (history.hours >= history.end_hour - days * 24)
        return history

    monkeypatch.setattr("dashboards.wall.site_past.history_of", moved)
    past = past_of(long_fleet, DAY_NS)
    since_ms = past.usual["rtt_p95_ms"].since_ms
    assert since_ms is not None
    assert abs(since_ms - past.as_of_ms + days * DAY_NS // MS_NS) <= 25 * HOUR_NS // MS_NS
    assert past.usual["up_jitter_ms"].since_ms is None


def test_a_moved_level_is_told_with_its_levels(long_fleet: Any) -> None:
    """The round trip rose this morning at the story's begin; a line of which nothing is known tells nothing."""
    risen = next(move for move in past_of(long_fleet, DAY_NS).moves if move.metric == "rtt")
    assert risen.after > 1.5 * risen.before
    assert abs(risen.at_ms - (NOW_NS - 2.2 * HOUR_NS) // MS_NS) <= 600_000
    settings = long_fleet.live.current.settings
    span = Selection(NOW_NS - DAY_NS, NOW_NS)
    nothing = site_past(long_fleet.reader, settings, SITE, "main.nowhere", span)
    assert nothing.moves == []
    assert set(nothing.usual["rtt_p95_ms"].middle) == {None}


@pytest.mark.parametrize(
    ("start_min", "until_min", "told_min"),
    [(0, 3, 3), (-9, 3, 3), (0, 5, 5), (1, 3, 0), (-9, 0, 0), (-9, 6, 0)],
)
def test_a_move_is_not_told_within_a_silence(start_min: int, until_min: int, told_min: int) -> None:
    """A slot in which reports began again: the new level was there from then on. Longer silent is another probe."""
    minute_ns, slot_ns = 60 * 10**9, NOW_NS - NOW_NS % SLOT_NS
    silences = [
        Silence(SITE, "one", slot_ns - 90 * minute_ns, slot_ns - 80 * minute_ns),
        Silence(SITE, "one", slot_ns + start_min * minute_ns, slot_ns + until_min * minute_ns),
    ]
    assert when_heard(slot_ns, silences) == slot_ns + told_min * minute_ns


def test_the_page_tells_a_move_behind_the_silence(long_fleet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector names the begin of the slot, in which nothing was measured yet."""
    last = GAP_NS[1] - SLOT_NS
    move = Moved(site=SITE, path=PATHS[0], metric="loss", when_ns=last, before=0.0, after=0.1)
    monkeypatch.setattr("dashboards.wall.site_past.level_moves", lambda *_: (move,))
    (told,) = past_of(long_fleet, 2 * DAY_NS).moves
    assert told.at_ms == GAP_NS[1] // MS_NS


def test_what_happened_is_marked(long_fleet: Any) -> None:
    """Meetings, shared faults, the rehearsal, and exactly the two hours without a report, which are a gap in the line."""
    span = f"from={(NOW_NS - 2 * DAY_NS) // MS_NS}&to={NOW_NS // MS_NS}"
    drawn = load(long_fleet, f"{SITE}/series?{span}&path={PATHS[0]}")
    kinds = {mark["kind"]: mark for mark in drawn["marks"]}
    assert set(kinds) == {"meeting", "incident", "rehearsal", "gap"}
    gap = kinds["gap"]
    assert (gap["from_ms"], gap["until_ms"]) == (GAP_NS[0] // MS_NS, GAP_NS[1] // MS_NS)
    inside = [i for i, t in enumerate(drawn["t_ms"]) if gap["from_ms"] <= t < gap["until_ms"] - 600_000]
    assert len(inside) > 3
    assert {drawn["rtt_ms"]["p50"][i] for i in inside} == {None}
    assert kinds["rehearsal"]["n"] == 2
    assert kinds["incident"]["label"] == "provider"
    assert drawn["source"] == "rollups"


def test_the_live_call_and_the_last_rehearsal_stand_beside(long_fleet: Any) -> None:
    """Flows of the newest window, rungs of each direction; an office without either has none."""
    call = live_call(long_fleet.reader, SITE, NOW_NS)
    assert call is not None
    assert [(flow.media, flow.direction) for flow in call.flows] == [
        ("audio", "up"), ("audio", "down"), ("video", "up"), ("video", "down"),
    ]  # fmt: skip
    assert live_call(long_fleet.reader, SITE, NOW_NS + 5 * 60 * 10**9) is None
    facts = load(long_fleet, SITE)
    assert [step["held"] for step in facts["rehearsal"]["up"]] == [rung.held for rung in rehearsal().up]
    other = load(long_fleet, "agra")
    assert (other["call"], other["rehearsal"]) == (None, None)


def test_raw_reports_are_shown_as_they_are_stored(long_fleet: Any) -> None:
    """Whole while kept whole, then packed rows, then roll-ups; at most so many, and the rest counted."""
    reader = long_fleet.reader
    whole = load(long_fleet, f"{SITE}/reports?from={CALL_MS}&to={CALL_MS + 15_000}")
    (kept,) = reader.envelopes(SITE, CALL_MS * MS_NS, CALL_MS * MS_NS + WINDOW_NS)
    assert codec.decode(json.dumps(whole["reports"][0]["report"]).encode()) == kept
    assert whole["windows"] == []
    packed = site_reports(reader, SITE, NOW_NS - DAY_NS, NOW_NS - DAY_NS + HOUR_NS)
    assert (len(packed.windows), packed.left_out) == (MOST, 2 * 240 - MOST)
    assert packed.windows[0].values["sent"] >= 150
    assert packed.windows[0].histograms["rtt_hist"]
    old = site_reports(reader, SITE, NOW_NS - 9 * DAY_NS, NOW_NS - 9 * DAY_NS + HOUR_NS)
    assert (old.reports, old.windows) == ([], [])
    assert {row.path for row in old.rollups} == set(PATHS)
    with pytest.raises(urllib.error.HTTPError) as refused:
        load(long_fleet, f"{SITE}/reports?from=0&to=3600001")
    with refused.value as answer:
        assert answer.code == 400
        assert b"at most 3600000 ms apart" in answer.read()


@pytest.mark.browser
def test_keys_zoom_from_eight_weeks_to_one_report(page: Page, long_fleet: Any, until: Any) -> None:
    """Plus halves the view about the cursor down to 15 s; Enter opens the report of that window, Escape closes it again."""
    page.goto(f"{long_fleet.url}/?lang=en#/site/{SITE}?range=8w&path={PATHS[0]}")
    page.wait_for_selector(".u-wrap canvas")
    assert "merged out of five-minute roll-ups" in page.inner_text(".charts > .source")
    page.wait_for_selector(".site-events .swatch-gap")
    slider = page.locator(".time-cursor")
    slider.focus()
    lengths = [8 * WEEK_NS // MS_NS]
    while lengths[-1] > 15_000:
        if len(lengths) == 3:  # the way between is long, and the same
            page.goto(f"{long_fleet.url}/?lang=en#/site/{SITE}?range=15m&path={PATHS[0]}")
            until(page, "document.querySelector('.choice [aria-current]')?.textContent === '15 min'")
            page.wait_for_selector(".u-wrap canvas")
            slider.focus()
            lengths = [*lengths, 900_000]
        before = page.evaluate("location.hash")
        page.keyboard.press("End")
        page.keyboard.press("+")
        until(page, f"location.hash !== {json.dumps(before)}")
        span = re.search(r"from=(\d+)&to=(\d+)", page.evaluate("location.hash"))
        assert span is not None
        lengths.append(int(span[2]) - int(span[1]))
        assert lengths[-1] <= max(15_000, lengths[-2] / 2 + 15_000)
    page.goto(f"{long_fleet.url}/?lang=en#/site/{SITE}?from={CALL_MS}&to={CALL_MS + 15_000}&path={PATHS[0]}")
    until(page, "document.querySelector('.charts > .source')?.textContent.includes('Each point is a report')")
    slider.focus()
    end = time.monotonic() + 60
    while "10:16:45–10:17:00" not in (slider.get_attribute("aria-valuetext") or ""):
        assert time.monotonic() < end, slider.get_attribute("aria-valuetext")
        page.keyboard.press("Home")  # the view of before may still stand when the key comes
        page.wait_for_timeout(50)
    page.keyboard.press("Enter")
    page.wait_for_selector(".reports-table td:has-text('media video')")
    assert f"at={CALL_MS}" in page.evaluate("location.hash")
    page.click("text=900002 · JSON")
    until(page, "document.querySelector('.site-reports pre').textContent")  # it is written once it has opened
    assert json.loads(page.inner_text(".site-reports pre"))["seq"] == 900_002
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.site-reports').hidden && !location.hash.includes('at=')")


@pytest.mark.browser
def test_a_link_opens_exactly_the_same_view(page: Page, long_fleet: Any) -> None:
    """The copied address carries span, line and point even where the view follows the present; it opens with the same reports."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{long_fleet.url}/?lang=en#/site/{SITE}?range=15m&path={PATHS[0]}&at={CALL_MS}")
    page.wait_for_selector(".reports-table tr")
    page.click("text=Copy link to this view")
    page.wait_for_selector(".link-field:has-text('Link copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    found = re.fullmatch(
        rf"{re.escape(long_fleet.url)}/#/site/{SITE}\?from=(\d+)&to=(\d+)&path={PATHS[0]}&at={CALL_MS}", link
    )
    assert found is not None, link
    assert int(found[2]) - int(found[1]) == pytest.approx(900_000, abs=2)
    heading = page.inner_text(".site-reports h3")
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector(".reports-table tr")
    assert page.inner_text(".site-reports h3") == heading


@pytest.mark.browser
@pytest.mark.parametrize(("language", "lowest"), [("en", "Audio only"), ("hi", "केवल आवाज़")])
def test_the_rungs_have_the_names_of_their_profiles(
    page: Page, long_fleet: Any, language: str, lowest: str
) -> None:
    """The last rehearsal's steps are called as on the meeting's page, not by their ids."""
    page.goto(f"{long_fleet.url}/?lang={language}#/site/{SITE}?range=15m&path={PATHS[0]}")
    page.wait_for_selector(".rungs li")
    assert page.locator(".rungs li").first.inner_text().startswith(f"↑ {lowest} ")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("ago_weeks", "said"),
    [
        (0, "Green band: usual for this hour of the week, of the 4 weeks measured before"),
        (3, "No green band yet: it takes 24 days measured at these hours, and there were fewer before"),
    ],
)
def test_the_page_says_what_the_band_stands_on(
    page: Page, long_fleet: Any, until: Any, ago_weeks: int, said: str
) -> None:
    """The weeks that were measured, not those that are asked for; and where no band can be, that there is none."""
    end_ms = (NOW_NS - ago_weeks * WEEK_NS) // MS_NS
    span = f"from={end_ms - DAY_NS // MS_NS}&to={end_ms}"
    page.goto(f"{long_fleet.url}/?lang=en#/site/{SITE}?{span}&path={PATHS[0]}")
    until(page, f"document.querySelector('.charts > .source')?.textContent.includes({json.dumps(said)})")


@pytest.mark.browser
def test_the_page_says_since_when_a_moved_level_counts(page: Page, long_fleet: Any, until: Any) -> None:
    """With the day, for the figure that moved and for no other, in both languages."""
    begin_ms = (NOW_NS - 8 * DAY_NS) // MS_NS

    def moved(route: Any) -> None:
        answer = route.fetch()
        past = answer.json()
        past["usual"]["rtt_p95_ms"]["since_ms"] = begin_ms
        route.fulfill(response=answer, json=past)

    page.route("**/api/site/*/past*", moved)
    for language, said, other in (
        ("en", "Round trip: the level had moved, so only what was measured from", "Jitter: the level"),
        ("hi", "देरी: स्तर बदल चुका था, इसलिए", "जिटर: स्तर"),
    ):
        page.goto("about:blank")
        page.goto(f"{long_fleet.url}/?lang={language}#/site/{SITE}?range=24h&path={PATHS[0]}")
        until(page, f"document.querySelector('.charts > .source')?.textContent.includes({json.dumps(said)})")
        assert other not in page.inner_text(".charts > .source")
