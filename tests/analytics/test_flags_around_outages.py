"""What flags and verdicts say while a line is down and after: the outage by its own name and times, and what the line does now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.flags import Present, degraded
from analytics.flapping import flapping, flapping_flags, no_outages
from lab.line.impairment import CLEAR, Impairment
from telemetry.decisions import Action, ReasonCode, State
from telemetry.windows import MINUTE_NS, SECOND_NS, WINDOW_NS
from tests.analytics.lossy_lines import lossy_line
from tests.analytics.one_office import verdict_of
from tests.analytics.test_outages import EVERY_THREE_MINUTES

if TYPE_CHECKING:
    from analytics.recent import Recent
    from telemetry.decisions import Flag, Verdict
    from tests.analytics.conftest import Bench

LOSSY = Impairment(loss_ratio=0.08)
MINUTES_10 = 40


def flags(made: Bench, recent: Recent) -> list[Flag]:
    """Of the line's first path."""
    found = degraded(recent, [made.limits], np.zeros(1, dtype=np.int64), Present(made.t0, 120 * SECOND_NS))
    return [flag for flag in found if flag.path == "main.state"]


def verdict(made: Bench, recent: Recent, **changes: object) -> Verdict:
    """For a meeting in ten minutes."""
    return verdict_of(made.ground(recent, **changes), made.occurrence(600.0))


def ago(made: Bench, at_ns: int | None) -> float | None:
    return None if at_ns is None else (made.t0 - at_ns) / SECOND_NS


@pytest.mark.parametrize("begins_s", [560.0, 552.0])
def test_an_outage_that_is_over_is_told_by_its_own_times(made: Bench, begins_s: float) -> None:
    """Twenty seconds, whether a window lost everything or not: no loss of 60 %, and fine since."""
    recent = lossy_line(made, MINUTES_10, outages_s=[(begins_s, 20.0)])
    (flag,) = flags(made, recent)
    assert (flag.reason.code, flag.severe) == (ReasonCode.OUTAGE, False)
    assert flag.reason.value == pytest.approx(20, abs=1)
    assert ago(made, flag.reason.since_ns) == pytest.approx(600.0 - begins_s, abs=0.2)
    assert ago(made, flag.reason.until_ns) == pytest.approx(580.0 - begins_s, abs=0.2)


def test_a_loss_before_an_outage_is_over_with_it(made: Bench) -> None:
    """Lossy for minutes, then down, then sound: of the loss nothing is flagged, nor told in the verdict."""
    recent = lossy_line(made, MINUTES_10, LOSSY, lossy_s=(100.0, 500.0), outages_s=[(500.0, 72.0)])
    assert [flag.reason.code for flag in flags(made, recent)] == [ReasonCode.OUTAGE]
    reason = verdict(made, recent).reasons[0]
    assert (reason.code, reason.value) == (ReasonCode.OUTAGE, 72.0)
    assert ago(made, reason.since_ns) == pytest.approx(100.0, abs=0.2)
    assert ago(made, reason.until_ns) == pytest.approx(28.0, abs=0.2)


def test_a_loss_that_goes_on_after_an_outage_begins_anew(made: Bench) -> None:
    """Its figure and its beginning are those of the windows since; what was lost in the outage is no part of it."""
    recent = lossy_line(made, MINUTES_10, LOSSY, outages_s=[(480.0, 60.0)])
    since = {flag.reason.code: flag.reason for flag in flags(made, recent)}
    assert set(since) == {ReasonCode.LOSS_UP}
    reason = since[ReasonCode.LOSS_UP]
    assert ago(made, reason.since_ns) == pytest.approx(60.0)
    assert reason.value == pytest.approx(0.08, abs=0.03)
    told = verdict(made, recent, fault_since_ns=np.full((3, 1, 2), made.t0 - 10 * MINUTE_NS)).reasons[0]
    assert (told.code, ago(made, told.since_ns)) == (ReasonCode.LOSS_UP, pytest.approx(60.0))
    assert told.value == pytest.approx(0.08, abs=0.03)


