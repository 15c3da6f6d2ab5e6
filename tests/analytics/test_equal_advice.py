"""Equal trouble gets equal advice: the order of what is told, and a hair to either side of a limit, change nothing."""

from __future__ import annotations

from itertools import combinations, permutations
from types import SimpleNamespace
from typing import Any, cast

import pytest

from analytics.actions import TOO_LATE_TO_MEND_NS, advise
from analytics.ground import Standing
from config.load import load_config
from telemetry.decisions import Action, Reason, ReasonCode

OWN = (
    ReasonCode.LOSS_UP, ReasonCode.JITTER_DOWN, ReasonCode.RTT, ReasonCode.RISING_RTT, ReasonCode.STRAINED,
    ReasonCode.EXPECTED_STRAIN, ReasonCode.USUAL_HOUR, ReasonCode.RECENT_FAULT, ReasonCode.NO_HISTORY,
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The office has no second line."""
    monkeypatch.setattr("analytics.actions._has_second_line", lambda _: False)


def case(standing: Standing, best: str, lead_ns: int) -> Any:
    """An office without works now."""
    ground = SimpleNamespace(now_ns=0, profiles=load_config(None).profiles)
    return cast(
        "Any",
        SimpleNamespace(
            standing=standing, best_profile=best, lead_ns=lead_ns, has_works_now=False, ground=ground
        ),
    )


@pytest.mark.parametrize("standing", [Standing.AT_RISK, Standing.NOT_READY])
@pytest.mark.parametrize("best", ["", "audio", "video-360p"])
@pytest.mark.parametrize("lead_ns", [0, TOO_LATE_TO_MEND_NS + 1])
def test_which_of_the_reasons_weighs_a_hair_more_changes_no_advice(
    standing: Standing, best: str, lead_ns: int
) -> None:
    """All sets of three of a line's own reasons, in every order."""
    asked = case(standing, best, lead_ns)
    for codes in combinations((*OWN, ReasonCode.PLANNED), 3):
        told = {advise(asked, [Reason(code=code) for code in order]) for order in permutations(codes)}
        assert len(told) == 1, codes


@pytest.mark.parametrize("standing", [Standing.AT_RISK, Standing.NOT_READY])
@pytest.mark.parametrize("best", ["", "audio", "video-360p"])
@pytest.mark.parametrize("lead_ns", [0, TOO_LATE_TO_MEND_NS + 1])
def test_a_figure_within_its_limit_gets_the_advice_of_one_past_it(
    standing: Standing, best: str, lead_ns: int
) -> None:
    """299 ms of 300, 301 ms of 300, and 299 ms that rise."""
    codes = (ReasonCode.RTT, ReasonCode.STRAINED, ReasonCode.EXPECTED_STRAIN, ReasonCode.RISING_RTT)
    told = {advise(case(standing, best, lead_ns), [Reason(code=code)]) for code in codes}
    assert len(told) == 1
    assert told <= {Action.LOWER_PROFILE, Action.AUDIO_ONLY, Action.CALL_PROVIDER, Action.WATCH}
