"""A link that is fitted later, at one office: what `tatpar backtest` says of the time before it, and of offices that never have it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.forecast.asking import LEADS_NS
from config.load import load_config
from tatpar.backtesting.blocks import Source, Wanted
from tatpar.backtesting.replaying import Replayed, replayed
from tatpar.shipped.prior import shipped_prior
from telemetry.state.db import StateDb
from telemetry.store.columns import HISTOGRAM_COLUMNS
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.store.tables import Ragged
from telemetry.windows import DAY_NS, HOUR_NS, WINDOW_NS
from tests.reported import envelope_of, quiet_stream
from tests.tatpar.test_backtest import EVENT, NOW_NS, OFFICES, SITES, START_NS, rollups

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from telemetry.store.tables import RollupTable

ONE_END = """[meetings]
default_end = "state"

[[headquarters]]
id = "state"
name_en = "State"
name_hi = "राज्य"
reflectors = ["127.0.0.1:862"]
"""
"""Each office is alone in its region, with one usual line: a second line at one of them makes its region a group."""
WITH_LINK, DARK, WITHOUT = OFFICES
LINK = "backup.state"
HEARD_NS = START_NS + 10 * DAY_NS
LINK_NS = START_NS + 17 * DAY_NS + 5 * HOUR_NS
SAID = ("chance", "model", "persistence", "climatology")


def some(table: RollupTable, rows: NDArray[np.bool_], path: str = "main.state") -> RollupTable:
    """Some roll-ups, on another path."""
    empty = Ragged(np.zeros(rows.sum() + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
    return replace(
        table,
        paths=(path,),
        columns={name: of[rows] for name, of in table.columns.items()},
        window_values={name: of[rows] for name, of in table.window_values.items()},
        histograms=dict.fromkeys(HISTOGRAM_COLUMNS, empty),
    )


def make(folder: Path, link_ns: int | None = None) -> Path:
    """A deployment: one office is dark on every fourth day, one is heard from `HEARD_NS` on only, and one has a second link from `link_ns` on."""
    (folder / "meetings").mkdir(parents=True)
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "tatpar.toml").write_text(ONE_END, encoding="utf-8")
    for hour in range(0, 24, 3):
        text = EVENT.format(uid=f"m{hour}", hour=hour).replace("\n", "\r\n")
        (folder / "meetings" / f"{hour}.ics").write_text(text, encoding="utf-8")
    with closing(SqliteStore(folder / "reports.db")) as store:
        for seed, office in enumerate(OFFICES):
            table = rollups(office, seed)
            slot_ns = table.columns["slot_ns"]
            dark = (office == DARK) & ((slot_ns - START_NS) // DAY_NS % 4 == 3)
            unheard = (office == WITHOUT) & (slot_ns < HEARD_NS)
            store.import_rollups(some(table, ~(dark | unheard)))
        if link_ns is not None:
            table = rollups(WITH_LINK, 7)
            store.import_rollups(some(table, table.columns["slot_ns"] >= link_ns, LINK))
            now = envelope_of(WITH_LINK, 1, NOW_NS, quiet_stream(LINK))
            store.append([Received(now, NOW_NS + WINDOW_NS)])
    StateDb(folder / "state.db").close()
    return folder


def replay(folder: Path) -> Replayed:
    with (
        closing(SqliteReader(folder / "reports.db")) as reader,
        closing(StateDb(folder / "state.db")) as state,
    ):
        wanted = Wanted(from_ns=START_NS, until_ns=NOW_NS)
        config = load_config(folder / "tatpar.toml")
        return replayed(config, Source(reader, state), wanted, shipped_prior(), lambda _: None)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Replayed, Replayed]:
    """Without the link and with it; lots are drawn of the hours and of the scored asks."""
    folder = tmp_path_factory.mktemp("worlds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analytics.forecast.replay.MOST_ASKS", 1000)
        patch.setattr("analytics.forecast.replay.MOST_SCORED", 2000)
        return replay(make(folder / "without")), replay(make(folder / "with", LINK_NS))


def asked_ns(of: Replayed) -> NDArray[np.int64]:
    """(P, H): when each forecast was made."""
    return of.starts_ns[:, None] - np.array(LEADS_NS)


def test_a_link_that_is_fitted_later_changes_nothing_before(worlds: tuple[Replayed, Replayed]) -> None:
    """Every office's forecasts, references and refits of before are the same to the last bit; from then on the link counts."""
    without, later = worlds
    before = asked_ns(without) <= LINK_NS
    for name in SAID:
        one, other = getattr(without, name), getattr(later, name)
        assert np.isfinite(one[before]).sum() > 500
        assert np.array_equal(one[before], other[before], equal_nan=True), name
    refits = [each for each in without.refits if each[0] <= LINK_NS]
    assert len(refits) == 2
    assert refits == [each for each in later.refits if each[0] <= LINK_NS]
    ended = without.starts_ns + HOUR_NS <= LINK_NS
    assert np.array_equal(without.held[ended], later.held[ended])
    assert np.array_equal(without.known[ended], later.known[ended])
    has_it = without.sites == OFFICES.index(WITH_LINK)
    assert (later.held & ~without.held)[has_it & ~ended].any(), "the link held nothing"
    assert np.nanmax((later.chance - without.chance)[has_it]) > 0.1, "the link said nothing"


def test_an_office_that_never_has_the_link_is_not_given_it(worlds: tuple[Replayed, Replayed]) -> None:
    """Up to the next refit its references stay, and its chance but for what the link tells of its peers."""
    without, later = worlds
    refit_ns = min(at_ns for at_ns, _ in without.refits if at_ns > LINK_NS)
    then = (asked_ns(without) > LINK_NS) & (asked_ns(without) < refit_ns)
    then &= (without.sites != OFFICES.index(WITH_LINK))[:, None]
    assert np.isfinite(without.chance[then]).sum() > 100
    for name in ("persistence", "climatology"):
        assert np.array_equal(getattr(without, name)[then], getattr(later, name)[then]), name
    for name in ("chance", "model"):
        assert np.abs(getattr(without, name) - getattr(later, name))[then].max() < 0.05, name
    others = without.sites != OFFICES.index(WITH_LINK)
    assert np.array_equal(without.held[others], later.held[others])


def test_before_an_office_was_heard_its_usual_line_has_a_number(worlds: tuple[Replayed, Replayed]) -> None:
    """Borrowed of the others to the same end; another line than the usual one adds none to it."""
    asked = asked_ns(worlds[0])
    unheard = (asked > START_NS + HOUR_NS) & (asked < HEARD_NS)
    unheard &= (worlds[0].sites == OFFICES.index(WITHOUT))[:, None]
    assert unheard.sum() > 200
    for found in worlds:
        assert np.isfinite(found.chance[unheard]).all()
