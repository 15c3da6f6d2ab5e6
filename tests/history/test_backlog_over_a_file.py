"""A probe's backlog that covers what was imported in time: a replay knows what the hub knew, whoever looks back has what was measured, once."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from msgspec import structs

from analytics.forecast.asking import LEADS_NS
from analytics.lines import Lines
from analytics.quality.assumed import endpoints_of
from config.load import load_config
from config.profiles import Limits
from config.settings import Quality
from dashboards.wall.series import series
from reports.past.slots import read_slots
from tatpar.backtesting.blocks import Source, Wanted
from tatpar.backtesting.imported_rows import imported_rows
from tatpar.backtesting.replaying import replayed
from tatpar.shipped.prior import shipped_prior
from telemetry.messages import Direction
from telemetry.state.db import StateDb
from telemetry.store.by_blocks import InProcess
from telemetry.store.open import open_reader
from telemetry.store.protocol import Received, Selection
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, SLOT_NS, WINDOW_NS, slot_start
from tests.history.conftest import SITES, Desk
from tests.reported import envelope_of, quiet_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analytics.forecast.slots import SlotGrid
    from tatpar.backtesting.replaying import Replayed
    from telemetry.messages import Stream
    from telemetry.store.protocol import StoreReader

DAYS: Final = 6
SLOTS: Final = DAYS * 288
T0: Final = slot_start(time.time_ns()) - 8 * DAY_NS
SPAN: Final = (T0, T0 + DAYS * DAY_NS)
LINES: Final = Lines(("agra", "etah"), ("main.state",))
LIMITS: Final = (Limits(rtt_ms=100.0), Limits(loss_ratio=0.05), Limits(rtt_above_floor_ms=20.0))
NEVER_NS: Final = 2**62
HEARD: Final = ((48, 60), (96, 106))
"""Hours after `T0` within which Agra's probe measures."""
CUTS: Final = ((50 * HOUR_NS + 137 * SECOND_NS, 55 * HOUR_NS), (98 * HOUR_NS, 103 * HOUR_NS + 61 * SECOND_NS))
"""Within them it has no uplink: from the middle of a slot, and up to the middle of one."""
HALF_LATER_NS: Final = 50 * MINUTE_NS
"""A backlog comes in two halves, slot by slot in turns."""
HOURS: Final = (50.2, 53.0, 55.0179, 55.3, 57.5, 99.0, 103.3, 104.5, 130.0)
"""After `T0`: before a backlog, in the middle of one, between its halves and after it."""
PINGS: Final = """
time = { column = "t", format = "unix_s" }
arrived = { column = "came", format = "unix_s" }
path = { is = "main.state" }
ping = { rtt = { column = "rtt" } }
"""


