"""`tatpar changes --site`: where an office's lines moved, apart from the day's rhythm, and what is wrong with the asking."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from analytics.changes.moved import Moved
from config.load import load_config
from tatpar.__main__ import main
from tatpar.changes.moved import Asked, Found, moves
from tatpar.changes.words import lines
from tatpar.terminal.json_time import readable
from telemetry.store.sqlite import SqliteStore
from telemetry.store.tables import RollupTable
from telemetry.windows import SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.changes.series import Metric
    from telemetry.store.protocol import Selection, StoreReader

T0 = 1_795_392_000 * SECOND_NS
DAY = 288
DAYS = 8
AT = 5 * DAY + 60
ZONE = ZoneInfo("Asia/Kolkata")


class Week:
    """A store of one office's roll-ups: an evening hump of 30 ms, and a step of 20 ms at `AT` on the way to the state."""

    def __init__(self, slots: int = DAYS * DAY) -> None:
        self._slots = slots

    def rollups(self, selection: Selection, **_: object) -> RollupTable:
        rng, slot = np.random.default_rng(1), np.arange(self._slots)
        evening = np.where(slot % DAY // 12 >= 20, 30.0, 0.0)
        step = np.where(slot >= AT, 20.0, 0.0) if selection.paths == ("main.state",) else 0.0
        columns = {
            "site": np.zeros(len(slot), dtype=np.int32),
            "probe": np.zeros(len(slot), dtype=np.int32),
            "path": np.zeros(len(slot), dtype=np.int32),
            "slot_ns": T0 + slot * SLOT_NS,
            "sent": np.full(len(slot), 3000.0),
            "lost": rng.binomial(3000, 0.001, len(slot)).astype(float),
            "up_jitter_ms": 2.0 + rng.normal(0.0, 0.2, len(slot)),
            "down_jitter_ms": np.full(len(slot), np.nan),
            "rtt_p50_ms": 40.0 + evening + step + rng.normal(0.0, 1.0, len(slot)),
        }
        assert selection.paths is not None
        return RollupTable(("agra",), ("p1",), tuple(selection.paths), columns, {}, {})


def found(week: Week, *metrics: Metric) -> Found:
    asked = Asked(
        site="agra",
        paths=("main.state", "main.national"),
        metrics=metrics or ("rtt", "jitter", "loss"),
        start_ns=T0,
        end_ns=T0 + DAYS * DAY * SLOT_NS,
    )
    return moves(cast("StoreReader", week), asked)


def test_a_step_is_told_and_a_rhythm_is_not() -> None:
    """Of three figures of two lines one moved, once, within three slots of the truth; the evenings are no news."""
    told = found(Week())
    (move,) = told.moves
    assert (move.path, move.metric) == ("main.state", "rtt")
    assert abs(move.when_ns - T0 - AT * SLOT_NS) <= 3 * SLOT_NS
    assert (move.before, move.after) == (pytest.approx(40, abs=1), pytest.approx(60, abs=1))
    assert told.measured_slots == 2 * DAYS * DAY
    assert found(Week(), "jitter", "loss").moves == ()


def test_the_words_are_local() -> None:
    """Time by the deployment's clock, the headquarters by name; nothing stored is not the same as nothing moved."""
    config, told = load_config(None), found(Week())
    (said,) = lines(config, told, "en", ZONE)
    assert "Saturday 28 November, 10:30" in said
    assert "round trip to State headquarters" in said
    assert lines(config, told, "hi", ZONE)[0].startswith("28 नवंबर")
    assert lines(config, found(Week(), "loss"), "en", ZONE)[0].startswith("No level has moved")
    assert lines(config, found(Week(0)), "en", ZONE)[0].startswith("Nothing is stored")
    plain = msgspec.json.decode(msgspec.json.encode(readable(told)))
    assert plain["moves"][0]["when"] == "2026-11-28T05:00:00Z"


def test_of_many_moves_the_newest_are_shown(found_many: Found) -> None:
    """How many there were, how many of each figure and between which levels, then the newest; all where all are wanted."""
    config = load_config(None)
    said = lines(config, found_many, "en", ZONE, newest=20)
    assert said[0].startswith("45 moves since Monday 23 November, 05:30; at the end the newest 20")
    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in said[1:3]] == [
        "  round trip to State headquarters, Lucknow: 30, from 40 ms at first to 70 ms now",
        "  loss to State headquarters, Lucknow: 15, from 0.1 % at first to 2 % now",
    ]
    every = lines(config, found_many, "en", ZONE)
    assert said[3:] == ["", *every[-20:]]
    assert len(every) == 45
    assert lines(config, found_many, "en", ZONE, newest=45) == every
    hindi = lines(config, found_many, "hi", ZONE, newest=20)
    assert "45 बदलाव" in hindi[0]
    assert len(hindi) == 24


def test_what_stands_where_it_began_has_moved_all_the_same() -> None:
    """There and back: "from 0.34 ms to 0.34 ms" would read as if nothing had moved; how often it moved is said."""
    moves = [
        Moved(
            site="agra", path="main.state", metric="jitter", when_ns=T0 + i * SLOT_NS, before=one, after=two
        )
        for i, (one, two) in enumerate([(0.341, 0.6), (0.6, 0.339)])
    ]
    found = Found(site="agra", since_ns=T0, measured_slots=100, moves=tuple(moves))
    said = lines(load_config(None), found, "en", ZONE, newest=1)[1].replace("\N{NO-BREAK SPACE}", " ")
    assert (
        said
        == "  jitter to State headquarters, Lucknow: moved 2 times, and stands where it began, at 0.34 ms"
    )
    assert "2 बार बदलाव" in lines(load_config(None), found, "hi", ZONE, newest=1)[1]


@pytest.fixture
def found_many() -> Found:
    """Forty-five moves of two figures of one line."""
    kinds: list[tuple[Metric, float, float]] = [
        ("rtt", 40.0, 70.0),
        ("rtt", 40.0, 70.0),
        ("loss", 0.001, 0.02),
    ]
    moves = [
        Moved(
            site="agra",
            path="main.state",
            metric=kinds[i % 3][0],
            when_ns=T0 + i * SLOT_NS,
            before=kinds[i % 3][1],
            after=kinds[i % 3][2],
        )
        for i in range(45)
    ]
    return Found(site="agra", since_ns=T0, measured_slots=100, moves=tuple(moves))


def call(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["changes", "--data", str(folder), *arguments])


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ((), "Name a trace"),
        (("--site", "agro"), 'write "agra"'),
        (("--site", "agra", "--path", "main.stat"), 'write "main.state"'),
        (("--site", "agra", "--online"), "one or the other"),
        (("--site", "agra"), "no store there"),
        (("trace.csv", "--metric", "loss"), "name an office with --site"),
        (("trace.csv", "--path", "main.state"), "name an office with --site"),
        (("trace.csv", "--weeks", "4"), "name an office with --site"),
        (("trace.csv", "--all"), "name an office with --site"),
    ],
)
def test_wrong_asking_is_one_line(tmp_path: Path, arguments: tuple[str, ...], remedy: str) -> None:
    """Status 2, and what to write instead."""
    done = call(tmp_path, *arguments, "--lang", "en")
    assert done.exit_code == 2
    assert remedy in done.output
    assert done.output.count("\n") == 1


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    """A real store without a report: nothing can be said, status 0."""
    with contextlib.closing(SqliteStore(tmp_path / "reports.db")):
        pass
    done = call(tmp_path, "--site", "agra", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "Nothing is stored of this office" in done.output
