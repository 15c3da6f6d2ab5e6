"""What must not move a flag or a verdict: late, emulated and future windows; and what survives a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analytics.forecast.returned import JUST_BACK_WINDOWS
from telemetry.decisions import State
from telemetry.windows import HOUR_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from conftest import Town


def test_back_filled_windows_never_raise_a_flag(town: Town) -> None:
    """Ten minutes of loss that arrive late change no flag, and are counted as late: the verdict knows the line as one that has only just come back (decisions 221, 224), and for no longer than that."""
    town.play(120)
    before = town.verdict("agra").state
    town.break_line("agra", up=0.5)
    start = town.now_ns - town.now_ns % WINDOW_NS
    for back in range(6, 46):
        town.report(start - back * WINDOW_NS, town.now_ns, sites=("agra",))
    town.heal("agra")
    town.play(5)
    assert town.state.open_flags() == []
    assert before is State.READY
    assert town.verdict("agra").state is State.AT_RISK
    assert town.watch.counters.late == 2 * 40
    town.play(JUST_BACK_WINDOWS * WINDOW_NS / SECOND_NS)
    assert town.state.open_flags() == []
    assert town.verdict("agra").state is State.READY


def test_a_window_just_in_time_counts(town: Town) -> None:
    """A window that arrives 60 s after its end is in time, one second later it is late."""
    town.play(120)
    town.break_line("agra", up=0.5)
    start = town.now_ns - town.now_ns % WINDOW_NS - 8 * WINDOW_NS
    town.report(start, start + WINDOW_NS + 61 * SECOND_NS, sites=("agra",))
    town.play(1)
    assert town.watch.counters.late == 2
    town.report(start + WINDOW_NS, start + 2 * WINDOW_NS + 60 * SECOND_NS, sites=("agra",))
    town.play(1)
    assert town.watch.counters.late == 2


def test_a_probe_with_a_wrong_clock_does_not_harm_others(town: Town) -> None:
    """Windows dated in the future are counted and left out; what is known of all others stays."""
    town.play(120)
    town.break_line("agra", up=0.9)
    for ahead in (1, 100, 10_000):
        town.report(town.now_ns - town.now_ns % WINDOW_NS + ahead * WINDOW_NS, town.now_ns, sites=("agra",))
    town.heal("agra")
    town.play(10)
    assert town.watch.counters.future == 6
    assert town.state.open_flags() == []
    assert {town.verdict(site).state for site in ("meerut", "ballia", "unnao")} == {State.READY}


def test_a_foreign_office_is_only_counted(town: Town) -> None:
    """Reports of an office that is not in the registry change nothing."""
    town.play(60)
    town.report(town.now_ns - town.now_ns % WINDOW_NS - WINDOW_NS, town.now_ns, sites=("elsewhere",))
    town.play(5)
    assert town.watch.counters.foreign == 2


def test_a_restart_keeps_flags_with_their_beginning(town: Town) -> None:
    """A new watch finds the flags that were up, with since when, raises none anew, and clears them when it is over."""
    town.play(120)
    town.break_line("agra", up=0.1)
    town.play(60)
    before = town.flags()["agra", "loss_up"]
    town.restart()
    town.play(30)
    after = town.flags()["agra", "loss_up"]
    assert after.since_ns == before.since_ns
    assert len(town.state.flag_history(0, 2**62)) == len(town.state.open_flags())
    town.heal("agra")
    town.play(60, lambda: not town.flags())
    assert town.flags() == {}


def test_a_spell_longer_than_memory_keeps_its_beginning(town: Town) -> None:
    """After half an hour and more, longer than the ring, a flag still tells when the trouble began."""
    town.meet()
    town.play(60)
    town.break_line("agra", jitter_ms=80.0)
    began = town.now_ns
    town.play(32 * 60, step_s=7.5)
    assert abs(town.flags()["agra", "jitter_up"].since_ns - began) <= 2 * WINDOW_NS


def test_a_restart_keeps_an_office_dark(town: Town) -> None:
    """A new watch does not forget that an office is dark, and needs no two minutes to say it again."""
    town.play(60)
    town.offline.add("unnao")
    town.presence("unnao", online=False)
    town.play(180)
    since = town.flags()["unnao", "dark"].since_ns
    town.restart()
    town.play(1)
    assert town.flags()["unnao", "dark"].since_ns == since
    assert town.verdict("unnao").state is State.NOT_READY


def test_a_second_watch_waits_for_the_first(town: Town) -> None:
    """Two watches do not both decide: the second works only when the first's lease has run out."""
    town.play(20)
    second = town.another_watch()
    assert second.step(town.now_ns).working is False
    assert town.watch.step(town.now_ns).working is True
    town.now_ns += 31 * SECOND_NS
    assert second.step(town.now_ns).working is True
    assert town.watch.step(town.now_ns).working is False


def test_a_new_meeting_is_taken_up_without_restart(town: Town) -> None:
    """A meeting added to the calendar gets its verdicts within seconds."""
    town.play(30)
    assert {verdict.meeting for verdict in town.state.verdicts(0, 2**62)} == {"review"}
    town.meet(*meetings(town, ("review", 1.0), ("extra", 3.0)))
    town.play(5)
    assert {verdict.meeting for verdict in town.state.verdicts(0, 2**62)} == {"review", "extra"}


def meetings(town: Town, *when: tuple[str, float]) -> list[object]:
    return [town.meeting(uid, hours) for uid, hours in when]


@pytest.mark.parametrize("change", ["cancelled", "moved", "uninvited"])
def test_a_changed_meeting_voids_what_was_said(town: Town, change: str) -> None:
    """A cancelled meeting's verdicts go; a moved one's are said anew for its new time; who is no longer invited is not spoken of."""
    town.play(30)
    changed = {
        "cancelled": [],
        "moved": [town.meeting("review", 2.0)],
        "uninvited": [town.meeting("review", 1.0, who="site:agra")],
    }[change]
    town.meet(*changed)
    town.play(10)
    found = town.state.verdicts(0, 2**62)
    if change == "cancelled":
        assert found == []
    if change == "moved":
        assert {verdict.starts_ns for verdict in found} == {town.t0 + 2 * HOUR_NS}
        assert len(found) == 5
    if change == "uninvited":
        assert [verdict.site for verdict in found] == ["agra"]
