"""Pruning: what is old goes and nothing else, beside a collector that goes on, and the disk gets its room back."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from telemetry.alerting import Post
from telemetry.state import pruning
from telemetry.state.clocks import HEARD_NS
from telemetry.state.db import StateDb
from telemetry.state.pruning import KINDS
from telemetry.store.protocol import Fate, Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.store.sqlite.inspection import inspect
from telemetry.windows import DAY_NS, HOUR_NS
from tests.keeping.conftest import EVERYTHING
from tests.telemetry.store.conftest import T0, Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.keeping.conftest import Hub

OLD, NEW = 10, 1000
FILL = """
INSERT INTO verdict VALUES ('agra', 'm', {at}, {at}, NULL, '{{}}');
INSERT INTO forecast (site, meeting, occurrence_ns, horizon, starts_ns, body) VALUES ('agra', 'm', {at}, 'h', {at}, '{{}}');
INSERT INTO outcome VALUES ('agra', 'm', {at}, {at}, 1, '{{}}');
INSERT INTO flag_spell (site, path, code, raised_ns, cleared_ns, since_ns, body) VALUES ('a', 'p', 'c{at}', 1, {at}, 1, '{{}}');
INSERT INTO flag_spell (site, path, code, raised_ns, cleared_ns, since_ns, body) VALUES ('a', 'p', 'o{at}', 1, NULL, 1, '{{}}');
INSERT INTO offline VALUES ('agra', 'p1', {at}, {at});
INSERT INTO incident VALUES ('i{at}', 'f', 1, {at}, '{{}}');
INSERT INTO incident VALUES ('open{at}', 'f', 1, NULL, '{{}}');
INSERT INTO incident_mark (incident, at_ns, who, note) VALUES ('i{at}', {at}, 'w', '');
INSERT INTO rehearsal (id, asking_key, hub, meeting, recurrence_ns, asked_ns, ended_ns, body) VALUES ('r{at}', 'k{at}', 'hub{at}', 'm', 1, 1, {at}, '{{}}');
INSERT INTO rehearsal_office VALUES ('r{at}', 'agra', '{{}}');
INSERT INTO alert VALUES ('a{at}', 's{at}', 'x', 1, {at}, '{{}}');
INSERT INTO quarantine (received_ns, topic, reason, payload) VALUES ({at}, 't', 'r', x'00');
INSERT INTO command (id, site, probe, who, issued_ns, expires_ns, body) VALUES ('c{at}', 'a', 'p', 'w', {at}, {at}, '{{}}');
INSERT INTO model VALUES ({at}, 'n', x'00');
INSERT INTO wrong_clock VALUES ('a{at}', 'p', 1, 1, {at}, {at});
INSERT INTO wrong_clock VALUES ('o{at}', 'p', 1, 1, {at}, NULL);
INSERT INTO boot VALUES ('a', 'p', 'b{at}', {at}, '{{}}');
"""


@pytest.fixture
def state(tmp_path: Path) -> StateDb:
    """One of each kind that is over, long ago and lately; and what is still open."""
    made = StateDb(tmp_path / "state.db")
    for at in (OLD, NEW):
        made._connection.executescript(FILL.format(at=at))
        post = Post(
            key=f"k{at}", person="", channel="mail", recipient="a@b.c", subject="s", body="b", due_ns=1
        )
        made.post([post], at)
        made.mark_sent(post.key, at)
        made._connection.execute("INSERT INTO outbox_file VALUES (?, 'n', 't', x'00')", (post.key,))
    made.post(
        [Post(key="waits", person="", channel="mail", recipient="a@b.c", subject="s", body="b", due_ns=1)], 1
    )
    return made


def test_of_every_kind_what_is_over_goes_and_the_rest_stays(
    state: StateDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is open stays whatever its age; the dry run says exactly what then goes."""
    monkeypatch.setattr(pruning, "AT_ONCE", 1)
    said = state.outdated(NEW - 1)
    assert set(said) == set(KINDS)
    assert state.let_go(NEW - 1) == said
    assert state.outdated(NEW - 1) == {}
    assert set(state.outdated(NEW + 1)) == set(KINDS) - {"models"}
    rows = {
        table: state._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("flag_spell", "incident", "model", "outbox", "verdict", "incident_mark")
    }
    assert rows == {"flag_spell": 3, "incident": 3, "model": 1, "outbox": 2, "verdict": 1, "incident_mark": 1}
    clocks = state._connection.execute(
        "SELECT (SELECT count(*) FROM wrong_clock), (SELECT count(*) FROM boot)"
    )
    assert clocks.fetchone() == (3, 1)
    state.let_go(2**62)
    assert state._connection.execute("SELECT count(*) FROM model").fetchone() == (1,)
    assert [row.key for row in state.waiting(9)] == ["waits"]


