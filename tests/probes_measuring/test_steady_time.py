"""Time that nobody sets: kernel stamps of real time, brought over steps and slews."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pytest

from probes.kernel.steady_time import SLACK_NS, SteadyTime
from telemetry.windows import MS_NS, SECOND_NS

EPOCH = 1_700_000_000 * SECOND_NS
TICK = 4 * MS_NS


@dataclass
class Machine:
    """An oscillator, and real time made of it; each reading of either takes 50 ns."""

    passed_ns: int = 0
    offset_ns: int = EPOCH

    def raw_ns(self) -> int:
        self.passed_ns += 50
        return self.passed_ns

    def time_ns(self) -> int:
        self.passed_ns += 50
        return self.passed_ns + self.offset_ns

    def stamp(self) -> tuple[int, int]:
        """Of a packet that comes now: in real time, and in truth."""
        return self.passed_ns + self.offset_ns, self.passed_ns + EPOCH


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(time, "time_ns", machine.time_ns)
    monkeypatch.setattr("probes.kernel.steady_time._raw_clock", lambda: machine.raw_ns)
    return machine


def errors(
    machine: Machine, steady: SteadyTime, ticks: int, step: tuple[int, int] = (-1, 0), slew: float = 0.0
) -> tuple[np.ndarray, int]:
    """A packet each quarter of a tick, read each tick; the errors of those that are sure, and how many are not."""
    wrong, unsure = [], 0
    for tick in range(ticks):
        stamps = []
        for quarter in range(4):
            machine.passed_ns += TICK // 4
            machine.offset_ns += round(slew * TICK / 4)
            if (tick, quarter) == (step[0], 2):
                machine.offset_ns += step[1]
            stamps.append(machine.stamp())
        steady.look()
        got = steady.of_stamps(np.array([real for real, _ in stamps]))
        truth = np.array([true for _, true in stamps])
        wrong += (got.at_ns - truth)[got.sure].tolist()
        unsure += int((~got.sure).sum())
    return np.abs(wrong), unsure


@pytest.mark.parametrize(
    "step_ns", [sign * ms * MS_NS for ms in (2, 5, 20, 500, 3_600_000, 86_400_000) for sign in (1, -1)]
)
def test_a_step_moves_no_stamp(machine: Machine, step_ns: int) -> None:
    """In the middle of what one read brings: each packet lies on its own side, or nothing is said of it."""
    steady = SteadyTime(lambda: 0.0)
    before = steady.now_ns()
    wrong, unsure = errors(machine, steady, 100, (50, step_ns))
    assert wrong.max() < 2_000
    assert unsure <= 12, "only those of the reads around the step"
    assert unsure == 0 or abs(step_ns) <= 2 * TICK + SLACK_NS
    assert steady.steps == 1
    assert steady.now_ns() - before == pytest.approx(100 * TICK, abs=SECOND_NS // 1000)


@pytest.mark.parametrize("slew", [0.083, -0.083, 500e-6, -500e-6])
def test_a_slew_moves_no_stamp(machine: Machine, slew: float) -> None:
    """As fast as chronyd (8.3 %) and as ntpd (500 ppm) correct a clock, over a second: no step, and no delay."""
    steady = SteadyTime(lambda: 0.0)
    wrong, unsure = errors(machine, steady, 250, slew=slew)
    assert wrong.max() < 22_000
    assert (unsure, steady.steps) == (0, 0)
    assert abs(machine.offset_ns - EPOCH) == pytest.approx(abs(slew) * SECOND_NS, rel=0.01)


def test_what_waited_in_the_socket_over_a_step_keeps_its_time(machine: Machine) -> None:
    """Packets of before the step that are read in a second go after it has been noticed."""
    steady = SteadyTime(lambda: 0.0)
    machine.passed_ns += TICK
    steady.look()
    machine.passed_ns += TICK
    early, true_early = machine.stamp()
    machine.offset_ns += 3600 * SECOND_NS
    late, true_late = machine.stamp()
    steady.look(emptied=False)  # a full read; these two still wait
    steady.look()
    got = steady.of_stamps(np.array([early, late]))
    assert got.sure.all()
    assert np.abs(got.at_ns - [true_early, true_late]).max() < 2_000


def test_what_the_discipline_has_learned_is_added(machine: Machine) -> None:
    """An oscillator that is 40 ppm slow: a second of it is 40 µs more."""
    steady = SteadyTime(lambda: 40.0)
    before = steady.now_ns()
    machine.passed_ns += SECOND_NS
    assert steady.now_ns() - before == pytest.approx(SECOND_NS + 40_000, abs=500)
