"""`tatpar backtest` on a small store: figures, picture, exit status; and that late data and the future change no earlier forecast."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from analytics.forecast.report import Score, Scored, score
from config.load import load_config
from config.works import Work, WorkKind
from tatpar.__main__ import main
from tatpar.backtesting.blocks import HistoryBlocks, Pairs, Source, Wanted
from tatpar.backtesting.figures import Figures, Horizon, Lead
from tatpar.backtesting.replaying import Replayed, replayed
from tatpar.backtesting.table import lines_of
from tatpar.shipped.prior import shipped_prior
from tatpar.watching.offices import prepare
from telemetry.state.db import StateDb
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.store.tables import Ragged, RollupTable
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS, WINDOWS_PER_SLOT
from telemetry.words import say

if TYPE_CHECKING:
    from pathlib import Path

SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,braj,27.18,78.02,linked
meerut,Meerut,मेरठ,west,28.98,77.71,linked
ballia,Ballia,बलिया,kashi,25.76,84.15,linked
"""
OFFICES = ("agra", "meerut", "ballia")
DAYS = 24
SLOTS = DAYS * 288
NOW_NS = time.time_ns() // SLOT_NS * SLOT_NS
START_NS = NOW_NS - DAYS * DAY_NS
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:{uid}
SUMMARY:Review
DTSTART:20260101T{hour:02}0000Z
DURATION:PT1H
RRULE:FREQ=DAILY
ATTENDEE:all
X-TATPAR-END:state
END:VEVENT
END:VCALENDAR
"""


def rollups(office: str, seed: int) -> RollupTable:
    """An office whose line loses 10 % for some hours, and every day for the same two."""
    lot = np.random.default_rng(seed)
    slot_ns = START_NS + np.arange(SLOTS, dtype=np.int64) * SLOT_NS
    start = lot.random(SLOTS) < 0.008
    bad = np.logical_or.reduce([np.roll(start, back) for back in range(18)])
    bad |= (slot_ns // SLOT_NS % 288 < 24) & (
        lot.random(SLOTS // 288 + 1)[slot_ns // DAY_NS - START_NS // DAY_NS - 1] < 0.6
    )
    shape = (SLOTS, WINDOWS_PER_SLOT)
    values = {name: np.zeros(shape, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = 150
    values["up_lost"][bad] = values["lost"][bad] = 15
    values["up_jitter_ms"][...] = values["down_jitter_ms"][...] = 2
    values["rtt_p95_ms"][...] = 40
    columns: dict[str, np.ndarray] = {
        "site": np.zeros(SLOTS, dtype=np.int32),
        "probe": np.zeros(SLOTS, dtype=np.int32),
        "path": np.zeros(SLOTS, dtype=np.int32),
        "slot_ns": slot_ns,
        "received_ns": slot_ns + SLOT_NS + 4 * SECOND_NS,
        "windows": np.full(SLOTS, WINDOWS_PER_SLOT, dtype=np.int64),
        **{name: np.zeros(SLOTS, dtype=np.int64) for name in COUNT_COLUMNS},
        **{name: np.full(SLOTS, 2.0) for name in FLOAT_COLUMNS},
    }
    empty = Ragged(np.zeros(SLOTS + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
    return RollupTable(
        (office,), ("p1",), ("main.state",), columns, values, dict.fromkeys(HISTOGRAM_COLUMNS, empty)
    )


def make(folder: Path, cut_ns: int = 0) -> Path:
    """A deployment with its store. With `cut_ns`, what was received after it is other, and some of before comes only then."""
    (folder / "meetings").mkdir(parents=True)
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "tatpar.toml").write_text('[meetings]\ndefault_end = "state"\n', encoding="utf-8")
    for hour in (1, 7, 13, 19):
        text = EVENT.format(uid=f"m{hour}", hour=hour).replace("\n", "\r\n")
        (folder / "meetings" / f"{hour}.ics").write_text(text, encoding="utf-8")
    with closing(SqliteStore(folder / "reports.db")) as store:
        for seed, office in enumerate(OFFICES):
            table = rollups(office, seed)
            late = np.random.default_rng(5).random(SLOTS) < 0.02
            received = np.asarray(table.columns["received_ns"]) + np.where(late, 2 * DAY_NS, 0)
            if cut_ns:
                unseen = received > cut_ns
                table.window_values["up_lost"][unseen] = table.window_values["lost"][unseen] = 60
                received = np.where(unseen, received + DAY_NS, received)
            store.import_rollups(replace(table, columns=dict(table.columns) | {"received_ns": received}))
    StateDb(folder / "state.db").close()
    return folder


@pytest.fixture(autouse=True)
def few_lessons(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit learns from fewer hours here, so that the tests are quick."""
    monkeypatch.setattr("analytics.forecast.replay.MOST_ASKS", 1000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("house") / "house")