def test_a_clock_that_nobody_hears_any_more_is_over_when_it_is_told_no_longer(state: StateDb) -> None:
    """It is not open for ever: its machine may be gone."""
    over_ns = NEW + HEARD_NS
    state.let_go(over_ns)
    left = "SELECT site FROM wrong_clock"
    assert state._connection.execute(left).fetchall() == [(f"o{NEW}",)]
    assert state.outdated(over_ns + 1)["clocks"] == 1
    state.let_go(over_ns + 1)
    assert state._connection.execute(left).fetchall() == []


def test_windows_and_roll_ups_go_by_their_own_age_beside_a_writer(hub: Hub) -> None:
    """The ledger stays, so what comes again is known; what is left reads as before; a collector goes on between."""
    with (
        closing(SqliteStore(hub.data / "reports.db")) as pruner,
        closing(SqliteStore(hub.data / "reports.db")) as other,
    ):
        cut = T0 + HOUR_NS
        left = Selection(cut, T0 + 3 * HOUR_NS)
        before = other.streams(left).columns["sent"].tobytes()
        slots = len(other.rollups(EVERYTHING))
        said = pruner.outdated(cut, T0 - DAY_NS)
        assert (said.hours, said.days) == (2, 0)
        fates = []

        def between(_done: int, _total: int) -> None:
            fates.extend(other.append([Fleet().report("agra", 1000 + len(fates), 900)]))

        pruner.let_go(cut, T0 - DAY_NS, between)
        assert fates
        assert set(fates) == {Fate.STORED}
        assert other.append([Fleet().report("agra", 3, 9)]) == [Fate.DUPLICATE]
        assert len(other.streams(Selection(0, cut))) == 0
        assert len(other.rollups(EVERYTHING)) == slots
        assert other.streams(left).columns["sent"].tobytes() == before != b""
        pruner.let_go(0, T0 + DAY_NS, lambda *_: None)
        assert len(other.rollups(EVERYTHING)) == 0
    assert inspect(hub.data / "reports.db").faults == ()


def test_the_command_says_what_goes_and_gives_the_room_back(hub: Hub) -> None:
    """A dry run changes nothing; --compact makes the file smaller; an empty folder is no hub."""
    here = ["--config", str(hub.config.file), "--data", str(hub.data), "--json"]
    age = (time.time_ns() - T0) // DAY_NS
    assert age > 3
    run = CliRunner()
    dry = run.invoke(
        main, ["store", "prune", "--windows", "1", "--rollups", "1", "--decisions", "1", "--dry-run", *here]
    )
    assert dry.exit_code == 0, dry.output
    said = json.loads(dry.stdout)
    assert (said["hours"], said["rollup_days"]) == (4, 2)
    with closing(SqliteReader(hub.data / "reports.db")) as reader:
        assert len(reader.streams(EVERYTHING)) > 600
    size = (hub.data / "reports.db").stat().st_size
    done = run.invoke(main, ["store", "prune", "--windows", "1", "--rollups", "1", "--compact", *here])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["given_back_bytes"] == size - (hub.data / "reports.db").stat().st_size > 100_000
    with closing(sqlite3.connect(hub.data / "reports.db")) as store:
        for table in ("report", "block", "part"):
            assert store.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert store.execute("SELECT count(*) FROM ledger").fetchone() == (2,)
    assert run.invoke(main, ["store", "prune", "--data", str(hub.folder / "no")]).exit_code == 2
