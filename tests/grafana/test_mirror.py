"""What was decided reaches the server once, whatever happens in between."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from config.settings import Store
from telemetry.decisions import Action, OutcomeState, ReasonCode, State
from telemetry.rehearsing import OfficeState, RehearsalState
from telemetry.state.db import StateDb
from telemetry.store.server.connect import connect
from telemetry.store.server.database import UnreachableError
from telemetry.store.server.decided import (
    ACTIONS,
    OUTCOMES,
    REASONS,
    REHEARSALS,
    STATES,
    VOIDED,
    lane,
    meeting_tag,
)
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS
from tests.grafana.decisions import FORECASTS, INCIDENT, NOW, REHEARSED, SITES, Live, fill, mirror, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.telemetry.store.servers import Servers

STEP = 61 * SECOND_NS


class Sink:
    """A server that notes what it is given, or is away."""

    strings, where, settles_s = True, "sink", 0.0

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.away = False
        self.process = "1"

    def write(self, lines: Sequence[str]) -> None:
        if self.away:
            raise UnreachableError("sink: cannot be reached")
        self.lines += lines

    def incarnation(self) -> str:
        return self.process

    def close(self) -> None:
        pass

    def of(self, family: str) -> list[str]:
        return [line for line in self.lines if re.match(rf"[a-z0-9]+_{family},", line)]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    """A morning's decisions."""
    with closing(StateDb(tmp_path / "state.db")) as db:
        fill(db)
        yield db


@pytest.fixture
def settings() -> Store:
    """Names of a server that is not asked."""
    return Store(kind="influxdb1", url="http://127.0.0.1:1", prefix="t")


def test_each_word_has_a_number_of_its_own() -> None:
    """A word that is new to the house needs a number here before it can be told; numbers are never shared."""
    for table, words in (
        (STATES, State),
        (OUTCOMES, OutcomeState),
        (REASONS, ReasonCode),
        (ACTIONS, Action),
        (REHEARSALS, RehearsalState),
    ):
        assert set(table) == set(words)
        assert len(set(table.values())) == len(table)
    assert VOIDED not in STATES.values()


def test_lanes_keep_occurrences_apart() -> None:
    """Two occurrences of one meeting within the longest horizon, an hour or more apart, never share a millisecond."""
    assert len({lane(NOW + hours * HOUR_NS) for hours in range(31 * 24)}) == 31 * 24
    assert meeting_tag("a") != meeting_tag("b")


def test_told_once_and_again_when_it_changes(tmp_path: Path, settings: Store, state: StateDb) -> None:
    """Looking again writes nothing; a verdict that changes is one point more; one that is void is told as such."""
    sink = Sink()
    with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
        assert m.step(NOW)
        first = list(sink.lines)
        assert [len(sink.of(name)) for name in ("verdict", "forecast", "outcome", "score")] == [3, 12, 6, 12]
        assert len(sink.of("meeting")) == len(sink.of("incident")) == len(sink.of("rehearsed")) == 1
        state.beat("watch", NOW, {})  # the revision rises
        assert m.step(NOW + STEP) == 0
        state.put_verdicts([verdict("agra", 0.5)])
        m.step(NOW + 2 * STEP)
        changed = sink.lines[len(first) :]
        assert len(changed) == 2, changed  # the office's, and the meeting's counts
        assert any("_verdict,site=agra" in line and " state=3i," in line for line in changed)
        state.void(verdict("agra", 0.5).meeting, NOW + HOUR_NS, NOW)
        m.step(NOW + 3 * STEP - 10 * SECOND_NS)
        assert [f" state={VOIDED}i," in line for line in sink.of("verdict")[-3:]] == [True] * 3
        m.step(NOW + 4 * STEP)
        assert len(sink.of("verdict")) == 7


def test_a_rehearsal_is_told_as_it_goes_on(tmp_path: Path, settings: Store, state: StateDb) -> None:
    """How many offices are how far, again when that changes; its beginning once, at the second of the first load."""
    sink = Sink()
    with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
        m.step(NOW)
        done = replace(REHEARSED.offices[2], state=OfficeState.HELD, step=3)
        state.put_rehearsal(
            replace(
                REHEARSED, state=RehearsalState.DONE, offices=(*REHEARSED.offices[:2], done), ended_ns=NOW
            )
        )
        m.step(NOW + STEP)
        m.step(NOW + 2 * STEP)
    running, over = sink.of("rehearsed")
    assert "state=1i,offices=3i,waiting=0i,running=1i,held=1i,broke=1i" in running
    assert "state=2i,offices=3i,waiting=0i,running=0i,held=2i,broke=1i" in over
    assert "took_up_bps=2400000.0,took_down_bps=2300000.0,asked_s=" in over
    (began,) = [line for line in sink.of("event") if "kind=rehearsal" in line]
    assert int(began.split()[-1]) // 1000 == REHEARSED.starts_ns[0] // SECOND_NS


