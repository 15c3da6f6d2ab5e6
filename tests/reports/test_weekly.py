"""The weekly report of a known week: each trouble once, with its right length; the page whole in both languages."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner

from analytics.causes import Cause
from analytics.quality.assumed import endpoints_of
from config.settings import Quality
from reports.figures import Judged, office_week, sound_week
from reports.gather import gather
from reports.spells import faults, spells
from reports.week import NoSuchWeekError, Week
from reports.week_block import hours_of_day
from tatpar.__main__ import main
from telemetry.decisions import ReasonCode
from telemetry.store.by_blocks import InProcess
from telemetry.store.completeness import Completeness
from telemetry.windows import HOUR_NS, SECOND_NS, WINDOW_NS
from tests.reports.of_week import KOLKATA, NOW_NS, WEEK, render

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config
    from reports.gather import WeekFigures
    from telemetry.state.db import StateDb
    from telemetry.store.sqlite import SqliteReader

WINDOWS = int(3 * HOUR_NS // WINDOW_NS)


def test_each_trouble_is_there_once_with_its_length(figures: WeekFigures) -> None:
    """Ten minutes of loss up and five minutes of outage: two troubles, exact to the window."""
    found = {(t.site, t.paths): t for t in figures.troubles}
    assert set(found) == {("agra", ("main.state",)), ("etah", ("main.state",))}
    agra, etah = found["agra", ("main.state",)], found["etah", ("main.state",)]
    assert (agra.start_ns - WEEK.start_ns, agra.duration_s, agra.cause) == (HOUR_NS, 600, ReasonCode.LOSS_UP)
    assert (etah.start_ns - WEEK.start_ns, etah.duration_s) == (100 * WINDOW_NS, 300)
    assert etah.cause is ReasonCode.OUTAGE


def test_offices_are_told_apart(figures: WeekFigures) -> None:
    """Hours below, completeness and the hour of day are each office's own."""
    agra, etah, kannauj = figures.offices
    assert agra.below_hours == pytest.approx(1 / 6)
    assert agra.by_hour[1] == pytest.approx(1 / 6)
    assert etah.below_hours == pytest.approx(1 / 12)
    assert kannauj.below_hours == 0
    assert (agra.complete_share, kannauj.complete_share) == (1.0, pytest.approx(2 / 3))
    assert math.isnan(kannauj.by_hour[2])
    assert math.isnan(figures.before_below_hours)


def test_the_sound_of_a_week_is_rated_by_the_worse_direction(config: Config, figures: WeekFigures) -> None:
    """Ten minutes of 10 % loss and five of outage lie below 3.6, nothing else does; the page says it is an estimate."""
    agra, etah, kannauj = figures.offices
    for office in figures.offices:
        assert office.sound.median_mos == pytest.approx(4.41, abs=0.01)
    assert agra.sound.low_hours == pytest.approx(1 / 6)
    assert etah.sound.low_hours == pytest.approx(1 / 12)
    assert kannauj.sound.low_hours == 0
    page = render(config, figures, "en", NOW_NS)
    _, _, section = page.partition('id="table-offices"')
    assert re.search(r">Agra<.*?>4\.4</td><td class=\"n\">10\u00a0min</td>", section)
    assert "nobody listened" in section
    assert "those of the codec EVS stand in" in section


def test_sound_is_rated_where_it_can_be() -> None:
    """Of two lines the worse counts; a week without any figure is unrated."""
    nan = float("nan")
    mos = np.array([[4.4, 4.4, nan, nan, 3.59], [2.0, nan, nan, 4.4, 4.4]])
    found = sound_week(mos)
    assert found.median_mos == pytest.approx((3.59 + 4.4) / 2)
    assert found.low_hours == pytest.approx(2 / 240)
    assert math.isnan(sound_week(mos[:, 2:3]).median_mos)


