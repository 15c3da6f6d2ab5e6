"""An office of which a file of another tool was imported and whose own probe measured too: the file's later rows tell nothing of earlier silence."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from analytics.forecast.asking import LEADS_NS
from analytics.lines import Lines
from config.load import load_config
from lab.past.history import past_of, write_history
from tatpar.backtesting.blocks import Source, Wanted
from tatpar.backtesting.imported_rows import imported_rows
from tatpar.backtesting.replaying import replayed
from tatpar.shipped.prior import shipped_prior
from telemetry.state.db import StateDb
from telemetry.store.by_blocks import InProcess
from telemetry.store.open import open_reader
from telemetry.store.protocol import Received, Selection
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS, WINDOW_NS, slot_start
from tests.reported import envelope_of, quiet_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Desk
    from numpy.typing import NDArray

    from tatpar.backtesting.replaying import Replayed

DAYS: Final = 9
DAY_S: Final = 86_400
T0: Final = slot_start(time.time_ns()) - 10 * DAY_NS
MINUTES: Final = range(0, DAYS * DAY_S, 60)
X_S: Final = 7 * DAY_S
LATE: Final = MINUTES[8 * 1440 :][:30]
"""Pings that are known only hours after they were made, long after `X_S`."""
PINGS: Final = """
time = { column = "t", format = "unix_s" }
arrived = { column = "came", format = "unix_s" }
path = { is = "main.state" }
ping = { rtt = { column = "rtt" } }
"""


@dataclass(frozen=True)
class World:
    """Nine days of two offices: Etah's file has a ping every five minutes, so that somebody is heard all the time."""

    desk: Desk

    def imports(self, site: str, seconds: Iterable[int], late: Iterable[int] = ()) -> None:
        """One file of pings at some seconds after `T0`, known at once or three hours late; one in nine is slow, by turns of two hours."""
        rows = ["t,rtt,came"]
        for some, later_s in ((seconds, 0), (late, 10_800)):
            for at in some:
                at_s, rtt = T0 // SECOND_NS + at, 400 if (at // 7200) % 9 == 4 else 40 + at % 7
                rows.append(f"{at_s},{rtt},{at_s + later_s}")
        file = self.desk.writes(f"{site}.csv", "\n".join(rows))
        done = self.desk.imports([file], self.desk.writes("m.toml", PINGS), "--site", site)
        assert done.exit_code == 0, done.output

    def measures(self, site: str, from_s: int, until_s: int) -> None:
        """The office's own probe reports every 15 s."""
        self.desk.data.mkdir(exist_ok=True)
        starts = range(T0 + from_s * SECOND_NS, T0 + until_s * SECOND_NS, WINDOW_NS)
        with closing(SqliteStore(self.desk.data / "reports.db")) as store:
            store.append(
                [
                    Received(envelope_of(site, seq, start, quiet_stream()), start + WINDOW_NS + 4 * SECOND_NS)
                    for seq, start in enumerate(starts, 1)
                ]
            )
            while store.maintain(T0 + 10 * DAY_NS):
                pass

    def replay(self) -> Replayed:
        config = load_config(self.desk.config)
        with (
            closing(open_reader(config.settings.store, self.desk.data)) as reader,
            closing(StateDb(self.desk.data / "state.db")) as state,
        ):
            wanted = Wanted(from_ns=T0, until_ns=T0 + DAYS * DAY_NS, hourly=True)
            return replayed(config, Source(reader, state), wanted, shipped_prior(), lambda _: None)


