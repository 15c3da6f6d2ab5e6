"""Works that touch the meeting of an office that is ready: told, taken back when they are over, and nobody is alarmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import Action, ReasonCode, State
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from conftest import Town

WORKS = """who,kind,from,until,announced
site:ballia,works,2026-11-23 12:00,2026-11-23 12:35,2026-11-20 09:00
"""
"""The meeting is from 12:30 to 13:30."""


def announce(town: Town) -> None:
    (town.folder / "works.csv").write_text(WORKS, encoding="utf-8")
    (town.folder / "tatpar.toml").write_text(
        '[files]\nmeetings = "meetings"\nworks = "works.csv"\n', encoding="utf-8"
    )


def test_works_are_told_of_a_ready_office_and_taken_back_and_nobody_hears_an_alarm(town: Town) -> None:
    """As soon as they are announced; once what is left of the meeting is free of them the word is gone."""
    town.remember(town.t0 - 2 * HOUR_NS, town.t0 - 15 * SECOND_NS, ("agra", "ballia"))
    town.play(60, step_s=5)
    town.watch.refresh_past(town.now_ns)
    town.play(60, step_s=5)
    before = town.verdict("ballia")
    assert (before.state, before.reasons, before.action) == (State.READY, (), Action.NONE)
    announce(town)
    town.play(60, step_s=5)
    town.watch.refresh_past(town.now_ns)
    town.play(60, step_s=5)
    told, other = town.verdict("ballia"), town.verdict("agra")
    assert (told.state, told.action) == (State.READY, Action.WATCH)
    assert [(one.code, one.value) for one in told.reasons] == [(ReasonCode.PLANNED, 300.0)]
    assert (other.state, other.reasons) == (State.READY, ())
    assert "ballia" not in {one.site for one in town.state.flagged_verdicts(0, 2**62)}
    town.play(75 * 60, step_s=15)
    over = town.verdict("ballia")
    assert (over.state, over.reasons) == (State.READY, ())