def pings(site: str) -> Iterator[tuple[int, int, int]]:
    """(time, ms, arrival) in s: Agra's every minute, slow by hours, one slot in eight late as a whole, some in part; Etah's every five minutes."""
    lot = np.random.default_rng(5)
    late_h = np.where(lot.random(SLOTS) < 0.125, lot.integers(1, 9, SLOTS), 0)
    for minute in range(0, DAYS * 1440, 1 if site == "agra" else 5):
        at_s, slot = T0 // SECOND_NS + 60 * minute, minute // 5
        later_s = int(late_h[slot]) * 3600 + (5400 if slot % 9 == 7 and minute % 5 == 4 else 0)
        yield at_s, 400 if (minute // 60) % 7 == 3 else 40 + minute % 7, at_s + later_s * (site == "agra")


def windows() -> Iterator[tuple[int, int, Stream]]:
    """(start, receipt, what) of Agra's probe, which has lost packets while it was cut off."""
    way = Direction(sent=150, received=110, lost=40)
    lossy = structs.replace(quiet_stream(), received=110, lost=40, up=way)
    for first_h, last_h in HEARD:
        for number, start_ns in enumerate(range(T0 + first_h * HOUR_NS, T0 + last_h * HOUR_NS, WINDOW_NS)):
            cut = next((each for each in CUTS if each[0] <= start_ns - T0 < each[1]), None)
            if cut is None:
                yield start_ns, start_ns + WINDOW_NS + 4 * SECOND_NS, quiet_stream()
            else:
                half = number // 20 % 2 if number % 40 > 5 else 1 - number // 20 % 2
                came_ns = T0 + cut[1] + MINUTE_NS + half * HALF_LATER_NS + number * SECOND_NS // 20
                yield start_ns, came_ns, lossy if number % 2 else quiet_stream()


@dataclass(frozen=True)
class World:
    """A store with what had arrived by some time."""

    desk: Desk
    until_ns: int = NEVER_NS

    def imports(self) -> None:
        """Both offices' files, as they were at that time."""
        for site in LINES.sites:
            rows = [
                f"{at},{rtt},{came}" for at, rtt, came in pings(site) if came * SECOND_NS <= self.until_ns
            ]
            file = self.desk.writes(f"{site}.csv", "\n".join(["t,rtt,came", *rows]))
            done = self.desk.imports([file], self.desk.writes("m.toml", PINGS), "--site", site)
            assert done.exit_code == 0, done.output

    def measures(self) -> None:
        """The probe's reports as they come: first what is in time, then either half of the backlogs, and roll-ups are made after each."""
        self.desk.data.mkdir(exist_ok=True)
        came: list[list[Received]] = [[], [], []]
        for seq, (start_ns, received_ns, what) in enumerate(windows(), 1):
            turn = (
                0
                if received_ns - start_ns < MINUTE_NS
                else 1
                + any(
                    received_ns - T0 - end_ns >= HALF_LATER_NS for _, end_ns in CUTS if start_ns - T0 < end_ns
                )
            )
            if received_ns <= self.until_ns:
                came[turn].append(Received(envelope_of("agra", seq, start_ns, what), received_ns))
        with closing(SqliteStore(self.desk.data / "reports.db")) as store:
            for reports in came:
                store.append(reports)
                while store.maintain(T0 + 8 * DAY_NS):
                    pass

    def reader(self) -> StoreReader:
        return open_reader(load_config(self.desk.config).settings.store, self.desk.data)

    def slots(self, *, as_closed: bool = True) -> SlotGrid:
        with closing(self.reader()) as reader:
            return read_slots(reader, LINES, LIMITS, SPAN, as_closed=as_closed)

    def imported(self) -> NDArray[np.bool_]:
        with closing(self.reader()) as reader, closing(StateDb(self.desk.data / "state.db")) as state:
            found = imported_rows(
                InProcess(reader), LINES, state.imported(), (T0 // SLOT_NS, T0 // SLOT_NS + SLOTS)
            )
        assert found is not None
        return found

    def replay(self) -> Replayed:
        config = load_config(self.desk.config)
        with (
            closing(self.reader()) as reader,
            closing(StateDb(self.desk.data / "state.db")) as state,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr("analytics.forecast.replay.MOST_ASKS", 600)  # a fit of fewer hours is quick
            wanted = Wanted(from_ns=SPAN[0], until_ns=SPAN[1], hourly=True)
            return replayed(config, Source(reader, state), wanted, shipped_prior(), lambda _: None)


def world_in(factory: pytest.TempPathFactory, until_ns: int = NEVER_NS) -> World:
    desk = Desk(factory.mktemp("desk"))
    desk.writes("sites.csv", SITES)
    desk.writes("tatpar.toml", "")
    (desk.folder / "meetings").mkdir()
    return World(desk, until_ns)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Everything came, the files before the backlog."""
    made = world_in(tmp_path_factory)
    made.imports()
    made.measures()
    return made


@pytest.fixture(scope="module")
def afterwards(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Everything came, and the files are imported at the end, twice."""
    made = world_in(tmp_path_factory)
    made.measures()
    made.imports()
    made.imports()
    return made


@pytest.fixture(scope="module")
def known(whole: World) -> tuple[SlotGrid, NDArray[np.bool_], Replayed]:
    """What a replay knows of the whole store."""
    return whole.slots(), whole.imported(), whole.replay()


def cut_slots() -> NDArray[np.bool_]:
    """(T,) the slots that lie in a cut as a whole."""
    begin_ns = np.arange(SLOTS) * SLOT_NS
    return np.any([(begin_ns >= first) & (begin_ns + SLOT_NS <= last) for first, last in CUTS], axis=0)


def in_time(grid: SlotGrid) -> NDArray[np.bool_]:
    """(T,) whether Agra's slots were there when they closed."""
    closes_ns = T0 + (np.arange(SLOTS) + 1) * SLOT_NS + MINUTE_NS
    return np.asarray((grid.measured[0, 0] > 0) & (grid.received_ns[0, 0] <= closes_ns))


@pytest.mark.parametrize("hours", HOURS)
def test_a_replay_of_the_whole_store_is_that_of_the_store_as_it_was(
    known: tuple[SlotGrid, NDArray[np.bool_], Replayed],
    tmp_path_factory: pytest.TempPathFactory,
    hours: float,
) -> None:
    """Every chance that was asked for by then, every slot that was told by then, and which of them were imported: bit for bit."""
    grid, rows, found = known
    until_ns = T0 + round(hours * HOUR_NS)
    then = world_in(tmp_path_factory, until_ns)
    then.imports()
    then.measures()
    as_of = then.slots()
    closes_ns = T0 + (np.arange(SLOTS) + 1) * SLOT_NS + MINUTE_NS
    told, told_then = (
        (each.measured > 0) & (np.maximum(each.received_ns, closes_ns) <= until_ns) for each in (grid, as_of)
    )
    assert np.array_equal(told, told_then)
    for name in ("measured", "received_ns", "broken", "strain"):
        one, two = (getattr(each, name)[..., told] for each in (grid, as_of))
        assert np.array_equal(one, two, equal_nan=True), name
    assert np.array_equal(rows[told], then.imported()[told])
    replay = then.replay()
    asked = found.starts_ns[:, None] - np.array(LEADS_NS) <= until_ns
    assert np.isfinite(found.chance[asked]).sum() > 100
    for name in ("chance", "model", "persistence", "climatology"):
        one, two = (getattr(each, name)[asked] for each in (found, replay))
        assert np.array_equal(one, two, equal_nan=True), name


def test_it_is_the_same_where_the_file_is_imported_after_the_backlog(
    known: tuple[SlotGrid, NDArray[np.bool_], Replayed], afterwards: World
) -> None:
    """The rows say themselves when they had come; imported twice they are the same."""
    grid, rows, found = known
    again = afterwards.slots()
    for name in ("measured", "received_ns", "broken", "strain"):
        assert np.array_equal(getattr(grid, name), getattr(again, name), equal_nan=True), name
    assert np.array_equal(rows, afterwards.imported())
    assert np.array_equal(found.chance, afterwards.replay().chance, equal_nan=True)


def test_a_replay_has_what_was_imported_in_time_and_whoever_looks_back_what_was_measured_once(
    known: tuple[SlotGrid, NDArray[np.bool_], Replayed],
    whole: World,
    afterwards: World,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Roll-ups, judged slots, the wall's curve of the cuts and what is missing are those of a store into which nothing was imported."""
    grid, rows, _ = known
    cut = cut_slots()
    assert cut.sum() > 110
    assert in_time(grid)[cut].sum() > 90
    assert (rows[0, 0] & cut)[in_time(grid)].sum() == in_time(grid)[cut].sum()
    alone = world_in(tmp_path_factory)
    alone.measures()
    span = Selection(*SPAN, sites=("agra",))
    curves, silences = [], []
    for world in (alone, whole, afterwards):
        with closing(world.reader()) as reader:
            table = reader.rollups(span, histograms=False)
            mine = table.columns["emulated"] == 0
            slots = table.columns["slot_ns"][mine]
            assert len(np.unique(slots)) == len(slots) == 22 * 12
            assert not np.isin(table.columns["slot_ns"][~mine], slots).any()
            curve = series(
                reader,
                "agra",
                "main.state",
                T0 + 48 * HOUR_NS,
                T0 + 60 * HOUR_NS,
                endpoints_of(Quality()),
            )
            curves.append(curve)
            silences.append(reader.gaps(span).silences)
        judged = world.slots(as_closed=False)
        assert (judged.measured[0, 0, cut] == 20).all()
        assert (judged.broken[1, 0, 0, cut] == 10).all()
    assert curves[0] == curves[1] == curves[2]
    assert silences[0] == silences[1] == silences[2]
    assert silences[0], "between the probe's two spells nothing was measured"
