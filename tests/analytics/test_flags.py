"""Flags: hold times, hysteresis, figures, and how rarely they are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.baseline import UsualNow
from analytics.causes import CAUSES, Cause
from analytics.flags import Present, dark_flags, degraded
from analytics.floor import with_floor
from analytics.hours import local_hour
from analytics.spells import marks, spells
from config.profiles import Limits
from telemetry.decisions import ReasonCode
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from conftest import Bench

    from analytics.recent import Recent
    from telemetry.decisions import Flag

ONE = ("main.state",)
KOLKATA = ZoneInfo("Asia/Kolkata")


def flagged(made: Bench, recent: Recent, silent_s: float = 120) -> list[Flag]:
    sites = np.zeros(recent.lines.shape[0], dtype=np.int64)
    present = Present(made.t0 + 5 * SECOND_NS, round(silent_s * SECOND_NS))
    return degraded(recent, [made.limits], sites, present)


def loss_flags(made: Bench, lost: list[int], pps: int = 10) -> list[Flag]:
    values = made.values((1, 1, 30 + len(lost)), pps)
    made.lose(values, "up", np.array([0] * 30 + lost))
    return flagged(made, made.recent(values, ONE))


def test_a_severe_window_raises_alone(made: Bench) -> None:
    """Six of 150 (proved at twice the limit) raise at once; the flag knows value, limit and since when."""
    (flag,) = loss_flags(made, [6])
    assert (flag.site, flag.path, flag.reason.code) == ("s00", "main.state", ReasonCode.LOSS_UP)
    assert flag.reason.value == pytest.approx(6 / 150, abs=1e-5)
    assert (flag.reason.limit, flag.reason.unit, flag.severe) == (0.01, "ratio", True)
    assert flag.since_ns == flag.reason.since_ns == made.t0 - WINDOW_NS
    assert flag.seen_ns == made.t0


def test_a_mild_break_needs_two_of_three(made: Bench) -> None:
    """Fourteen of 750 break a window, but under twice the limit: the second within three windows raises, dated from the first."""
    assert loss_flags(made, [14], pps=50) == []
    assert loss_flags(made, [14, 0, 0, 14], pps=50) == []
    (flag,) = loss_flags(made, [14, 0, 14], pps=50)
    assert flag.since_ns == made.t0 - 3 * WINDOW_NS
    assert not flag.severe


def test_in_an_outage_nothing_is_flagged_that_has_no_figure_any_more(made: Bench) -> None:
    """Bursts before the cut: while nothing comes through, "bursts of loss, 0 %" is not a fault but what was not measured."""
    values = made.values((1, 1, 40), pps=50)
    made.lose(values, "up", 5, at=(..., slice(26, 40)))
    values["up_worst_200ms_lost"][..., 26:] = 5
    before = {flag.reason.code for flag in flagged(made, made.recent(values, ONE))}
    assert before == {ReasonCode.BURST_UP}
    made.lose(values, "up", 750, at=(..., slice(36, 40)))
    values["up_worst_200ms_sent"][..., 36:] = 0
    values["up_worst_200ms_lost"][..., 36:] = 0
    codes = {flag.reason.code for flag in flagged(made, made.recent(values, ONE))}
    assert ReasonCode.OUTAGE in codes
    assert ReasonCode.BURST_UP not in codes


def test_two_calm_windows_clear(made: Bench) -> None:
    """One window within the limit keeps the flag, two in a row clear it; one past the limit in between starts again."""
    assert loss_flags(made, [9, 0])
    assert loss_flags(made, [9, 0, 0]) == []
    assert loss_flags(made, [9, 0, 3, 0])
    assert loss_flags(made, [9, 0, 3, 0, 1]) == []


def test_bursts_need_three_of_five(made: Bench) -> None:
    """Single bursts come by chance at 50 packets/s: two of five windows raise nothing, three do."""
    for bad, count in (([25, 27], 0), ([25, 27, 29], 1)):
        values = made.values((1, 1, 30), pps=50)
        values["up_worst_200ms_lost"][0, 0, bad] = 3
        made.lose(values, "up", 3, at=(0, 0, bad))
        assert len(flagged(made, made.recent(values, ONE))) == count


def test_jitter_past_twice_the_limit_raises_alone(made: Bench) -> None:
    """A window of 61 ms against 30 raises at once, one of 40 does not; a spell is valued by its worst window."""
    for jitter, count in ((61.0, 1), (40.0, 0)):
        values = made.values((1, 1, 30))
        values["down_jitter_ms"][0, 0, -1] = jitter
        flags = flagged(made, made.recent(values, ONE))
        assert len(flags) == count
        assert all(flag.reason.value == pytest.approx(jitter) for flag in flags)


def test_absent_windows_neither_raise_nor_clear(made: Bench) -> None:
    """A gap after a severe window keeps the flag until the line counts as silent."""
    values = made.values((1, 1, 40))
    made.lose(values, "up", 9, at=(0, 0, 36))
    for column in values.values():
        column[0, 0, 37:] = np.nan
    assert len(flagged(made, made.recent(values, ONE))) == 1
    assert flagged(made, made.recent(values, ONE), silent_s=40) == []


def test_an_outage_does_not_clear_what_was_before(made: Bench) -> None:
    """Loss that turns into an outage stays flagged with it; two windows that get through clear both."""
    values = made.values((1, 1, 40))
    made.lose(values, "up", np.array([12, 12, 150, 150]), at=(0, 0, slice(36, 40)))
    flags = flagged(made, made.recent(values, ONE))
    assert [flag.reason.code for flag in flags] == [ReasonCode.OUTAGE, ReasonCode.LOSS_UP]
    made.lose(values, "up", np.array([150, 150, 0, 0]), at=(0, 0, slice(36, 40)))
    assert flagged(made, made.recent(values, ONE)) == []


def test_one_office_does_not_flag_another(made: Bench) -> None:
    """Only the office that loses is flagged, on both paths of its uplink, worst first over the fleet."""
    values = made.values((20, 2, 40))
    made.lose(values, "up", 8, at=(7, slice(None), slice(38, 40)))
    made.lose(values, "up", 20, at=(3, slice(None), slice(38, 40)))
    flags = flagged(made, made.recent(values))
    assert [flag.site for flag in flags] == ["s03", "s03", "s07", "s07"]


def test_each_site_is_judged_by_its_own_limits(made: Bench) -> None:
    """The same loss flags the office whose profile forbids it, not the one whose profile allows it."""
    values = made.values((2, 1, 30))
    made.lose(values, "up", 7, at=(slice(None), 0, slice(26, 30)))
    strict, lax = made.profiles()["video"].alarm, made.profiles()["audio"].alarm
    present = Present(made.t0, 120 * SECOND_NS)
    flags = degraded(made.recent(values, ONE), [strict, lax], np.array([1, 0]), present)
    assert [flag.site for flag in flags] == ["s01"]


def test_dark_flags(made: Bench) -> None:
    """A dark office's flag tells since when and how long."""
    (flag,) = dark_flags({"s01": made.t0 - 200 * SECOND_NS}, made.t0, 120 * SECOND_NS)
    assert (flag.path, flag.reason.code, flag.severe) == ("", ReasonCode.DARK, True)
    assert (flag.reason.value, flag.reason.limit, flag.reason.unit) == (200.0, 120.0, "s")