def test_a_server_that_is_away_loses_nothing(
    tmp_path: Path, settings: Store, state: StateDb, caplog: pytest.LogCaptureFixture
) -> None:
    """What was taken meanwhile waits in the book, through a restart; verdicts in between are there as well."""
    sink = Sink()
    sink.away = True
    with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
        assert m.step(NOW) == 0
        state.put_verdicts([verdict("agra", 0.5)])
        assert m.step(NOW + STEP) == 0
        assert m.detail()["mirror_waiting"] != 0
    assert [r.__dict__.get("event") for r in caplog.records].count("mirror.failed") == 1
    state.put_verdicts([verdict("agra", 0.8)])
    sink.away = False
    with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
        m.step(NOW + 2 * STEP)
        m.step(NOW + 3 * STEP)
        assert m.detail()["mirror_waiting"] == 0
    told = [line for line in sink.of("verdict") if "site=agra" in line]
    assert [re.search(r"state=(\d)i", line)[1] for line in told] == ["1", "3", "2"]  # type: ignore[index]
    assert len(sink.of("forecast")) == len(FORECASTS)
    assert len(set(sink.lines)) == len(sink.lines)


def test_a_server_started_anew_is_told_again(tmp_path: Path, settings: Store, state: StateDb) -> None:
    """What a server took and may have lost with its process is written once more, to the same series and times."""
    sink = Sink()
    with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
        m._settles_s = 3600.0
        written = m.step(NOW)
        assert m.detail()["mirror_waiting"] == written
        sink.process, m._settles_s = "2", 0.0
        assert m.step(NOW + SECOND_NS) == written
        assert m.detail()["mirror_waiting"] == 0
    assert sink.lines[:written] == sink.lines[written:]


@pytest.mark.parametrize("kind", ["victoriametrics", "influxdb1"])
def test_the_server_takes_every_point(tmp_path: Path, servers: Servers, state: StateDb, kind: str) -> None:
    """No line is refused, by either kind: types and names are such as the engines know."""
    settings = servers.settings(kind)
    with mirror(settings, tmp_path, state) as m:
        written = m.step(NOW)
        assert written > len(SITES) + len(FORECASTS)
        m.step(NOW + 5 * SECOND_NS)
        assert m.detail() == {"mirror_points": written, "mirror_waiting": 0, "mirror_rejected": 0}
    with closing(connect(settings)) as server:
        assert not server.lost()


def test_the_rollout_is_remembered_day_by_day(tmp_path: Path, settings: Store, state: StateDb) -> None:
    """The line is written once an hour, from what was noted on earlier days, also by a mirror before a restart; a named day sets the pace that it takes."""
    sink, day = Sink(), DAY_NS
    for days in range(10):
        with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
            m.step(NOW + days * day)
            m.step(NOW + days * day + 300 * SECOND_NS)
    of_all = [line for line in sink.of("rollout_pace") if "region=all" in line]
    assert len(of_all) == 10
    assert "per_week=" not in of_all[6]
    assert re.search(r" linked=\d+i,total=92i,per_week=0.0,complete_s=0i,target_s=0i ", of_all[-1])
    lines = [line for line in sink.of("rollout_line") if "region=all,step=w1" in line]
    assert len(lines) == 3
    (begun,) = re.findall(r"at_s=(\d+)i", lines[-1])
    assert int(begun) == (NOW // day + 9 - 7) * 86_400
    with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
        config = m._live.current
        deployment = msgspec.structs.replace(config.settings.deployment, all_linked_by="2024-11-01")
        named = msgspec.structs.replace(config.settings, deployment=deployment)
        m._live = Live(msgspec.structs.replace(config, settings=named))  # type: ignore[assignment]
        m.step(NOW + 10 * day)
    newest = [line for line in sink.of("rollout_pace") if "region=all" in line][-1]
    linked, target_s, needed = (
        float(x) for x in re.findall(r"(?: linked|target_s|needed_per_week)=([\d.]+)", newest)
    )
    assert datetime.fromtimestamp(target_s, UTC).isoformat() == "2024-11-01T18:29:59+00:00"
    weeks = (target_s - (NOW + 10 * day) / SECOND_NS) / (7 * 86_400)
    assert needed == pytest.approx((92 - linked) / weeks)


def test_an_office_that_leaves_a_fault_is_taken_back(tmp_path: Path, settings: Store, state: StateDb) -> None:
    """Each office of a fault once; one that is no longer part of it, and all when it is over, are told as free."""
    sink = Sink()

    def told() -> list[tuple[str, str]]:
        lines = [line for line in sink.of("incident_site") if "provider-b" in line]
        return [(m[1], m[2]) for line in lines if (m := re.search(r"site=(\w+),.* open=(\d)i", line))]

    with mirror(settings, tmp_path, state, sink) as m:  # type: ignore[arg-type]
        m.step(NOW)
        assert told() == [("agra", "1"), ("etah", "1")]
        state.put_incidents([msgspec.structs.replace(INCIDENT, sites=("agra", "mathura"))])
        m.step(NOW + STEP)
        assert told()[2:] == [("etah", "0"), ("mathura", "1")]
        state.put_incidents(
            [msgspec.structs.replace(INCIDENT, sites=("agra", "mathura"), until_ns=NOW + STEP)]
        )
        m.step(NOW + 2 * STEP)
        assert told()[4:] == [("agra", "0"), ("mathura", "0")]
