"""What the report is put together from, by hand-reckoned cases: trend, roll-out, answers, track record, CSV, schedule."""

from __future__ import annotations

import csv
import math
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.causes import Cause
from analytics.changes.moved import Moved, level_moves
from analytics.forecast.record import bins, decided, record
from config.settings import Reports
from reports.csv_files import csv_of
from reports.document import Cell, Column, Table
from reports.figures import Judged, office_week
from reports.moves import by_day, joined
from reports.responses import responses
from reports.roll_out import DAYS, rolled_out
from reports.schedule import due_week
from reports.trend import Held, counted, held_by_office
from reports.weekly.leadership import cause_of_hours
from telemetry.alerting import Alert, AlertState, Kind, Severity
from telemetry.decisions import Forecast, Horizon, Outcome, OutcomeState, ReasonCode, State, Verdict
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS, SLOTS_PER_DAY, WINDOW_NS
from telemetry.words import say

KOLKATA = ZoneInfo("Asia/Kolkata")
AT = 1_795_000_000 * SECOND_NS


def outcome(site: str, state: OutcomeState, number: int = 0) -> Outcome:
    return Outcome(
        site=site,
        meeting="m",
        occurrence_ns=number,
        state=state,
        windows=240,
        broken=0,
        missing=0,
        settled_ns=0,
    )


def forecast(
    site: str, state: State, chance: float | None, number: int = 0, horizon: Horizon = Horizon.T30M
) -> Forecast:
    verdict = Verdict(
        site=site,
        meeting="m",
        occurrence_ns=number,
        starts_ns=number,
        ends_ns=number + 1,
        profile="p",
        issued_ns=0,
        state=state,
        probability=chance,
    )
    return Forecast(horizon=horizon, verdict=verdict)


def test_only_what_held_or_failed_counts() -> None:
    """Excused and open ones belong to neither; a week without either has no share."""
    outcomes = [
        outcome("agra", OutcomeState.HELD),
        outcome("agra", OutcomeState.HELD, 1),
        outcome("agra", OutcomeState.FAILED, 2),
        outcome("etah", OutcomeState.EXCUSED),
    ]
    assert counted(outcomes) == Held(2, 1)
    assert counted(outcomes).share == pytest.approx(2 / 3)
    assert held_by_office(outcomes) == {"agra": Held(2, 1), "etah": Held(0, 0)}
    assert math.isnan(Held().share)


def test_the_roll_out_goes_on_at_its_pace() -> None:
    """Two of eight weeks ago, 14 since: in eight weeks 14 more; 28 are missing, so 16 weeks to go."""
    first = {f"o{at}": AT - (DAYS + 9) * DAY_NS for at in range(2)}
    first |= {f"n{at}": AT - at * DAY_NS for at in range(14)}
    found = rolled_out(first, linked=16, total=44, until_ns=AT)
    assert (found.linked[0], found.linked[-1], found.unknown) == (2, 16, 0)
    assert found.done_ns == AT + 112 * DAY_NS


def test_without_a_pace_there_is_no_date() -> None:
    """Offices whose first report is not known count from the start, and make no pace."""
    found = rolled_out({}, linked=56, total=92, until_ns=AT)
    assert (found.linked[0], found.unknown, found.done_ns, found.is_known) == (56, 56, None, False)
    assert rolled_out({"a": AT - DAY_NS}, linked=1, total=1, until_ns=AT).done_ns is None


def alert(
    site: str, *, fired: int | None, acked: int | None = None, over: int | None = None, rung: int = 1
) -> Alert:
    return Alert(
        id=f"{site}{fired}",
        kind=Kind.NOT_READY,
        state=AlertState.FIRING,
        severity=Severity.URGENT,
        site=site,
        since_ns=0,
        pending_ns=0,
        fired_ns=None if fired is None else fired * SECOND_NS,
        acknowledged_ns=None if acked is None else acked * SECOND_NS,
        resolved_ns=None if over is None else over * SECOND_NS,
        rung=rung,
        told=() if fired is None else ("noc",),
    )