def test_five_per_cent_is_seen_in_one_window(made: Bench) -> None:
    """Of 4,000 offices with 5 % loss on an uplink with two paths at 10 packets/s, more than 98 % are flagged by one full window, by the next all."""
    rng = np.random.default_rng(11)
    values = made.values((4000, 2, 3))
    made.lose(values, "up", rng.binomial(150, [0.0, 0.05, 0.05], (4000, 2, 3)))
    index = CAUSES.index(Cause.LOSS_UP)
    shares = []
    for windows in (2, 3):
        part = made.recent({name: column[..., :windows] for name, column in values.items()})
        shares.append(spells(part.present, marks(part, made.limits)).active[..., index].any(axis=1).mean())
    assert shares[0] > 0.98
    assert shares[1] > 0.999


def test_false_flags_are_rare(made: Bench) -> None:
    """Eleven hours of 560 offices with 0.1 % random loss (4.7 days of a fleet of 56) raise at most one flag."""
    rng, raised = np.random.default_rng(12), 0
    for _ in range(8):
        values = made.values((70, 2, 2688))
        made.lose(values, "up", rng.binomial(150, 0.001, (70, 2, 2688)))
        said = marks(made.recent(values), made.limits)
        pairs = said.breaks[:, :, 1:] & said.breaks[:, :, :-1]
        raised += int(said.severe.any(axis=(1, 3)).sum()) + int(pairs.sum())
    assert raised <= 1