def test_no_stand_in_is_named_for_a_codec_that_has_figures_of_its_own(
    config: Config, figures: WeekFigures
) -> None:
    """With a published codec the sentence about the proxy is not there, and the scale is that codec's."""
    own = endpoints_of(Quality(codec="g711-plc", jitter_buffer_ms=40))
    page = render(config, replace(figures, endpoints=own), "en", NOW_NS)
    assert "codec g711-plc, on the scale MOS-CQE from 1 to 4.5" in page
    assert "a jitter buffer of 40\u00a0ms" in page
    assert "stand in" not in page


def test_completeness_says_what_is_missing_and_why(figures: WeekFigures) -> None:
    """Kannauj has not reported for its last hour: never measured; the latest minute of nobody is expected yet."""
    last_minute = 4
    agra, kannauj = figures.completeness["agra"], figures.completeness["kannauj"]
    assert (agra.expected, agra.missing, agra.ratio) == (WINDOWS - last_minute, 0, 1.0)
    assert kannauj.expected == agra.expected
    assert (kannauj.never, kannauj.lost) == (WINDOWS // 3 - last_minute, 0)
    fleet = figures.complete
    assert fleet.ratio == pytest.approx(1 - kannauj.never / (3 * agra.expected))


def test_the_page_shows_what_is_missing(config: Config, figures: WeekFigures) -> None:
    """The fleet's row, then only offices of which something is missing; the definition at the foot."""
    page = render(config, figures, "en", NOW_NS)
    _, _, section = page.partition('id="data">')
    section = section.partition("How this was measured")[0]
    rows = re.findall(r'<th scope="row">([^<]+)</th><td class="n">([^<]+)</td>', section)
    assert rows == [("All offices", "89.01\u00a0%"), ("Kannauj", "67.03\u00a0%")]
    assert "59\u00a0min" in section
    assert "no number was used up" in page


def test_completeness_of_which_nothing_is_known_is_no_praise(config: Config, figures: WeekFigures) -> None:
    """Of a week of which only roll-ups were imported nothing is said to be whole."""
    page = render(config, replace(figures, completeness={}), "en", NOW_NS)
    assert "Not known: the store holds no single reports of this week" in page
    assert "Nothing is missing." not in page
    whole = render(config, replace(figures, completeness={"agra": Completeness(stored=9)}), "en", NOW_NS)
    assert "Nothing is missing." in whole


@pytest.mark.parametrize(
    ("language", "words"),
    [("hi", ["आगरा", "डेटा खो रहा है (ऊपर)", "10\u00a0मिनट"]), ("en", ["Agra", "Loss, uplink", "10\u00a0min"])],
)
def test_the_page_is_whole(config: Config, figures: WeekFigures, language: str, words: list[str]) -> None:
    """The page has its words and figures, asks for nothing from outside, and leaves no placeholder open."""
    page = render(config, figures, language, NOW_NS)
    assert all(word in page for word in words)
    assert f'<html lang="{language}">' in page
    assert not re.search(r'(src|href)="(?!data:|#)|url\("(?!data:)|@import|<script', page)
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)


def test_same_data_gives_the_same_bytes_but_for_the_stamp(config: Config, figures: WeekFigures) -> None:
    """Two renderings at different times differ in the foot alone."""
    first, second = (render(config, figures, "en", NOW_NS + i * HOUR_NS) for i in range(2))
    foot = re.compile(r"<footer>.*</footer>")
    assert first != second
    assert foot.sub("", first) == foot.sub("", second)


def test_a_week_without_data_says_so(config: Config, reader: SqliteReader, state: StateDb) -> None:
    """An empty week gives a page that says what to look at, and no table of zeros."""
    empty = gather(config, InProcess(reader), state, Week.of("2026-W40", KOLKATA), NOW_NS, lambda *_: None)
    page = render(config, empty, "en", NOW_NS)
    assert "Nothing was measured" in page
    assert "3 of 4" in page
    none = render(config, replace(empty, linked=0, total=4), "en", NOW_NS)
    assert "No office is linked yet" in none
    assert "Nothing was measured" not in none
    assert "<table" not in page


