"""What the last rehearsals speak against, as of a time: which profiles, which way, and what has been seen better since."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec import structs

from analytics.lines import Lines
from analytics.rehearsed import RECALLED_NS
from config.load import load_config
from tatpar.watching.broke_in_rehearsal import broke_in_rehearsal
from telemetry.decisions import Outcome, OutcomeState
from telemetry.rehearsing import OfficeProgress, OfficeState, RehearsalRecord, RehearsalRequest
from telemetry.windows import HOUR_NS, MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from config.config import Config

LINES = Lines(("agra", "etah"), ("main.state", "main.national"))
NOW = 1_764_050_400 * SECOND_NS
RUNGS = ("audio", "video-360p", "video-720p")
BROKE = OfficeProgress(
    site="agra", probe="p1", stage=1, state=OfficeState.BROKE, rung_up="audio", rung_down="video-720p",
    up_bps=330e3, down_bps=1.2e6, why="up loss",
)  # fmt: skip
HELD = structs.replace(BROKE, state=OfficeState.HELD, rung_up="video-720p", why="")


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(None)


@dataclass
class State:
    """What a state database would say."""

    records: list[RehearsalRecord]
    held: tuple[Outcome, ...] = ()

    def rehearsals_since(self, _asked_ns: int) -> list[RehearsalRecord]:
        return self.records

    def outcomes(self, _from_ns: int, _until_ns: int) -> tuple[Outcome, ...]:
        return self.held


def record(ended_ns: int, *offices: OfficeProgress, rungs: tuple[str, ...] = RUNGS) -> RehearsalRecord:
    start_ns = ended_ns - len(rungs) * 7 * SECOND_NS
    asked = RehearsalRequest(id="r", key="r", meeting="m", recurrence_ns=1, who="asha", asked_ns=start_ns)
    return RehearsalRecord(
        request=asked, path="main.state", rungs=rungs, rung_s=7.0, starts_ns=(start_ns,), offices=offices
    )


def against(config: Any, *records: RehearsalRecord, held: tuple[Outcome, ...] = ()) -> dict[str, list[Any]]:
    """By profile, (site, path) of the lines that something speaks against."""
    found = broke_in_rehearsal(State(list(records), held), config, LINES, NOW)  # type: ignore[arg-type]
    return {name: np.argwhere(one.ended_ns).tolist() for name, one in found.items() if one.ended_ns.any()}


def test_what_broke_and_all_that_asks_for_more(config: Config) -> None:
    """Up held audio only: 360p and everything above it on that ladder; with the way, its rate, and when."""
    found = broke_in_rehearsal(State([record(NOW - MINUTE_NS, BROKE)]), config, LINES, NOW)  # type: ignore[arg-type]
    said = {name for name, one in found.items() if one.ended_ns.any()}
    above = {p.id for p in config.profiles.values() if p.ladder == config.profiles["audio"].ladder} - {
        "audio"
    }
    assert said == above
    one = found["video-720p"]
    assert (one.ended_ns[0, 0], one.began_ns[0, 0]) == (NOW - MINUTE_NS, NOW - MINUTE_NS - 21 * SECOND_NS)
    assert (bool(one.is_down[0, 0]), float(one.got_bps[0, 0])) == (False, 330e3)
    assert np.count_nonzero(one.ended_ns) == 1
    down = structs.replace(BROKE, rung_up="video-720p", rung_down="")
    found = broke_in_rehearsal(State([record(NOW - MINUTE_NS, down)]), config, LINES, NOW)  # type: ignore[arg-type]
    assert bool(found["audio"].is_down[0, 0])


def test_the_newest_word_counts_as_far_as_it_goes(config: Config) -> None:
    """A later one that held all mends all; a later one of audio alone leaves the rest as it was."""
    broke, later = record(NOW - 2 * HOUR_NS, BROKE), NOW - HOUR_NS
    assert against(config, broke, record(later, HELD)) == {}
    audio = structs.replace(HELD, rung_up="audio", rung_down="audio")
    assert "video-720p" in against(config, broke, record(later, audio, rungs=("audio",)))
    half = structs.replace(BROKE, rung_up="video-360p")
    assert "video-360p" not in against(config, broke, record(later, half))
    assert "video-720p" in against(config, record(later, BROKE), record(NOW - 2 * HOUR_NS, HELD))


@pytest.mark.parametrize(
    "office",
    [
        structs.replace(BROKE, state=OfficeState.ABORTED, why="own-load"),
        structs.replace(BROKE, state=OfficeState.SILENT),
        structs.replace(BROKE, state=OfficeState.REFUSED, why="meeting"),
        structs.replace(BROKE, why="ceiling"),
        structs.replace(BROKE, site="mars"),
        HELD,
    ],
)
def test_what_proved_nothing_speaks_against_nobody(config: Config, office: OfficeProgress) -> None:
    """Broken off, silent, refused, ended by the line's stated rate, of nobody we know; or held."""
    assert against(config, record(NOW - MINUTE_NS, office)) == {}


def test_as_of_now(config: Config) -> None:
    """Neither what ended after now nor what is a day old."""
    for ended_ns in (NOW + 1, NOW - RECALLED_NS - 1):
        assert against(config, record(ended_ns, BROKE)) == {}
    future = record(NOW + 1, HELD)
    assert "video-720p" in against(config, record(NOW - MINUTE_NS, BROKE), future)


def test_a_meeting_that_held_since_mends(config: Config) -> None:
    """Under its profile and below; not before it was known, and not one that failed."""
    start_ns = NOW - 2 * HOUR_NS
    meeting = SimpleNamespace(end="state", profile="video-720p")
    found = SimpleNamespace(starts_ns=start_ns, ends_ns=start_ns + HOUR_NS, meeting=meeting)
    calendar = SimpleNamespace(find=lambda *_: found)
    known = SimpleNamespace(calendar=calendar, profiles=config.profiles)
    outcome = Outcome(
        site="agra", meeting="m", occurrence_ns=start_ns, state=OutcomeState.HELD,
        windows=240, broken=0, missing=0, settled_ns=NOW - 1,
    )  # fmt: skip
    broke = record(NOW - 3 * HOUR_NS, BROKE)
    assert set(against(known, broke, held=(outcome,))).isdisjoint(RUNGS)
    assert "video-720p" in against(known, broke, held=(structs.replace(outcome, settled_ns=NOW + 1),))
    failed = structs.replace(outcome, state=OutcomeState.FAILED)
    assert "video-720p" in against(known, broke, held=(failed,))
    assert "video-720p" in against(known, record(NOW - HOUR_NS, BROKE), held=(outcome,)), (
        "it broke afterwards"
    )