def test_beside_an_outage_that_lasts_the_loss_is_told_as_it_was(made: Bench) -> None:
    """Not as 100 %, and up to when nothing came through any more."""
    recent = lossy_line(made, MINUTES_10, LOSSY, outages_s=[(540.0, 100.0)])
    down, loss = (flag.reason for flag in flags(made, recent))
    assert (down.code, down.until_ns) == (ReasonCode.OUTAGE, None)
    assert ago(made, down.since_ns) == pytest.approx(60.0, abs=0.5)
    assert (loss.code, loss.until_ns) == (ReasonCode.LOSS_UP, down.since_ns)
    assert loss.value == pytest.approx(0.08, abs=0.03)


def test_the_second_of_two_outages_is_told_and_not_both_as_one(made: Bench) -> None:
    """They lie less than half a minute apart, so the flag never went down between them."""
    recent = lossy_line(made, MINUTES_10, outages_s=[(500.0, 30.0), (550.0, 30.0)])
    (flag,) = flags(made, recent)
    assert ago(made, flag.since_ns) == pytest.approx(50.0, abs=0.2)
    assert flag.reason.value == pytest.approx(30, abs=1)


@pytest.mark.parametrize("pause_s", [8.0, 100.0])
def test_a_line_that_comes_and_goes_is_named_and_taken_to_the_provider(made: Bench, pause_s: float) -> None:
    """Ten outages of twenty seconds in half an hour, soon after the last and later: never a loss, never a smaller picture."""
    last = EVERY_THREE_MINUTES[-1][0] + 20.0
    shift = 1800.0 - last - pause_s
    recent = lossy_line(made, 120, outages_s=[(at + shift, lasts) for at, lasts in EVERY_THREE_MINUTES])
    found = flapping(recent, no_outages(recent.lines.shape))
    many = np.full((1, 2), 4)
    said = verdict(made, recent, flapping=found, relapses=many)
    codes = [reason.code for reason in said.reasons]
    assert ReasonCode.FLAPPING in codes
    assert set(codes) <= {ReasonCode.FLAPPING, ReasonCode.OUTAGE}
    assert said.action is Action.CALL_PROVIDER
    news = [flag for flag in flapping_flags(recent, found, made.t0) if flag.path == "main.state"]
    assert [(flag.reason.code, flag.reason.value) for flag in news] == [(ReasonCode.FLAPPING, 10.0)]
    assert not flapping_flags(recent, found, made.t0 + 20 * MINUTE_NS)


def test_a_loss_that_comes_back_is_no_line_that_comes_and_goes(made: Bench) -> None:
    """Three spells of it within the hour, sound just now: over its limit again and again, since when, and to be watched."""
    recent = lossy_line(made, MINUTES_10, CLEAR)
    thrice, since_ns = np.full((1, 2), 4), np.full((1, 2), made.t0 - 40 * MINUTE_NS)
    said = verdict(made, recent, relapses=thrice, relapsing_since_ns=since_ns)
    assert said.state is not State.READY
    (reason,) = said.reasons
    assert (reason.code, reason.value) == (ReasonCode.RECENT_FAULT, 4.0)
    assert ago(made, reason.since_ns) == 40 * 60
    assert said.action is Action.WATCH


def test_steady_loss_stays_loss(made: Bench) -> None:
    """30 % at random: the cause, its figure, and no outage."""
    recent = lossy_line(made, 120, Impairment(loss_ratio=0.3))
    (flag,) = flags(made, recent)
    assert (flag.reason.code, flag.reason.value) == (ReasonCode.LOSS_UP, pytest.approx(0.3, abs=0.06))
    said = verdict(made, recent, flapping=flapping(recent, no_outages(recent.lines.shape)))
    assert [reason.code for reason in said.reasons] == [ReasonCode.LOSS_UP]


def test_an_outage_that_lasts_is_told_in_its_first_window(made: Bench) -> None:
    """Eight seconds before the window's end: down since then, and not a loss of half."""
    recent = lossy_line(made, MINUTES_10, outages_s=[(592.0, 60.0)])
    flag, reason = flags(made, recent)[0], verdict(made, recent).reasons[0]
    for said in (flag.reason, reason):
        assert (said.code, said.until_ns) == (ReasonCode.OUTAGE, None)
        assert ago(made, said.since_ns) == pytest.approx(8.0, abs=0.2)
    assert flag.severe
    assert flag.seen_ns == made.t0
    assert flag.since_ns > made.t0 - WINDOW_NS