def call(folder: Path, *arguments: str) -> Result:
    where = ["--config", str(folder / "tatpar.toml"), "--data", str(folder)]
    return CliRunner().invoke(main, ["backtest", *where, "--weeks", "3.4", *arguments])


def replay(folder: Path, works: tuple[Work, ...] = ()) -> Replayed:
    config = structs.replace(load_config(folder / "tatpar.toml"), works=works)
    with (
        closing(SqliteReader(folder / "reports.db")) as reader,
        closing(StateDb(folder / "state.db")) as state,
    ):
        wanted = Wanted(from_ns=START_NS, until_ns=NOW_NS)
        return replayed(config, Source(reader, state), wanted, shipped_prior(), lambda _: None)


def test_it_prints_scores_and_draws_them(folder: Path, tmp_path: Path) -> None:
    """JSON with all figures by horizon and region, and a picture."""
    plot = tmp_path / "reliability.svg"
    done = call(folder, "--json", "--plot", str(plot))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [each["horizon"] for each in found["horizons"]] == ["T-24h", "T-2h", "T-30m", "T-10m"]
    last = found["horizons"][-1]
    assert last["with_a_number"] == 1.0
    assert last["score"]["forecasts"] > 100
    assert 0 < last["score"]["failed"] < last["score"]["forecasts"]
    for name in ("brier", "over_persistence", "over_climatology", "calibration"):
        assert last["score"][name]["low"] <= last["score"][name]["high"]
    assert last["model_alone"]["forecasts"] == last["score"]["forecasts"]
    assert last["model_alone"]["brier"] != last["score"]["brier"], "the guard rails took nothing"
    assert set(last["regions"]) == {"braj", "west", "kashi"}
    assert len(found["refits"]) >= 2
    assert plot.read_text(encoding="utf-8").startswith("<?xml")


def one_pair(start_ns: int) -> Pairs:
    """The first office, an hour from then on."""
    start, first = np.array([start_ns]), np.zeros(1, dtype=np.int64)
    return Pairs(first, ("",), ("state",), ("",), first, start, start + HOUR_NS)


@pytest.mark.parametrize(("timezone", "ahead"), [("Asia/Kolkata", None), ("Europe/Berlin", {12, 24})])
def test_it_goes_by_the_clock_on_the_wall(folder: Path, timezone: str, ahead: set[int] | None) -> None:
    """The track that is replayed knows by how many slots the wall was ahead of UTC, over the night in which clocks were set back."""
    night = int(datetime(2026, 10, 25, tzinfo=UTC).timestamp()) * SECOND_NS
    config = load_config(folder / "tatpar.toml")
    deployment = structs.replace(config.settings.deployment, timezone=timezone)
    config = structs.replace(config, settings=structs.replace(config.settings, deployment=deployment))
    with (
        closing(SqliteReader(folder / "reports.db")) as reader,
        closing(StateDb(folder / "state.db")) as state,
    ):
        wanted = Wanted(from_ns=night - 3 * DAY_NS, until_ns=night + 3 * DAY_NS)
        blocks = HistoryBlocks(
            config, prepare(config, ()), Source(reader, state), wanted, one_pair(night), lambda _: None
        )
        tracks = [each.track for each in blocks]
    assert tracks
    for track in tracks:
        assert (None if track.ahead is None else set(track.ahead.tolist())) == ahead