def test_answers_are_counted_from_the_first_message() -> None:
    """Medians by region, shared faults last; what nobody was told of, and offices of elsewhere, do not count."""
    alerts = [
        alert("agra", fired=100, acked=160, over=400),
        alert("agra", fired=200, acked=500, over=900, rung=3),
        alert("agra", fired=900),
        alert("etah", fired=None),
        alert("elsewhere", fired=1),
        alert("", fired=0, acked=30),
    ]
    braj, shared = responses(alerts, {"agra": "braj", "etah": "braj"})
    assert (braj.region, braj.told, braj.acknowledged, braj.escalated) == ("braj", 3, 2, 1)
    assert (braj.answer_s, braj.end_s) == (180.0, 500.0)
    assert (shared.region, shared.told, shared.answer_s) == ("", 1, 30.0)
    assert math.isnan(shared.end_s)


def test_forecasts_are_judged_by_what_was_decided() -> None:
    """Of five forecasts four are decided: two said ready (one held), two warned (one failed)."""
    outcomes = [
        outcome("a", OutcomeState.HELD),
        outcome("b", OutcomeState.FAILED),
        outcome("c", OutcomeState.FAILED),
    ]
    outcomes += [outcome("d", OutcomeState.HELD), outcome("e", OutcomeState.UNSETTLED)]
    said = [
        forecast("a", State.READY, 0.95),
        forecast("b", State.READY, 0.92),
        forecast("c", State.NOT_READY, None),
        forecast("d", State.AT_RISK, 0.7),
        forecast("e", State.READY, 0.99),
        forecast("a", State.READY, 0.99, horizon=Horizon.T2H),
    ]
    rows = decided(said, outcomes)
    found = record(rows[Horizon.T30M])
    assert (found.forecasts, found.ready, found.ready_held) == (4, 2, 1)
    assert (found.flagged, found.flagged_failed, found.failed) == (2, 1, 2)
    assert found.numbered == 3
    assert found.brier == pytest.approx((0.05**2 + 0.92**2 + 0.3**2) / 3)
    assert record(rows[Horizon.T2H]).forecasts == 1
    assert record(rows[Horizon.T24H]).brier is None


def test_bins_have_an_interval_that_holds_their_share() -> None:
    """Nine tenths of twenty: between what Clopper and Pearson say, 0.717 and 0.982."""
    rows = [
        (forecast(f"s{at}", State.READY, 0.95), at >= 2)
        for at in range(20)
    ]  # fmt: skip
    (found,) = bins(rows)
    assert (found.count, found.said, found.held) == (20, pytest.approx(0.95), 0.9)
    assert (found.low, found.high) == (pytest.approx(0.7174, abs=1e-3), pytest.approx(0.9819, abs=1e-3))
    assert bins([]) == ()


def test_a_table_is_read_by_spreadsheets_and_runs_nothing() -> None:
    """A mark for UTF-8, units in the headings, empty where unknown, and no formula out of an office's name."""
    table = Table(
        "t",
        (Column("कार्यालय", "office"), Column("घंटे", "below_h", is_number=True)),
        ((Cell("आगरा", "आगरा"), Cell("12 घंटे", 12.25)), (Cell("=1+1", "=1+1"), Cell("–", None))),
    )
    text = csv_of(table)
    assert text.startswith("\ufeff")
    assert list(csv.reader(text[1:].splitlines())) == [
        ["office", "below_h"],
        ["आगरा", "12.25"],
        ["'=1+1", ""],
    ]


def step(when_h: int, before: float, after: float) -> Moved:
    return Moved(
        site="a", path="main.state", metric="rtt", when_ns=when_h * HOUR_NS, before=before, after=after
    )


