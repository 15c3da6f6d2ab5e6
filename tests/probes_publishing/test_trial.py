"""The trial behind `tatpar probe --once`: which report counts, and what is said when none does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from probes.publishing.agent import Agent
from probes.publishing.trial import Answers, Trial, asked_of
from telemetry.clock import SystemClock
from telemetry.messages import Ping

PATHS = ("main.state", "main.national")


def report(state: int = 150, national: int = 150, ping: int = 15) -> dict[str, Answers]:
    return {
        "main.state": Answers(150, state),
        "main.national": Answers(150, national),
        "ping state": Answers(15, ping),
    }


def test_what_a_report_says_of_what_is_asked(make_stream: Any) -> None:
    """Every path and target that is asked for has an entry; what is not asked for, and other items, have none."""
    items = (
        make_stream("main.state", 20, 18),
        make_stream("backup.state"),
        Ping(target="gateway", sent=3, received=3),
    )
    assert asked_of(items, PATHS, ("state",)) == {
        "main.state": (20, 18),
        "main.national": (0, 0),
        "ping state": (0, 0),
    }


def test_a_first_window_without_an_echo_does_not_end_it() -> None:
    """A stored report that lacks the echoes is not enough; the next, whole one is, and its counts are told."""
    trial = Trial()
    trial.spooled(("e", 1), report(ping=0) | {"main.state": Answers(9, 9), "ping state": Answers(0, 0)})
    trial.spooled(("e", 2), report(national=149))
    trial.gone([("e", 1)])
    assert (trial.stored, trial.whole, trial.silent) == (1, False, ["ping state"])
    assert trial.waiting == (("e", 2),)
    trial.gone([("e", 2)])
    assert (trial.stored, trial.whole, trial.failure(75)) == (2, True, None)
    assert (
        trial.told()
        == "main.state 150 of 150 packets back, main.national 149 of 150 packets back, ping state 15 of 15"
    )


def test_a_report_that_is_not_stored_proves_nothing() -> None:
    """What lies in the spool, or was never ours, does not count."""
    trial = Trial()
    trial.spooled(("e", 1), report())
    trial.gone([("e", 2), ("other", 1)])
    assert not trial.whole
    assert "no report was stored" in str(trial.failure(75))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (report(national=0), "no packet came back on main.national:"),
        (report(state=0, national=0), "no packet came back on main.state, main.national:"),
        ({}, "there is nothing to measure"),
    ],
)
def test_what_is_missing_is_named(asked: dict[str, Answers], words: str) -> None:
    """The line says which headquarters is silent, or that there is none."""
    trial = Trial()
    trial.spooled(("e", 1), asked)
    trial.gone([("e", 1)])
    assert not trial.whole
    assert words in str(trial.failure(75))


def test_a_ping_that_nobody_answers_is_told_but_is_no_failure() -> None:
    """Many gateways do not answer pings: the line counts it, the status stays 0."""
    trial = Trial()
    trial.spooled(("e", 1), report(ping=0))
    trial.gone([("e", 1)])
    assert not trial.whole
    assert trial.failure(75) is None
    assert trial.told().endswith("ping state 0 of 15")


@pytest.mark.server
@pytest.mark.parametrize("answers", [True, False])
async def test_an_office_is_tried_until_all_has_answered(  # noqa: PLR0917 - fixtures
    make_hub: Any,
    make_office: Any,
    fake_measurer: Any,
    make_window: Any,
    make_stream: Any,
    eventually: Any,
    answers: bool,
) -> None:
    """Through spool, broker and `stored`: silent windows end nothing, the first that answered does; stopped before, it is named."""
    hub = make_hub()
    office = make_office(ends={"state": "127.0.0.1:9"})
    agent, stop = Agent([office], fake_measurer, clock=SystemClock()), asyncio.Event()
    running = asyncio.create_task(agent.run(stop))
    trying = asyncio.create_task(agent.offices[office.key].tried(60, stop))
    for index in range(2):
        fake_measurer.queue.put_nowait(make_window(office.key, index, streams=(make_stream(received=0),)))
    await eventually(lambda: (seen := agent.offices[office.key]._trial) and seen.stored == 2, within_s=120)
    assert not trying.done()
    if answers:
        fake_measurer.queue.put_nowait(make_window(office.key, 2))
    else:
        stop.set()
    trial = await asyncio.wait_for(trying, 60)
    stop.set()
    await asyncio.wait_for(running, 60)
    assert trial.stored == len(hub.seqs())
    assert trial.best == {"main.state": (150, 150 if answers else 0)}
    assert (trial.failure(60) is None) is answers