def test_an_unknown_pace_is_not_called_none(config: Config, figures: WeekFigures) -> None:
    """Without any first report nobody knows when offices were linked; with all of them long ago nobody was."""
    assert figures.roll_out is not None
    unknown = replace(figures.roll_out, unknown=3, done_ns=None)
    page = render(config, replace(figures, roll_out=unknown), "en", NOW_NS)
    assert "first reports are not known" in page
    page = render(config, replace(figures, roll_out=replace(unknown, unknown=0)), "en", NOW_NS)
    assert "No office was linked in the last 8 weeks" in page


def test_a_fault_on_both_lines_of_an_office_is_one_trouble() -> None:
    """Spells that overlap with one cause are one, as long as both together; another cause or another time is another."""
    causes = np.zeros((2, 400), dtype=np.uint16)
    causes[0, 10:50] = Cause.OUTAGE
    causes[1, 12:60] = Cause.OUTAGE
    causes[1, 100:120] = Cause.RTT
    causes[0, 110:130] = Cause.LOSS_UP
    causes[0, 200:220] = Cause.OUTAGE
    causes[1, 260:280] = Cause.OUTAGE
    found = [(f.first, f.last, f.lines, f.broken, f.cause) for f in faults(causes)]
    assert found == [
        (10, 59, (0, 1), 50, ReasonCode.OUTAGE),
        (100, 119, (1,), 20, ReasonCode.RTT),
        (110, 129, (0,), 20, ReasonCode.LOSS_UP),
        (200, 219, (0,), 20, ReasonCode.OUTAGE),
        (260, 279, (1,), 20, ReasonCode.OUTAGE),
    ]
    week = Judged(causes != 0, causes)
    hours = np.zeros(400, dtype=np.int64)
    assert office_week("a", "r", week, hours).troubles == 5


def test_the_page_names_both_ends_of_a_shared_trouble(config: Config, figures: WeekFigures) -> None:
    """One row; where it is all headquarters, two words for them."""
    both = replace(figures.troubles[0], paths=("main.state", "main.national"))
    page = render(config, replace(figures, troubles=(both,)), "en", NOW_NS)
    assert "<td>all headquarters</td>" in page
    third = replace(figures.troubles[0], paths=("main.state", "backup.state"))
    page = render(config, replace(figures, troubles=(third,)), "en", NOW_NS)
    assert "<td>State headquarters, Lucknow</td>" in page


def test_a_share_says_of_what_and_claims_no_precision(config: Config, figures: WeekFigures) -> None:
    """The share is of the time measured, in a week that runs too; one window of a week is less than 0.01 %."""
    office = replace(figures.offices[0], below_hours=15 / 3600, below_share=1 / 17_280)
    page = render(config, replace(figures, offices=(office,)), "en", NOW_NS)
    assert "Share of the time measured" in page
    assert "Share of the week" not in page
    assert "&lt;\u00a00.01\u00a0%" in page
    assert "15\u00a0s" in page
    assert "0.0058" not in page


def test_spans_of_one_column_have_one_unit(config: Config, figures: WeekFigures) -> None:
    """Hours beside hours, days beside days: 112 minutes never stands beside 3 hours 45 minutes."""
    hours = [3.75, 112 / 60, 47 + 17 / 60, 4 * 24]
    offices = tuple(
        replace(figures.offices[0], site=site, below_hours=h)
        for site, h in zip(("agra", "etah", "kannauj", "agra"), hours, strict=True)
    )
    page = render(config, replace(figures, offices=offices), "hi", NOW_NS)
    for said in ("3\u00a0घंटे 45\u00a0मिनट", "1\u00a0घंटा 52\u00a0मिनट", "1\u00a0दिन 23\u00a0घंटे", "4\u00a0दिन"):
        assert said in page
    assert "112" not in page
    assert "47\u00a0घंटे" not in page


