"""Alone or several, and who leads: settled by the kernel's locks and by a clock that nobody can set."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from collector import seat as seats
from collector.leading import UNFIT_S, Leading
from collector.seat import HUNG_S, TRUST_S, Seat
from collector.standing import MixedError, Standing
from config.live import LiveConfig
from tatpar.commands.collect import command
from tatpar.hub.up import AlreadyRunningError, Up, UpOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
KEEPS_ITS_PLACE = """
import sys, time
from pathlib import Path
from collector.standing import Standing
place = Standing(Path(sys.argv[1]), shared=False)
assert place.take()
print("here", flush=True)
time.sleep(600)
"""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Standing]:
    place = Standing(tmp_path, shared=False)
    yield place
    place.release()


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Standing]:
    place = Standing(tmp_path, shared=True)
    yield place
    place.release()


def test_any_number_may_share(tmp_path: Path) -> None:
    """Ten take their place side by side, and it is free for one alone when the last has gone."""
    places = [Standing(tmp_path, shared=True) for _ in range(10)]
    assert all(place.take() for place in places)
    for place in places:
        with pytest.raises(MixedError):
            Standing(tmp_path, shared=False).take()
        place.release()
    last = Standing(tmp_path, shared=False)
    assert last.take()
    last.release()


def test_one_alone_waits_for_one_alone(alone: Standing, tmp_path: Path) -> None:
    """The second may wait, as a spare that starts when the first ends."""
    assert alone.take()
    spare = Standing(tmp_path, shared=False)
    assert not spare.take()
    alone.release()
    assert spare.take()
    spare.release()


def test_a_member_does_not_join_one_that_is_alone(alone: Standing, tmp_path: Path) -> None:
    """Status 1, and one line that says what to do."""
    assert alone.take()
    result = CliRunner().invoke(command, ["--share", "--broker", "127.0.0.1:9", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1].endswith("stop it, or start every one with --share")
    assert "Traceback" not in result.output


def test_one_alone_does_not_push_in_among_members(member: Standing, tmp_path: Path) -> None:
    """Status 1, and one line that says what to do."""
    assert member.take()
    result = CliRunner().invoke(command, ["--broker", "127.0.0.1:9", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert (
        result.output.strip()
        .splitlines()[-1]
        .endswith("start this one with tatpar collect --share too, or stop them")
    )
    assert "Traceback" not in result.output


async def test_the_house_in_one_process_does_not_push_in_either(
    member: Standing, tmp_path: Path, config_file: Path
) -> None:
    """`tatpar up` says so before it brings anything up."""
    assert member.take()
    up = Up(LiveConfig(config_file), UpOptions(tmp_path, port=0), print)
    with pytest.raises(AlreadyRunningError, match="tatpar collect --share too"):
        await up.run()


def test_members_need_a_broker_of_its_own_standing(tmp_path: Path) -> None:
    """Each would bring its own otherwise: status 2, and what to write instead."""
    result = CliRunner().invoke(command, ["--share", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "--broker HOST:PORT" in result.output


def test_a_killed_collector_leaves_its_place_free(tmp_path: Path) -> None:
    """Kill -9: no lease to wait for."""
    with subprocess.Popen(
        [sys.executable, "-c", KEEPS_ITS_PLACE, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"here\n"
        next_one = Standing(tmp_path, shared=False)
        assert not next_one.take()
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        assert next_one.take()
        next_one.release()


class Clock:
    """Time since the start of the machine, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_has_the_seat_until_it_leaves(tmp_path: Path) -> None:
    """However long: the others look and find it taken; when it leaves the next has it at once."""
    clock = Clock()
    first, second = Seat(tmp_path, clock), Seat(tmp_path, clock)
    for _ in range(100):
        assert first.hold()
        assert not second.hold()
        clock.now_s += 0.5
    first.leave()
    assert not first.is_ours
    assert second.hold()
    assert second.is_ours
    second.leave()


def test_a_holder_that_does_not_write_is_replaced_and_knows_it(tmp_path: Path) -> None:
    """It distrusts its seat before anyone may take it, and does not get it back by waking up."""
    clock = Clock()
    stuck, other = Seat(tmp_path, clock), Seat(tmp_path, clock)
    assert stuck.hold()
    taken_at = None
    for _ in range(20):
        clock.now_s += 0.5
        assert not (stuck.is_ours and other.is_ours)
        if other.hold():
            taken_at = clock.now_s
            break
    assert taken_at is not None
    assert HUNG_S < taken_at - 1000.0 <= HUNG_S + 1.0
    assert other.is_ours
    assert not stuck.is_ours
    assert not stuck.hold()
    assert other.hold()
    stuck.leave()
    other.leave()


def test_a_holder_that_was_stuck_for_a_moment_goes_on(tmp_path: Path) -> None:
    """Nobody took its seat: it writes again and trusts it again."""
    clock = Clock()
    seat, other = Seat(tmp_path, clock), Seat(tmp_path, clock)
    assert seat.hold()
    clock.now_s += TRUST_S + 0.1
    assert not seat.is_ours
    assert not other.hold()
    assert seat.hold()
    assert seat.is_ours
    seat.leave()


def test_of_many_who_find_a_stuck_holder_one_gets_the_seat(tmp_path: Path) -> None:
    """Ten look at the same moment."""
    clock = Clock()
    stuck = Seat(tmp_path, clock)
    assert stuck.hold()
    others = [Seat(tmp_path, clock) for _ in range(10)]
    clock.now_s += HUNG_S + 1
    assert sum(other.hold() for other in others) == 0  # the first look only makes suspicious
    clock.now_s += 0.5
    assert sum(other.hold() for other in others) == 1
    assert sum(other.is_ours for other in others) == 1
    for seat in (stuck, *others):
        seat.leave()


def test_the_seat_of_before_a_restart_of_the_machine_is_free(tmp_path: Path) -> None:
    """The clock starts from nothing, what lies in the file is from the future: the lock counts, and nobody holds it."""
    clock = Clock()
    before = Seat(tmp_path, clock)
    assert before.hold()
    before.leave()
    clock.now_s = 3.0
    after = Seat(tmp_path, clock)
    assert after.hold()
    after.leave()


def test_the_time_of_day_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set a year on or back changes nobody's seat."""
    first, second = Seat(tmp_path), Seat(tmp_path)
    assert first.hold()
    for jump in (3e7, -3e7):
        monkeypatch.setattr(seats.time, "time", lambda jump=jump: 1.8e9 + jump)
        monkeypatch.setattr(seats.time, "time_ns", lambda jump=jump: int((1.8e9 + jump) * 1e9))
        assert first.hold()
        assert not second.hold()
    first.leave()


async def test_a_leader_without_a_broker_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot publish does not lead; each term has a number of its own."""
    one, two = Leading(Seat(tmp_path)), Leading(Seat(tmp_path))
    one.look(fit=False)
    assert one.term is None
    one.look(fit=True)
    two.look(fit=True)
    assert (one.term, two.term) == (1, None)
    one.look(fit=False)  # a short break is none
    assert one.term == 1
    monkeypatch.setattr(one, "_fit_s", one._fit_s - UNFIT_S - 1)
    one.look(fit=False)
    two.look(fit=True)
    assert (one.term, two.term) == (None, 1)
    two.resign()
    one.look(fit=True)
    assert one.term == 2
    one.resign()


def test_alone_one_always_leads() -> None:
    """Without a seat, without a folder."""
    assert Leading().now
    assert not Leading().shared
