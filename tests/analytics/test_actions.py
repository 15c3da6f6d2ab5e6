"""What to do when others are in trouble: nobody is rung about a line that is sound."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from analytics.actions import advise
from analytics.ground import Standing
from config.load import load_config
from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode


def case(standing: Standing) -> Any:
    """An office with one line, which no profile but its own fits."""
    suspicion = SimpleNamespace(suspicion={(0, 0): []})
    lines = SimpleNamespace(paths=())
    ground = SimpleNamespace(lines=lines, condition=suspicion, now_ns=0)
    return cast(
        "Any", SimpleNamespace(standing=standing, best_profile="", limit_set=0, site=0, ground=ground)
    )


@pytest.mark.parametrize(
    ("standing", "factor", "action"),
    [
        (Standing.AT_RISK, None, Action.WATCH),
        (Standing.NOT_READY, None, Action.CALL_PROVIDER),
        (Standing.AT_RISK, Factor(kind=FactorKind.PROVIDER, name="provider-a"), Action.CALL_PROVIDER),
        (Standing.AT_RISK, Factor(kind=FactorKind.HUB), Action.WAIT_HEADQUARTERS),
    ],
)
def test_only_a_fault_that_is_known_to_be_shared_is_taken_to_the_provider(
    monkeypatch: pytest.MonkeyPatch, standing: Standing, factor: Factor | None, action: Action
) -> None:
    """Two offices in trouble among fifty say little of the other forty-eight."""
    monkeypatch.setattr("analytics.actions._has_second_line", lambda _: False)
    reason = Reason(code=ReasonCode.SHARED_FAULT, value=0.036, unit="ratio", factor=factor)
    assert advise(case(standing), [reason]) is action


@pytest.mark.parametrize(
    ("code", "factor"),
    [
        (ReasonCode.LOSS_DOWN, None),
        (ReasonCode.STRAINED, None),
        (ReasonCode.SHARED_FAULT, Factor(kind=FactorKind.PROVIDER, name="provider-a")),
    ],
)
@pytest.mark.parametrize(
    ("best", "action"), [("audio", Action.AUDIO_ONLY), ("video-360p", Action.LOWER_PROFILE)]
)
def test_a_profile_without_a_picture_is_no_lower_picture_quality(
    monkeypatch: pytest.MonkeyPatch,
    code: ReasonCode,
    factor: Factor | None,
    best: str,
    action: Action,
) -> None:
    """Where only sound will hold the advice says so; 360p is a lower picture quality still."""
    monkeypatch.setattr("analytics.actions._has_second_line", lambda _: False)
    found = case(Standing.NOT_READY)
    found.best_profile, found.lead_ns, found.ground.profiles = best, 0, load_config(None).profiles
    assert advise(found, [Reason(code=code, value=0.036, unit="ratio", factor=factor)]) is action