@pytest.fixture(autouse=True)
def few_lessons(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit learns from fewer hours here, so that the tests are quick."""
    monkeypatch.setattr("analytics.forecast.replay.MOST_ASKS", 1000)


@pytest.fixture
def world(desk: Desk) -> World:
    made = World(desk)
    made.imports("etah", MINUTES[::5])
    return made


def of_agra(found: Replayed, from_day: float, until_day: float) -> NDArray[np.bool_]:
    """(P,) the hours of Agra, the first of two offices, that lie in a span of days after `T0`."""
    from_ns, until_ns = (T0 + round(day * DAY_NS) for day in (from_day, until_day))
    inside = (found.starts_ns >= from_ns) & (found.starts_ns + HOUR_NS <= until_ns)
    return np.asarray((found.sites == 0) & inside)


def test_rows_that_come_later_change_nothing_before(world: World) -> None:
    """Agra's file has three days, and half an hour of the ninth that comes when that has passed; its own probe was heard for ten hours of the fifth, and died."""
    world.measures("agra", round(4.5 * DAY_S), round(4.5 * DAY_S) + 36_000)
    folder = world.desk.folder.with_name(world.desk.folder.name + "-twin")
    shutil.copytree(world.desk.folder, folder)
    other = World(replace(world.desk, folder=folder))
    world.imports("agra", MINUTES[: 3 * 1440])
    other.imports("agra", MINUTES[: 3 * 1440], LATE)
    one, two = world.replay(), other.replay()
    asked_ns = one.starts_ns[:, None] - np.array(LEADS_NS)
    before = asked_ns <= T0 + X_S * SECOND_NS
    for name in ("chance", "model", "persistence", "climatology"):
        assert np.array_equal(getattr(one, name)[before], getattr(two, name)[before], equal_nan=True), name
    ended = one.starts_ns + HOUR_NS <= T0 + X_S * SECOND_NS
    assert np.array_equal(one.known[ended], two.known[ended])
    assert np.array_equal(one.held[ended], two.held[ended])
    assert not np.array_equal(one.chance, two.chance, equal_nan=True), "they did come"
    dead = of_agra(one, 5, 7)
    assert one.known[dead].all()
    assert not one.held[dead].any()


def test_an_own_probe_in_the_hole_of_a_file_is_awaited_from_its_first_word_on(world: World) -> None:
    """Before it nothing is known of a hole of more than a day; where it is silent it failed, until the file goes on."""
    world.imports("agra", [*range(0, DAY_S, 15), *range(6 * DAY_S, DAYS * DAY_S, 15)])
    world.measures("agra", 3 * DAY_S, 3 * DAY_S + 6 * 3600)
    found = world.replay()
    assert not found.known[of_agra(found, 1, 3)].any()
    assert found.held[of_agra(found, 3, 3.25)].all()
    silent = of_agra(found, 3.25, 6)
    assert silent.sum() > 60
    assert found.known[silent].all()
    assert not found.held[silent].any()
    assert found.known[of_agra(found, 6, 9)].all()
    assert found.held[of_agra(found, 6, 9)].any()


def test_a_hole_in_which_no_probe_measured_is_silence_up_to_a_day(world: World) -> None:
    """Of a longer one nothing is known, and after the end neither."""
    world.imports("agra", [*MINUTES[:1440], *MINUTES[1440 + 360 : 3 * 1440], *MINUTES[5 * 1440 : 8 * 1440]])
    found = world.replay()
    short, long, over = (of_agra(found, *days) for days in ((1, 1.25), (3, 5), (8, 9)))
    assert found.known[short].all()
    assert not found.held[short].any()
    assert not found.known[long].any()
    assert not found.known[over].any()
    assert found.held[of_agra(found, 5, 8)].any()


def test_what_the_lab_drew_is_no_file_and_what_a_probe_measured_neither(world: World) -> None:
    """All three in one office, the drawn and the imported marked as not measured here."""
    world.measures("agra", DAY_S, DAY_S + 3600)
    world.imports("agra", MINUTES[:600])
    config = load_config(world.desk.config)
    plan = past_of(config, weeks=0.2, now_ns=T0 + 2 * DAY_NS)
    with closing(SqliteStore(world.desk.data / "reports.db")) as store:
        write_history(plan, store, lambda _: None, workers=0)
        table = store.rollups(Selection(T0, T0 + 2 * DAY_NS, sites=("agra",), paths=("main.state",)))
        assert (table.columns["emulated"] == 1).sum() > 500
        span, lines = (T0 // SLOT_NS, T0 // SLOT_NS + 2 * 288), Lines(("etah", "agra"), ("main.state",))
        with closing(StateDb(world.desk.data / "state.db")) as state:
            offices = state.imported()
        assert set(offices) == {"agra", "etah"}
        found = imported_rows(InProcess(store), lines, offices, span)
        assert found is not None
        assert np.flatnonzero(found[1, 0]).tolist() == [*range(120)]
        assert found[0].all()
        assert imported_rows(InProcess(store), Lines(("agra",), lines.paths), (), span) is None
