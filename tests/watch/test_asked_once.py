"""The model is asked when something changed that it stands on, and what is said is what asking each time would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.forecast.foresight import Foresight
from tatpar.watching.foreseeing import Outlook
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    import pytest
    from conftest import Town

    from telemetry.decisions import Verdict

WORKS = """who,kind,from,until,announced
site:ballia,works,2026-11-23 12:30,2026-11-23 13:30,2026-11-20 09:00
"""


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the model was asked, so far."""
    asked, answers = [0], Foresight._answers

    def counted(self: Foresight, *of: Any) -> Any:
        asked[0] += 1
        return answers(self, *of)

    monkeypatch.setattr(Foresight, "_answers", counted)
    return asked


def told(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """Every verdict that a busy quarter of an hour writes, in order."""
    said: list[Verdict] = []
    put = town.state.put_verdicts

    def listened(news: Sequence[Verdict]) -> None:
        said.extend(news)
        put(news)

    monkeypatch.setattr(town.state, "put_verdicts", listened)
    town.remember(town.t0 - 2 * HOUR_NS, town.t0 - 15 * SECOND_NS, ("agra", "ballia"))
    town.play(60, step_s=1.5)
    town.watch.refresh_past(town.now_ns)
    town.break_line("agra", up=0.1)
    town.play(90, step_s=1.5)
    town.offline.add("meerut")
    town.play(150, step_s=1.5)
    town.heal("agra")
    (town.folder / "works.csv").write_text(WORKS, encoding="utf-8")
    (town.folder / "tatpar.toml").write_text(
        '[files]\nmeetings = "meetings"\nworks = "works.csv"\n', encoding="utf-8"
    )
    town.play(60, step_s=1.5)
    town.meet(town.meeting("review", 1.0), town.meeting("other", 3.0, profile="video-1080p"))
    town.watch.refresh_past(town.now_ns)
    town.play(150, step_s=1.5)
    return said


def test_what_is_said_is_what_asking_each_time_would_say(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault, silence, works, another calendar and another past: verdict by verdict the same, at a fraction of the asks."""
    asked = counting(monkeypatch)
    kept, few = told(town, monkeypatch), asked[0]
    monkeypatch.setattr(Outlook, "foresee", _asking_anew(Outlook.foresee))
    (tmp_path / "again").mkdir()
    again = type(town)(tmp_path / "again")
    each, many = told(again, monkeypatch), asked[0] - few
    again.close()
    assert kept == each
    assert {verdict.state.value for verdict in kept} >= {"ready", "not_ready"}
    assert any(reason.code.value == "planned" for verdict in kept for reason in verdict.reasons)
    assert len(kept) > 20
    assert few < many


def _asking_anew(foresee: Callable[..., Foresight]) -> Callable[..., Foresight]:
    def anew(self: Outlook, *of: Any) -> Foresight:
        self._last = None
        return foresee(self, *of)

    return anew


def test_a_look_without_news_asks_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two windows every look is answered from what is known; a window of one line asks anew."""
    asked = counting(monkeypatch)
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    town.play(12)
    before = asked[0]
    for _ in range(2):
        town.now_ns += SECOND_NS
        town.watch._timetable.look_at_once()
        assert town.watch.step(town.now_ns).looked
    assert asked[0] == before
    town.break_line("agra", up=0.2)
    town.play(30)
    assert asked[0] > before