def test_what_is_usual_at_this_hour_is_flagged_but_not_severe(made: Bench) -> None:
    """Jitter past twice the limit is a flag at any hour; where the hour is usually so it is no severe one, and comes last."""
    values = made.values((3, 1, 30))
    values["up_jitter_ms"][:, 0, 20:] = np.array([[70.0], [35.0], [150.0]])
    recent = made.recent(values, ONE)
    history = made.history(recent)
    history.figures["up_jitter_ms"][[0, 2]] = 65.0
    usual = UsualNow(history, local_hour(made.t0, KOLKATA))
    present = Present(made.t0, 120 * SECOND_NS, usual)
    flags = degraded(recent, [made.limits], np.zeros(3, dtype=np.int64), present)
    assert [(flag.site, flag.severe, flag.as_usual) for flag in flags] == [
        ("s02", True, False),
        ("s01", False, False),
        ("s00", False, True),
    ]


@pytest.mark.parametrize(("days", "usual"), [(1, False), (6, False), (7, True)])
def test_nothing_is_usual_of_a_line_that_is_new(made: Bench, days: int, usual: bool) -> None:
    """Jitter that a line has had from its first hour is severe, with no usual figure beside it, until a week has shown it."""
    values = made.values((3, 1, 30))
    values["up_jitter_ms"][0, 0, 20:] = 70.0
    recent = made.recent(values, ONE)
    history = made.history(recent)
    figures = history.figures["up_jitter_ms"]
    figures[0] = np.where(history.hours >= history.end_hour - days * 24, 65.0, np.nan)
    present = Present(made.t0, 120 * SECOND_NS, UsualNow(history, local_hour(made.t0, KOLKATA)))
    (flag,) = degraded(recent, [made.limits], np.zeros(3, dtype=np.int64), present)
    assert (flag.severe, flag.as_usual) == (not usual, usual)
    assert flag.reason.usual == (pytest.approx(65.0, abs=1) if usual else None)


def test_what_is_usual_above_the_floor_is_told_above_the_floor(made: Bench) -> None:
    """28 ms above a floor of 40 are as usual where 60 ms, 20 above it, are usual, and no news; where 40 are, or no floor is known, they are severe or no flag."""
    values = made.values((3, 1, 30))
    values["rtt_p95_ms"][:, 0, 20:] = 68.0
    recent = made.recent(dict(with_floor(values, np.array([[40.0], [40.0], [np.nan]]))), ONE)
    history = made.history(recent)
    history.figures["rtt_p95_ms"][0] = 60.0
    usual = UsualNow(history, local_hour(made.t0, KOLKATA))
    present = Present(made.t0, 120 * SECOND_NS, usual)
    flags = degraded(recent, [Limits(rtt_above_floor_ms=13.0)], np.zeros(3, dtype=np.int64), present)
    told = [(flag.site, flag.reason.code, flag.reason.value, flag.severe, flag.as_usual) for flag in flags]
    assert told == [
        ("s01", ReasonCode.RTT_FLOOR, 28.0, True, False),
        ("s00", ReasonCode.RTT_FLOOR, 28.0, False, True),
    ]
    assert [flag.reason.usual for flag in flags] == [
        pytest.approx(0.0, abs=0.5),
        pytest.approx(20.0, abs=0.5),
    ]


def test_one_fault_of_partly_unknown_direction_is_one_flag(made: Bench) -> None:
    """Windows of a spell that prove the direction and windows that do not give one flag with the total, not two."""
    values = made.values((1, 1, 30))
    values["up_lost"][0, 0, 26:] = [12, 2, 12, 2]
    values["lost"][0, 0, 26:] = [12, 14, 12, 14]
    (flag,) = flagged(made, made.recent(values, ONE))
    assert (flag.reason.code, flag.reason.value) == (ReasonCode.LOSS, pytest.approx(52 / 600, abs=1e-5))
