"""Reports of a wrong clock get their time back."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from collector.message import Message
from collector.outcome import Misdated, RefusalCode, Refused
from collector.redating import Redated, Redater
from telemetry.messages import ClockState
from telemetry.store.protocol import Received
from telemetry.windows import DAY_NS, MS_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.messages import Envelope

TRUE_START = window_start(1_790_000_000_000_000_000)
MADE_AFTER = 18 * SECOND_NS


def misdated(
    envelope: Envelope, age_ns: int, *, told: bool = True, live: bool = True, true_start_ns: int = TRUE_START
) -> Misdated:
    received_ns = true_start_ns + MADE_AFTER + age_ns
    message = Message(
        topic="t", payload=b"", received_ns=received_ns, age_ms=age_ns // MS_NS if told else None
    )
    return Misdated(Received(envelope, received_ns, backlog=not live), message, is_live=live)


@pytest.mark.parametrize(
    "wrong_ns", [-20_000 * DAY_NS, -200 * DAY_NS - 7 * SECOND_NS, 40 * DAY_NS, 3600 * SECOND_NS]
)
def test_a_live_report_lands_in_the_window_in_which_it_was_measured(
    make_envelope: Callable[..., Envelope], wrong_ns: int
) -> None:
    """However wrong the clock, the true window is found within one window, and the error is written down."""
    start_ns = window_start(max(0, TRUE_START + wrong_ns))
    outcome = Redater().redate(misdated(make_envelope(start_ns=start_ns), 200 * MS_NS))
    assert isinstance(outcome, Redated)
    fixed = outcome.report.envelope
    assert abs(fixed.start_ns - TRUE_START) <= WINDOW_NS
    assert fixed.start_ns % WINDOW_NS == 0
    assert fixed.clock.state is ClockState.UNSYNCHRONISED
    ahead_ms = (start_ns - fixed.start_ns) / MS_NS
    assert fixed.clock.offset_ms == (ahead_ms if abs(ahead_ms) <= 1e12 else None)


def test_consecutive_windows_stay_consecutive(make_envelope: Callable[..., Envelope]) -> None:
    """Receipt jitters by seconds; the windows of one boot do not collide nor part."""
    redater = Redater()
    starts = []
    for i, late_ns in enumerate([0, 4, 1, 7, 0, 2, 9, 3]):
        report = make_envelope(seq=i + 1, start_ns=(i + 4) * WINDOW_NS)
        outcome = redater.redate(
            misdated(report, late_ns * SECOND_NS, told=False, true_start_ns=TRUE_START + i * WINDOW_NS)
        )
        assert isinstance(outcome, Redated)
        starts.append(outcome.report.envelope.start_ns)
    assert [b - a for a, b in itertools.pairwise(starts)] == [WINDOW_NS] * 7


def test_old_reports_find_their_time_by_their_age(make_envelope: Callable[..., Envelope]) -> None:
    """Three hours in the spool are three hours before receipt."""
    outcome = Redater().redate(misdated(make_envelope(start_ns=WINDOW_NS), 3 * 3600 * SECOND_NS, live=False))
    assert isinstance(outcome, Redated)
    assert abs(outcome.report.envelope.start_ns - TRUE_START) <= WINDOW_NS


def test_a_late_report_of_unknown_age_is_refused_with_its_number(
    make_envelope: Callable[..., Envelope],
) -> None:
    """Nothing says when it was: it is refused by name, and its envelope goes along."""
    outcome = Redater().redate(misdated(make_envelope(start_ns=0), 0, told=False, live=False))
    assert isinstance(outcome, Refused)
    assert outcome.code is RefusalCode.CLOCK
    assert outcome.envelope is not None


def test_a_report_that_is_merely_very_old_keeps_date_and_clock(
    make_envelope: Callable[..., Envelope],
) -> None:
    """Past the retention but truly so: nothing was wrong with the clock."""
    report = make_envelope(start_ns=TRUE_START)
    outcome = Redater().redate(misdated(report, 100 * DAY_NS, live=False))
    assert isinstance(outcome, Redated)
    assert outcome.report.envelope == report


def test_an_age_before_all_time_is_refused(make_envelope: Callable[..., Envelope]) -> None:
    """An absurd age does not become an absurd date."""
    message = Message(topic="t", payload=b"", received_ns=TRUE_START, age_ms=10**14)
    late = Misdated(Received(make_envelope(start_ns=0), TRUE_START, backlog=True), message, is_live=False)
    assert isinstance(Redater().redate(late), Refused)


def test_a_clock_that_steps_again_within_one_boot_is_followed(make_envelope: Callable[..., Envelope]) -> None:
    """The remembered offset is dropped when it no longer explains the reports."""
    redater = Redater()
    redater.redate(misdated(make_envelope(start_ns=0), 0))
    outcome = redater.redate(
        misdated(make_envelope(seq=2, start_ns=window_start(TRUE_START + 50 * DAY_NS)), 0)
    )
    assert isinstance(outcome, Redated)
    assert abs(outcome.report.envelope.start_ns - TRUE_START) <= WINDOW_NS