def test_lots_go_by_the_limits_not_by_their_number(folder: Path) -> None:
    """A profile of which nobody was asked before, and which stands before the others, moves the lots of none."""
    config = load_config(folder / "tatpar.toml")
    offices = prepare(config, ())
    other = structs.replace(offices.sets.limits[0], rtt_ms=77.0)
    begin_ns = START_NS + 3 * DAY_NS
    with (
        closing(SqliteReader(folder / "reports.db")) as reader,
        closing(StateDb(folder / "state.db")) as state,
    ):
        seeds = []
        for limits in (offices.sets.limits, (other, *offices.sets.limits)):
            sets = replace(offices.sets, limits=limits)
            pairs = replace(one_pair(begin_ns), limit_set=np.array([limits.index(offices.sets.limits[0])]))
            wanted = Wanted(from_ns=begin_ns - DAY_NS, until_ns=begin_ns + DAY_NS)
            asked = replace(offices, sets=sets)
            (block,) = HistoryBlocks(config, asked, Source(reader, state), wanted, pairs, lambda _: None)
            seeds.append(block.seeds)
    assert np.array_equal(*seeds)


def test_it_speaks_one_language(folder: Path) -> None:
    """What it does meanwhile is said in the language of its tables."""
    done = call(folder, "--lang", "hi", "--site", OFFICES[0], "--hourly")
    assert done.exit_code == 0, done.output
    lines = done.stderr.splitlines()
    assert len(lines) >= 3
    assert not [line for line in lines if re.search("[A-Za-z]", line)]
    assert say("en", "backtest.causal", n=1).count("fitted anew 1 time,") == 1
    assert "fitted anew 3 times" in say("en", "backtest.causal", n=3)


