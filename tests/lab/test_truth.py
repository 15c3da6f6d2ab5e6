"""The truth log as files: bounded, readable while it grows, exact in its definitions."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.errors import LabError
from lab.line.direction import Fate
from lab.line.truth import DOWN, RECORD, UP, TruthLog, ntp_to_unix_ns
from lab.line.truth_reader import read_truth
from lab.line.truth_table import summary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Helpers

    from lab.line.truth_reader import LineTruth


SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND  # on the grid of windows
MS = 1_000_000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[TruthLog]:
    """A log of one line in its folder."""
    writer = TruthLog(tmp_path, [("office", "state"), ("office", "national")])
    yield writer
    writer.close()


def write(
    log: TruthLog,
    helpers: type[Helpers],
    seq: int,
    *,
    t1_ns: int,
    up_ms: float = 1.0,
    down_ms: float = 1.0,
    up: Fate = Fate.DELIVERED,
    down: Fate = Fate.DELIVERED,
    session: int = 1,
) -> None:
    """One packet's way there and back."""
    packet = helpers.stamp_packet(seq, t1_ns)
    at = t1_ns + 10_000
    if up is not Fate.DELIVERED:
        log.packet(0, UP, session, up, packet, at)
        return
    log.packet(0, UP, session, up, packet, at, at + round(up_ms * MS), 5_000, 0, 0)
    at += round(up_ms * MS) + 20_000
    reply = helpers.reflected(packet, seq)
    if down is not Fate.DELIVERED:
        log.packet(0, DOWN, session, down, reply, at)
        return
    log.packet(0, DOWN, session, down, reply, at, at + round(down_ms * MS), 7_000, 0, 0)


def read(log: TruthLog, folder: Path) -> LineTruth:
    log.flush()
    return read_truth(folder).line("office", "state")


def test_ntp_stamps_come_back_to_the_nanosecond(helpers: type[Helpers]) -> None:
    """The sending time in a packet is read back within the resolution of NTP64 (a quarter of a nanosecond)."""
    for time_ns in (START, START + 1, START + 999_999_999, 2_085_978_496 * SECOND + 123_456_789):
        stamp = int.from_bytes(helpers.stamp_packet(0, time_ns)[4:12], "big")
        assert abs(ntp_to_unix_ns(stamp) - time_ns) <= 1


def test_windows_are_cut_by_sending_time(log: TruthLog, tmp_path: Path, helpers: type[Helpers]) -> None:
    """A packet belongs to the window of its T1, not of its arrival."""
    write(log, helpers, 0, t1_ns=START - 1)
    write(log, helpers, 1, t1_ns=START)
    write(log, helpers, 2, t1_ns=START + 15 * SECOND - 1)
    write(log, helpers, 3, t1_ns=START + 15 * SECOND)
    line = read(log, tmp_path)
    assert [line.window(START + n * 15 * SECOND).sent for n in (-1, 0, 1, 2)] == [1, 2, 1, 0]


def test_lost_late_and_unanswered(log: TruthLog, tmp_path: Path, helpers: type[Helpers]) -> None:
    """Lost upward, lost downward, late by more than 3 s and unanswered are told apart and add up."""
    write(log, helpers, 0, t1_ns=START)
    write(log, helpers, 1, t1_ns=START + MS, up=Fate.LOST)
    write(log, helpers, 2, t1_ns=START + 2 * MS, down=Fate.LOST)
    write(log, helpers, 3, t1_ns=START + 3 * MS, down_ms=3000)
    packet = helpers.stamp_packet(4, START + 4 * MS)
    log.packet(0, UP, 1, Fate.DELIVERED, packet, START + 4 * MS, START + 5 * MS)
    truth = read(log, tmp_path).window(START)
    assert (truth.sent, truth.received, truth.lost) == (5, 1, 4)
    assert (truth.up.lost, truth.down.lost, truth.late, truth.unanswered) == (1, 1, 1, 1)


