"""A level that rose just now: told at its sixth window, once, where no limit says it already, and hardly ever by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.flags import Present
from analytics.moved_levels import TELL_WINDOWS, moved_flags
from tatpar.shipped.level_trees import shipped_online_trees
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from conftest import Bench
    from numpy.typing import NDArray

PATH = "main.state"
LINES = 60
WINDOWS = 120
COLUMN = {"moved_rtt": "rtt_p95_ms", "moved_jitter": "down_jitter_ms", "moved_loss": "up_lost"}


def noisy(made: Bench, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Half an hour of 60 lines with ordinary noise: 40 ms and some, jitter about 2 ms, 0.3 % loss."""
    rng = np.random.default_rng(seed)
    shape = (LINES, 1, WINDOWS)
    values = made.values(shape)
    values["rtt_p95_ms"][...] = 36.0 + rng.gamma(4.0, 1.0, shape)
    values["up_jitter_ms"][...] = values["down_jitter_ms"][...] = 2.0 * rng.gamma(6.0, 1 / 6.0, shape)
    made.lose(values, "up", rng.binomial(150, 0.003, shape))
    return values


def raised(values: dict[str, NDArray[np.float32]], code: str, since: int, until: int = WINDOWS) -> None:
    """The first office's level rises: round trip by 15 ms, jitter by 10 ms, loss by 5 %."""
    rise = {"moved_rtt": 15.0, "moved_jitter": 10.0, "moved_loss": 8.0}[code]
    values[COLUMN[code]][0, 0, since:until] += rise
    values["lost"][...] = values["up_lost"] + values["down_lost"]


def found(made: Bench, values: dict[str, NDArray[np.float32]], told: tuple[Flag, ...] = ()) -> list[Flag]:
    present = Present(made.t0 + 5 * SECOND_NS, 120 * SECOND_NS)
    return moved_flags(made.recent(values, (PATH,)), present, told, shipped_online_trees())


@pytest.mark.parametrize("code", list(COLUMN))
def test_a_rise_is_told_at_its_sixth_window(made: Bench, code: str) -> None:
    """Two windows of a new level tell nothing; six tell it with what it is, what it was, and since when."""
    values = noisy(made)
    raised(values, code, WINDOWS - 2)
    assert found(made, values) == []
    values = noisy(made)
    raised(values, code, WINDOWS - 6)
    (flag,) = found(made, values)
    assert (flag.site, flag.path, flag.reason.code.value, flag.severe) == ("s00", PATH, code, False)
    assert flag.since_ns == flag.reason.since_ns == made.t0 - 6 * WINDOW_NS
    assert flag.seen_ns == made.t0
    assert flag.reason.value is not None
    assert flag.reason.usual is not None
    assert flag.reason.value > flag.reason.usual + (0.02 if code == "moved_loss" else 5.0)
    assert flag.reason.limit is None


@pytest.mark.parametrize(("past", "told"), [(2, False), (20, True)])
def test_a_creep_is_told_before_its_limit(made: Bench, past: int, *, told: bool) -> None:
    """Jitter that grows by 28 ms within ten minutes, past 30 ms in the end, if the line had been measured for some minutes."""
    codes = set()
    for done in range(4, 40, 4):  # windows of the creep that are in
        values = noisy(made)
        values["down_jitter_ms"][0, 0] += np.clip(np.arange(WINDOWS) - (WINDOWS - 1 - done), 0, None) * 0.7
        for column in values.values():
            column[:, :, : WINDOWS - done - past] = np.nan
        codes |= {flag.reason.code for flag in found(made, values) if flag.site == "s00"}
    assert codes == ({ReasonCode.MOVED_JITTER} if told else set())


def test_what_comes_back_is_over(made: Bench) -> None:
    """One window back below the middle keeps the flag, two end it; and after a while the new level is simply the line's."""
    for back, count in ((1, 1), (2, 0)):
        values = noisy(made)
        raised(values, "moved_rtt", WINDOWS - 10, WINDOWS - back)
        assert len(found(made, values)) == count, back
    values = noisy(made)
    raised(values, "moved_rtt", WINDOWS - 6 - TELL_WINDOWS - 1)
    assert found(made, values) == []


def test_a_limit_that_is_passed_says_it_already(made: Bench) -> None:
    """Beside a flag of the same kind on the same line, or an outage, nothing is told twice; other lines' flags silence nothing."""
    values = noisy(made)
    raised(values, "moved_loss", WINDOWS - 8)
    for site, code, count in (
        ("s00", ReasonCode.LOSS_UP, 0),
        ("s00", ReasonCode.OUTAGE, 0),
        ("s00", ReasonCode.RTT, 1),
        ("s01", ReasonCode.LOSS_UP, 1),
    ):
        told = Flag(site=site, path=PATH, reason=Reason(code=code), since_ns=0, seen_ns=0)
        assert len(found(made, values, (told,))) == count, (site, code)


def test_a_fall_silence_and_a_new_line_tell_nothing(made: Bench) -> None:
    """A level that fell is no flag, nor one of a line that fell silent, nor one with hardly a past."""
    values = noisy(made)
    values["rtt_p95_ms"][0, 0, -8:] -= 15.0
    assert found(made, values) == []
    values = noisy(made)
    raised(values, "moved_rtt", WINDOWS - 20)
    for column in values.values():
        column[0, 0, -10:] = np.nan
    assert found(made, values) == []
    values = noisy(made)
    raised(values, "moved_rtt", WINDOWS - 6)
    for column in values.values():
        column[0, 0, : WINDOWS - 10] = np.nan
    assert found(made, values) == []


def test_ordinary_noise_is_hardly_ever_told(made: Bench) -> None:
    """15 looks at each of 60 lines with 5 seeds (4,500 windows, 18 hours of one line) tell nothing."""
    assert [flag for seed in range(5) for flag in found(made, noisy(made, seed + 1))] == []
