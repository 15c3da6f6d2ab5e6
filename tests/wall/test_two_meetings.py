"""An office in two meetings at once, and who has failed one that runs: what the picture is told of both."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from dashboards.wall.live.failing import FailedAlready
from dashboards.wall.picture.gatherings import failing, gatherings
from dashboards.wall.picture.tiles import next_verdicts
from telemetry.decisions import Outcome, OutcomeState, Reason, ReasonCode, State, Verdict
from telemetry.windows import HOUR_NS, MINUTE_NS
from tests.wall.storied_fleet import StillClock
from tests.wall.story import NOW_NS

if TYPE_CHECKING:
    import pytest

    from dashboards.wall.sources import Failures

RUNS = Verdict(
    site="a", meeting="first", occurrence_ns=1, starts_ns=NOW_NS - 20 * MINUTE_NS, ends_ns=NOW_NS + 10 * MINUTE_NS,
    profile="audio", issued_ns=NOW_NS, state=State.READY, probability=0.97,
)  # fmt: skip
SECOND = structs.replace(RUNS, meeting="second", starts_ns=NOW_NS - 10 * MINUTE_NS)
LATER = structs.replace(RUNS, meeting="later", starts_ns=NOW_NS + MINUTE_NS, ends_ns=NOW_NS + HOUR_NS)
BAD = {"state": State.NOT_READY, "probability": 0.0}
DARK = {"state": State.NOT_READY, "probability": None, "reasons": (Reason(code=ReasonCode.DARK),)}


def told(*verdicts: Verdict) -> str:
    """Of which meeting a tile tells, in whatever order the verdicts come."""
    (one,) = {next_verdicts(order, NOW_NS)["a"].meeting for order in (verdicts, verdicts[::-1])}
    return one


def test_of_the_meetings_that_run_a_tile_tells_the_worst() -> None:
    """By state, then by chance, then the one that began first; out of contact is worse than any chance."""
    assert told(RUNS, structs.replace(SECOND, **BAD)) == "second"
    assert told(structs.replace(RUNS, **BAD), SECOND) == "first"
    assert told(structs.replace(RUNS, **BAD), structs.replace(SECOND, **DARK)) == "second"
    assert told(RUNS, structs.replace(SECOND, probability=0.96)) == "second"
    assert told(RUNS, structs.replace(SECOND, state=State.UNKNOWN, probability=None)) == "second"
    assert told(RUNS, SECOND) == "first"


def test_what_comes_gives_way_to_what_runs_however_bad() -> None:
    """And of two that come the first is told, ready or not; one that is over is not told of."""
    assert told(RUNS, structs.replace(LATER, **BAD)) == "first"
    after = structs.replace(LATER, meeting="after", starts_ns=NOW_NS + 2 * MINUTE_NS, **BAD)
    assert told(LATER, after) == "later"
    over = structs.replace(RUNS, meeting="over", ends_ns=NOW_NS, **BAD)
    assert told(over, SECOND) == "second"


def occurrence(verdict: Verdict) -> Any:
    meeting = SimpleNamespace(
        uid=verdict.meeting, invited=("a",), end="state", profile="audio", name=lambda _: "M"
    )
    return SimpleNamespace(
        meeting=meeting, recurrence_ns=1, starts_ns=verdict.starts_ns, ends_ns=verdict.ends_ns
    )


def failures(*meetings: str) -> Failures:
    """Office a has failed these by 9 windows of 120."""
    return {
        (meeting, 1): {
            "a": Outcome(
                site="a", meeting=meeting, occurrence_ns=1, state=OutcomeState.FAILED, windows=120, broken=9,
                missing=80, settled_ns=NOW_NS,
            )
        }
        for meeting in meetings
    }  # fmt: skip


def test_who_has_failed_is_told_with_a_meeting_that_runs_alone() -> None:
    """With the share of the whole; not of one that is over, that comes, or that the calendar has no more."""
    over = structs.replace(RUNS, meeting="over", ends_ns=NOW_NS)
    made = gatherings([occurrence(one) for one in (RUNS, SECOND, LATER, over)], [], {}, NOW_NS)
    failing(made, failures("first", "later", "over", "gone"), NOW_NS)
    assert {one.uid: one.failed for one in made.values()} == {
        "first": {"a": 0.075}, "second": {}, "later": {}, "over": {},
    }  # fmt: skip


def test_a_store_that_cannot_be_read_leaves_the_last_answer_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And once more when it answers again."""
    broken = RuntimeError("no such table")

    def refuse(_now_ns: int) -> Failures:
        raise broken

    asked = FailedAlready(refuse, StillClock())
    with caplog.at_level(logging.INFO):
        asked.look(lambda _now_ns: failures("first"))
        asked.look(refuse)
        asked.look(refuse)
        assert asked.known == failures("first")
        asked.look(lambda _now_ns: {})
    assert asked.known == {}
    assert [vars(record)["event"] for record in caplog.records] == ["wall.failed", "wall.recovered"]


def test_a_wall_that_nobody_gave_the_question_asks_nobody() -> None:
    """It ends at once and says nothing of it."""
    asked = FailedAlready(None, StillClock())
    asyncio.run(asked.run())
    assert asked.known == {}