def test_the_future_and_the_late_change_no_earlier_forecast(folder: Path, tmp_path: Path) -> None:
    """A store that differs only in what was received after a time gives the same forecasts up to it, to the last bit."""
    cut_ns = START_NS + 17 * DAY_NS
    ours, theirs = replay(folder), replay(make(tmp_path / "other", cut_ns))
    leads_ns = np.array([24 * 3600, 7200, 1800, 600], dtype=np.int64) * SECOND_NS
    before = ours.starts_ns[:, None] - leads_ns <= cut_ns
    for name in ("chance", "model", "persistence", "climatology"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert np.array_equal(one[before], other[before], equal_nan=True), name
        assert not np.array_equal(one[~before], other[~before], equal_nan=True), "nothing was corrupted"
    assert np.isfinite(ours.persistence[before]).sum() > 50


def test_works_that_begin_within_a_meeting_are_not_known_before_they_were_announced(folder: Path) -> None:
    """Of a day and half an hour before them nobody had heard when the meeting was a day ahead; what was announced earlier was known."""
    begin_ns = START_NS // DAY_NS * DAY_NS + 15 * DAY_NS + 7 * HOUR_NS
    from_ns = begin_ns + HOUR_NS // 2
    early, late = (
        Work(
            who="all",
            sites=OFFICES,
            kind=WorkKind.WORKS,
            from_ns=from_ns,
            until_ns=from_ns + 2 * HOUR_NS,
            announced_ns=from_ns - DAY_NS - before_ns,
        )
        for before_ns in (HOUR_NS, 0)
    )
    nothing, told, untold = replay(folder), replay(folder, (early,)), replay(folder, (late,))
    meeting = nothing.starts_ns == begin_ns
    assert meeting.any()
    assert (told.model[meeting, 0] != nothing.model[meeting, 0]).any()
    assert np.array_equal(untold.model[meeting, 0], nothing.model[meeting, 0])


def test_offices_in_blocks_come_to_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One office at a time: the same pairs, outcomes and refits; chances differ by what the others' lines would have told."""
    whole = replay(folder)
    monkeypatch.setattr("tatpar.backtesting.blocks.OFFICES_PER_BLOCK", 1)
    blocks = replay(folder)
    assert np.array_equal(blocks.sites, whole.sites)
    assert np.array_equal(blocks.known, whole.known)
    assert np.array_equal(blocks.held, whole.held)
    assert [at for at, _ in blocks.refits] == [at for at, _ in whole.refits]
    there = np.isfinite(whole.chance)
    assert np.array_equal(np.isfinite(blocks.chance), there)
    assert np.abs(blocks.chance - whole.chance)[there].mean() < 0.05


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--region", "kasi"], 'write "kashi"'),
        (["--site", "agr"], 'write "agra"'),
        (["--meeting", "m2"], "write one of: m"),
        (["--plot", "x.gif"], "write one of them"),
        (["--region", "awadh"], "name another region"),
    ],
)
def test_wrong_input_is_told_in_one_line(folder: Path, arguments: list[str], said: str) -> None:
    """Status 2, and what to write instead."""
    done = call(folder, *arguments, "--lang", "en")
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_skill_over_a_reference_without_error_is_left_out_and_why(folder: Path) -> None:
    """A reference whose errors weigh less than one missed forecast: null, and a line that says so; beside one that errs there is none."""
    held = np.arange(100) % 10 > 0
    block = np.arange(100) // 10

    def told(reference: float) -> tuple[Score, str]:
        theirs = np.where(held, reference, 1.0 - reference)
        ours = np.where(held, 0.8, 0.2)
        one = score(Scored(chance=ours, persistence=ours, climatology=theirs, held=held, block=block))
        horizon = Horizon(horizon="T-30m", with_a_number=1.0, score=one, model_alone=one, regions={})
        figures = Figures(
            pairs=100,
            failed=10,
            hours_as_meetings=0,
            refits_ns=(),
            horizons=(horizon,),
            lead=Lead(failed=0, by_horizon={}, never=None),
        )
        return one, "\n".join(lines_of(load_config(folder / "tatpar.toml"), figures, "en"))

    perfect, said = told(0.9999)
    assert perfect.over_climatology is None
    assert say("en", "backtest.no_yardstick") in said
    usual, said = told(0.7)
    assert usual.over_climatology is not None
    assert usual.over_climatology.value == pytest.approx(1 - 0.04 / 0.09)
    assert say("en", "backtest.no_yardstick") not in said


@pytest.mark.parametrize(("timezone", "past_min"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("UTC", 0)])
def test_hours_are_those_of_the_clock_on_the_wall(folder: Path, timezone: str, past_min: int) -> None:
    """India's whole hours begin half past those of UTC: six to seven in the evening is one hour, not the halves of two."""
    config = load_config(folder / "tatpar.toml")
    deployment = structs.replace(config.settings.deployment, timezone=timezone)
    config = structs.replace(config, settings=structs.replace(config.settings, deployment=deployment))
    wanted = Wanted(
        from_ns=START_NS + 3 * DAY_NS,
        until_ns=START_NS + 4 * DAY_NS,
        sites=frozenset(OFFICES[:1]),
        hourly=True,
    )
    with (
        closing(SqliteReader(folder / "reports.db")) as reader,
        closing(StateDb(folder / "state.db")) as state,
    ):
        found = replayed(config, Source(reader, state), wanted, None, lambda _: None)
    starts_ns = found.starts_ns[np.array(found.meetings) == ""]
    assert len(starts_ns) >= 23
    assert set((starts_ns % HOUR_NS).tolist()) == {past_min * 60 * SECOND_NS}
    assert starts_ns.min() >= wanted.from_ns
    assert starts_ns.max() + HOUR_NS <= wanted.until_ns