def test_steps_within_a_day_are_one_move() -> None:
    """A rise in three steps is told once, at its largest; a bump that goes back is none; a day later is another."""
    rise = [step(0, 20, 22), step(1, 22, 30), step(3, 30, 31), step(30, 31, 25)]
    assert [(m.when_ns // HOUR_NS, m.before, m.after) for m in joined(rise)] == [(1, 20, 31), (30, 31, 25)]
    assert joined([step(0, 20, 40), step(5, 40, 20.5)]) == []


def test_a_level_that_moved_is_found_and_every_evenings_crowd_is_not() -> None:
    """Four weeks of a line that is slow from 18 to 22 h each day; from the third Thursday noon on it is 9 ms slower."""
    noise = np.random.default_rng(7).gamma(2.0, 0.5, 28 * SLOTS_PER_DAY)
    hour = np.arange(28 * SLOTS_PER_DAY) % SLOTS_PER_DAY // 12
    rtt = 20.0 + noise + np.where((hour >= 18) & (hour < 22), 25.0, 0.0)
    at = 24 * SLOTS_PER_DAY + SLOTS_PER_DAY // 2
    rtt[at:] += 9.0
    (found,) = joined(level_moves({"rtt": by_day(rtt)}, ("a",), ("main.state",), 0))
    assert abs(found.when_ns // SLOT_NS - at) <= 24
    assert found.after - found.before == pytest.approx(9.0, abs=1.0)


@pytest.mark.parametrize(
    ("local", "week"),
    [
        ("2026-11-23T06:59", "2026-W46"),
        ("2026-11-23T07:30", "2026-W47"),
        ("2026-11-29T23:59", "2026-W47"),
        ("2026-11-30T07:31", "2026-W48"),
    ],
)
def test_a_week_is_due_when_its_hour_has_come(local: str, week: str) -> None:
    """From Monday 07:30 on it is the week before, all week long, so that what was missed is caught up."""
    at = datetime.fromisoformat(local).replace(tzinfo=KOLKATA).astimezone(UTC)
    now_ns = int(at.timestamp()) * SECOND_NS
    assert str(due_week(Reports(hour=7.5), KOLKATA, now_ns)) == week
    assert due_week(Reports(day="never"), KOLKATA, now_ns) is None


@pytest.mark.parametrize("language", ["en", "hi"])
def test_the_worst_hours_are_the_lines_and_not_the_causes(language: str) -> None:
    """An office that loses packets all night is crowded in the evening: the hours are of all its trouble, so no cause is said to be of then."""
    numbers = {"cause": "CAUSE", "action": "ACTION", "first": "19:00", "last": "22:00"}
    said = say(language, "report.card_why_hours", **numbers)
    (sentence,) = [one for one in re.split("[.।]", said) if "CAUSE" in one]
    assert "19:00" in said
    assert "19:00" not in sentence


@pytest.mark.parametrize(
    ("evening", "other"), [(Cause.JITTER_UP, ReasonCode.JITTER_UP), (Cause.LOSS_UP, None)]
)
def test_the_cause_of_the_worst_hours_is_their_own(evening: Cause, other: ReasonCode | None) -> None:
    """A night of loss is the main cause, an evening hour is the weakest: what broke then is told as another fault, where it is one."""
    per_hour = HOUR_NS // WINDOW_NS
    hour_of = np.repeat(np.arange(24), per_hour)
    causes = np.zeros((1, len(hour_of)), dtype=np.uint16)
    causes[0, 0 : 7 * per_hour : 4] = Cause.LOSS_UP
    causes[0, 19 * per_hour : 20 * per_hour] = evening
    judged = Judged(np.ones(causes.shape, dtype=bool), causes)
    office = office_week("agra", "braj", judged, hour_of)
    assert office.main_cause is ReasonCode.LOSS_UP
    assert sum(office.hours_of[ReasonCode.LOSS_UP]) >= 7 * per_hour // 4
    assert cause_of_hours(office, 19) is (other or ReasonCode.LOSS_UP)
    assert cause_of_hours(office, 10) is None