def test_delays_exclude_the_reflector(log: TruthLog, tmp_path: Path, helpers: type[Helpers]) -> None:
    """The round trip of the log is the time in the line, both ways, and nothing between."""
    write(log, helpers, 0, t1_ns=START, up_ms=3, down_ms=4)
    truth = read(log, tmp_path).window(START)
    assert truth.rtt_ns.tolist() == [7 * MS]
    assert truth.resolution_ns == 7_000
    assert summary(truth)["rtt.p50_ms"] == pytest.approx(7.0)


def test_jitter_runs_on_across_windows(log: TruthLog, tmp_path: Path, helpers: type[Helpers]) -> None:
    """J carries over from the window before, and starts afresh after 15 s of silence."""
    delays = [1.0, 2.0, 1.0, 3.0, 1.0, 1.0]
    for n, delay in enumerate(delays):
        write(log, helpers, n, t1_ns=START + 12 * SECOND + n * SECOND, up_ms=delay)
    write(log, helpers, 6, t1_ns=START + 40 * SECOND, up_ms=9)
    j, expected = 0.0, []
    for before, after in itertools.pairwise(delays):
        j += (abs(after - before) - j) / 16
        expected.append(j)
    line = read(log, tmp_path)
    # The difference of a packet that lies in the second window refers to the last of the first.
    assert line.window(START + 15 * SECOND).up.jitter_ms == pytest.approx(np.mean(expected[2:]))
    assert line.window(START + 30 * SECOND).up.jitter_ms == 0.0


def test_segments_are_bounded(tmp_path: Path, helpers: type[Helpers]) -> None:
    """No more than the stated number of segments is kept; the newest records are there."""
    log = TruthLog(tmp_path, [("office", "state")], records_per_segment=1000, segments=3)
    for seq in range(10_000):
        log.packet(0, UP, 1, Fate.LOST, helpers.stamp_packet(seq, START), START)
    log.close()
    assert len(list(tmp_path.glob("truth-*.bin"))) == 3
    records = read_truth(tmp_path).records
    assert 2000 < len(records) <= 3 * 1512
    assert records["seq"][-1] == 9_999


def test_a_half_written_record_is_passed_over(log: TruthLog, tmp_path: Path, helpers: type[Helpers]) -> None:
    """A reader that comes in mid-write sees the whole records."""
    write(log, helpers, 0, t1_ns=START)
    log.flush()
    path = next(tmp_path.glob("truth-*.bin"))
    path.write_bytes(path.read_bytes() + b"\x01" * (RECORD.itemsize - 1))
    assert len(read_truth(tmp_path).records) == 2


def test_a_new_log_takes_the_place_of_an_old_one(tmp_path: Path, helpers: type[Helpers]) -> None:
    """What an earlier run left in the folder is not mixed with the new run's."""
    for _ in range(2):
        log = TruthLog(tmp_path, [("office", "state")])
        write(log, helpers, 0, t1_ns=START)
        log.close()
    assert len(read_truth(tmp_path).records) == 2


def test_no_log_and_no_line_are_told(tmp_path: Path, log: TruthLog) -> None:
    """A folder without a log, and a line that it does not know, are told in one line."""
    with pytest.raises(LabError, match="there is no truth log in"):
        read_truth(tmp_path / "elsewhere")
    log.flush()
    with pytest.raises(LabError, match="knows no line office to moon"):
        read_truth(tmp_path).line("office", "moon")


@pytest.mark.usefixtures("log")
def test_a_foreign_file_is_told(tmp_path: Path) -> None:
    """Records that name lines which the log does not list are told as damage."""
    record = np.zeros(1, RECORD)
    record["line"] = 7
    (tmp_path / "truth-00000009.bin").write_bytes(record.tobytes())
    with pytest.raises(LabError, match="damaged"):
        read_truth(tmp_path)