def test_a_flapping_line_is_one_trouble() -> None:
    """Breaths of up to two minutes do not end a spell; a longer one does; a few seconds are no line in a report."""
    causes = np.zeros(200, dtype=np.uint16)
    causes[10:60:2] = Cause.JITTER_UP
    causes[80:90] = Cause.RTT
    causes[150:152] = Cause.RTT
    first, second = spells(causes)
    assert (first.first, first.last, first.broken, first.cause) == (10, 58, 25, ReasonCode.JITTER_UP)
    assert (second.windows, second.cause) == (10, ReasonCode.RTT)


def test_weeks_follow_the_zone() -> None:
    """A week starts on Monday 00:00 local time, also across a change of the clocks."""
    assert WEEK.end_ns - WEEK.start_ns == 7 * 24 * HOUR_NS
    assert Week.containing(WEEK.start_ns - SECOND_NS, KOLKATA) == WEEK.before
    berlin = Week.of("2026-W43", ZoneInfo("Europe/Berlin"))
    assert berlin.end_ns - berlin.start_ns == (7 * 24 + 1) * HOUR_NS
    hours = hours_of_day(berlin, berlin.end_ns)
    assert len(hours) == (7 * 24 + 1) * 240
    assert hours.max() == 23


@pytest.mark.parametrize(
    ("text", "zone", "windows"),
    [
        ("2026-W43", "Europe/Berlin", {1: 240, 2: 480, 3: 240, 23: 240}),  # at 03:00 it is 02:00 once more
        ("2026-W13", "Europe/Berlin", {1: 240, 2: 0, 3: 240, 23: 240}),
        ("2026-W44", "America/New_York", {0: 240, 1: 480, 2: 240, 23: 240}),
        ("2026-W40", "Australia/Lord_Howe", {1: 240, 2: 120, 3: 240, 23: 240}),  # half an hour on, to 02:30
        ("2026-W47", "Asia/Kolkata", {0: 240, 12: 240, 23: 240}),
    ],
)
def test_hours_of_the_day_are_those_of_the_clock(text: str, zone: str, windows: dict[int, int]) -> None:
    """Also on a Sunday of 23, 25 or 24 and a half hours: what was poor at 23:00 stands there, not an hour beside it."""
    week = Week.of(text, ZoneInfo(zone))
    hours = hours_of_day(week, week.end_ns)
    sunday = hours[(week.day_ns(6) - week.start_ns) // WINDOW_NS :]
    assert {hour: int((sunday == hour).sum()) for hour in windows} == windows
    assert (hours[: 6 * 24 * 240].reshape(6, 24, 240) == np.arange(24)[None, :, None]).all()
    clock = [
        datetime.fromtimestamp((week.day_ns(6) + i * WINDOW_NS) // SECOND_NS, week.zone).hour
        for i in range(len(sunday))
    ]
    assert sunday.tolist() == clock


@pytest.mark.parametrize("text", ["2026-47", "W47", "2026-W54", "2026-W00", ""])
def test_a_text_that_is_no_week_is_explained(text: str) -> None:
    """Each wrong week gets one line that says what to write."""
    with pytest.raises(NoSuchWeekError, match="write it as 2026-W47"):
        Week.of(text, KOLKATA)


def test_the_command_writes_the_page(known_week: Path, tmp_path: Path) -> None:
    """`tatpar report weekly` writes one file and prints its path; a wrong week ends with 2 and one line."""
    out = tmp_path / "out"
    asked = [
        "report",
        "weekly",
        "--data",
        str(known_week),
        "--week",
        "2026-W47",
        "--lang",
        "en",
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert (out / "readiness-2026-W47-en.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    asked[5] = "soon"
    wrong = CliRunner().invoke(main, asked)
    assert wrong.exit_code == 2
    assert wrong.output.strip() == "--week: 'soon' is no week; write it as 2026-W47"
