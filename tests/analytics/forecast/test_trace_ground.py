"""Traces as a ground: the event as it is defined, and foreign traces scored by the shipped ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench._forecast.trace_ground import LEADS_NS, WORST_STRAIN, after_quiet, ground, rhythm
from bench._forecast.traces import unannounced
from bench._traces import names_of, read_all, read_readable
from telemetry.trace_lines import TraceError
from telemetry.traces import Trace
from telemetry.windows import HOUR_NS, MINUTE_NS, SECOND_NS

HOUSE = Path(__file__).parents[3]
STEP_NS = 240 * SECOND_NS
PER_HOUR = 15


def trace(rtt_ms: np.ndarray) -> Trace:
    time_ns = 400_000 * HOUR_NS + np.arange(len(rtt_ms), dtype=np.int64) * STEP_NS
    return Trace("made", time_ns, rtt_ms, np.zeros(len(rtt_ms), dtype=bool))


@pytest.mark.parametrize(("bad", "held"), [(1, True), (2, False)])
def test_an_hour_fails_when_more_than_a_tenth_is_lost_or_slow(bad: int, held: bool) -> None:
    """Of 15 samples one may be bad; 15 ms over the floor is not, anything more is."""
    rtt = np.full(60 * PER_HOUR, 100.0)
    rtt[40 * PER_HOUR : 40 * PER_HOUR + bad] = [np.nan, 115.001][:bad]
    rtt[40 * PER_HOUR + 5] = 115.0
    one = ground(trace(rtt))
    start = one.asks.start_ns
    begin = 400_040 * HOUR_NS
    for lead in LEADS_NS:
        if lead % HOUR_NS == 0 and lead < 16 * HOUR_NS:
            assert one.held[(one.lead_ns == lead) & (start == begin)].tolist() == [held]
    assert one.held[(start + HOUR_NS <= begin) | (start >= begin + HOUR_NS)].all()
    assert np.nanmax(one.track.broke[0, : 40 * PER_HOUR]) == 0.0
    assert np.nansum(one.track.broke) == bad


def test_what_came_after_moves_neither_floor_nor_slots_before() -> None:
    """The floor is of the week before the forecast: a lower level later leaves all earlier slots as they were."""
    rng = np.random.default_rng(1)
    rtt = 100.0 + rng.gamma(2.0, 4.0, 100 * PER_HOUR)
    other = rtt.copy()
    other[70 * PER_HOUR :] -= 60.0
    before, after = ground(trace(rtt)), ground(trace(other))
    slots = 70 * PER_HOUR
    assert before.track.broke[:, :slots].tobytes() == after.track.broke[:, :slots].tobytes()
    assert before.track.strain[:, :slots].tobytes() == after.track.strain[:, :slots].tobytes()
    assert (before.track.strain[:, slots:] != after.track.strain[:, slots:]).any()


def test_a_trace_shorter_than_a_day_is_not_asked() -> None:
    """There is no clock hour to compare with."""
    assert len(ground(trace(np.full(20 * PER_HOUR, 100.0))).held) == 0


@pytest.mark.parametrize(
    ("step_s", "slot_min"),
    [(1, 4), (60, 4), (240, 4), (300, 5), (480, 10), (960, 15), (2700, 60), (7200, 60)],
)
def test_slots_follow_the_rhythm_of_the_trace(step_s: int, slot_min: int) -> None:
    """Every hour that holds samples is asked, however far apart they lie, and of the slots of such hours nine in ten are filled."""
    whole = trace(np.full(60 * 3600 // step_s, 80.0))
    time_ns = 400_000 * HOUR_NS + np.arange(len(whole.rtt_ms), dtype=np.int64) * step_s * SECOND_NS
    one = ground(Trace("made", time_ns, whole.rtt_ms, whole.changes))
    assert one.track.slot_ns == slot_min * MINUTE_NS
    assert (one.track.broke[0] >= 0.0).mean() >= 0.9 * min(1.0, 3600 / step_s)
    measured = set((time_ns // HOUR_NS).tolist())
    over = time_ns[-1] // HOUR_NS - 400_000
    for lead in LEADS_NS[1:]:
        asked = set((one.asks.start_ns[one.lead_ns == lead] // HOUR_NS).tolist())
        assert asked == {hour for hour in measured if 24 + lead // HOUR_NS <= hour - 400_000 < over}


def test_a_rhythm_is_told_in_spite_of_gaps_and_bursts() -> None:
    """Three samples within a second every four minutes, the first day gone but for one: slots of four minutes."""
    step = np.arange(80 * PER_HOUR, dtype=np.int64) * STEP_NS
    time_ns = 400_000 * HOUR_NS + (step[:, None] + np.arange(3) * SECOND_NS // 2).ravel()
    time_ns = np.delete(time_ns, np.s_[1 : 30 * PER_HOUR * 3])
    found = rhythm(Trace("made", time_ns, np.full(len(time_ns), 80.0), np.zeros(len(time_ns), dtype=bool)))
    assert found == (STEP_NS, 3 * PER_HOUR)


def test_a_line_that_loses_all_is_beyond_any_limit() -> None:
    """One loss is a limit broken; after a day of nothing else the line is beyond twice its limits, as a deployment would have it."""
    rtt = np.full(100 * PER_HOUR, 80.0)
    rtt[[30 * PER_HOUR, 60 * PER_HOUR]] = np.nan
    rtt[70 * PER_HOUR :] = np.nan
    strain = ground(trace(rtt)).track.strain[0]
    assert strain[[30 * PER_HOUR, 60 * PER_HOUR]].tolist() == [1.0, 1.0]
    assert (np.diff(strain[70 * PER_HOUR :]) >= 0.0).all()
    assert (strain[94 * PER_HOUR :] == WORST_STRAIN).all()


def test_what_fails_after_a_quiet_day_is_counted_apart() -> None:
    """An hour that failed is in the past of exactly the 24 forecasts that follow its end; one that is running is not."""
    rtt = np.full(90 * PER_HOUR, 100.0)
    rtt[40 * PER_HOUR : 41 * PER_HOUR] = 150.0
    one = ground(trace(rtt))
    quiet = after_quiet(one.track, one.asks)
    hour = one.asks.now_ns // HOUR_NS - 400_000
    assert sorted(set(hour[~quiet].tolist())) == list(range(41, 65))
    assert quiet[(hour < 41) | (hour > 64)].all()
    assert not one.held[(one.lead_ns == LEADS_NS[1]) & (hour == 38)].any()
    assert quiet[(one.lead_ns == LEADS_NS[1]) & (hour == 38)].all()


def test_quiet_pasts_weigh_by_forecasts_failures_and_score() -> None:
    """Of four forecasts two are quiet, one of the two failures, and 0.64 of the 0.64 + 0.04 + 0.04 + 0.01 that is lost."""
    chance = np.array([0.8, 0.8, 0.2, 0.9])
    held = np.array([False, True, False, True])
    found = unannounced(chance, held, np.array([True, True, False, False]))
    assert found["after_a_quiet_day_share"] == 0.5
    assert found["after_a_quiet_day_share_of_failures"] == 0.5
    assert found["after_a_quiet_day_share_of_brier"] == pytest.approx(0.64 / 0.73)


def test_what_was_mended_in_a_folder_of_traces_is_told(tmp_path: Path) -> None:
    """Both benches read through this: the trace that was out of order is named, the one in order is not."""
    rows = [f"2016-11-19 23:{minute:02}:28;20;0" for minute in range(9)]
    for name, given in (("a", rows), ("b", rows[::-1])):
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch;rtt;cp", *given]) + "\n", encoding="utf-8")
    said: list[str] = []
    one, other = read_all(tmp_path, said.append)
    assert one.time_ns.tolist() == other.time_ns.tolist()
    assert [line.split(":")[0] for line in said if "sorted by time: 8" in line] == [str(tmp_path / "b.csv")]
    assert len(said) == 2


def test_of_a_folder_of_traces_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """One line a file, and how many; who learns for shipping takes all or none, and of nothing readable nobody makes a figure."""
    rows = [f"2016-11-19 23:{minute:02}:28;20;0" for minute in range(9)]
    for name, given in (("a", rows), ("b", ["yesterday;20;0"]), ("c", rows), ("d", [])):
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch;rtt;cp", *given]) + "\n", encoding="utf-8")
    said: list[str] = []
    found = read_readable(tmp_path, said.append)
    assert ([trace.name for trace in found.traces], found.unreadable) == (["a", "c"], 2)
    _, wrong, empty = said
    assert wrong == f"left out: {tmp_path}/b.csv:2: 'yesterday' is no time; write it like 2026-11-25 10:55:00"
    assert empty.startswith(f"left out: {tmp_path}/d.csv: no samples; write the columns epoch;rtt;cp")
    with pytest.raises(TraceError, match=r"b\.csv:2: 'yesterday' is no time"):
        read_all(tmp_path, said.append)
    for name in ("a", "c"):
        (tmp_path / f"{name}.csv").unlink()
    with pytest.raises(TraceError, match="none of its 2 traces can be read; mend what is said of them"):
        read_readable(tmp_path, said.append)


def test_a_trace_is_one_however_its_ending_is_written(tmp_path: Path) -> None:
    """`.CSV` is read like `.csv`, and is still the shipped trace of that name, which is then not learned from."""
    rows = [f"2016-11-19 23:{minute:02}:28;20;0" for minute in range(9)]
    for name in ("a.CSV", "b.csv", "c.Csv", "d.csv.txt", "csv"):
        (tmp_path / name).write_text("\n".join(["epoch;rtt;cp", *rows]) + "\n", encoding="utf-8")
    assert [trace.name for trace in read_readable(tmp_path, list[str]().append).traces] == ["a", "b", "c"]
    assert names_of(tmp_path) == {"a.csv", "b.csv", "c.csv"}
    left = read_all(tmp_path, list[str]().append, without=frozenset({"a.csv", "b.csv"}))
    assert [trace.name for trace in left] == ["c"]


@pytest.mark.parametrize("asked", [["changes"], ["changes", "--fit"], ["forecast", "--ground", "traces"]])
@pytest.mark.parametrize("folder", ["empty", "nowhere"])
def test_a_folder_without_a_trace_ends_a_bench_in_one_line(
    tmp_path: Path, asked: list[str], folder: str
) -> None:
    """As a process: it says where, what, and what to give instead; nothing is scored or written."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("epoch;rtt;cp\n", encoding="utf-8")
    command = [sys.executable, "-m", "bench", *asked, "--traces", str(tmp_path / folder)]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"bench: {tmp_path / folder}: no trace there; name a folder with files *.csv of the columns epoch;rtt;cp"
    assert done.stderr.splitlines()[-1] == said
    assert "Traceback" not in done.stderr


def test_a_bench_of_traces_counts_what_it_could_not_read(tmp_path: Path) -> None:
    """As a process: a quarter of a thousand samples are scored, the other file is a line on standard error; of it alone nothing."""
    rows = [
        f"{1_479_599_968 + 240 * i},{(40 if i < 125 else 60) + i % 3 / 10},{int(i == 125)}"
        for i in range(250)
    ]
    good, wrong = tmp_path / "a.csv", tmp_path / "b.csv"
    good.write_text("\n".join(["time,rtt,cp", *rows]) + "\n", encoding="utf-8")
    wrong.write_text("epoch;rtt;cp\nyesterday;20;0\n", encoding="utf-8")
    asked = [sys.executable, "-m", "bench", "changes", "--json", "--traces", str(tmp_path)]
    done = subprocess.run(asked, cwd=HOUSE, capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout)
    assert (done.returncode, figures["traces"], figures["unreadable"]) == (0, 1, 1)
    assert figures["offline_f1"] == 1.0
    assert done.stderr.count(f"left out: {wrong}:2: 'yesterday' is no time") == 1
    good.unlink()
    done = subprocess.run(asked, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        f"bench: {tmp_path}: none of its 1 traces can be read; mend what is said of them"
    )
