"""What to do when others are in trouble: nobody is rung about a line that is sound."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from analytics.actions import advise
from analytics.causes import CAUSES, Cause
from analytics.ground import Standing
from config.load import load_config
from telemetry.decisions import Action, Factor, FactorKind, Reason, ReasonCode
from telemetry.windows import SECOND_NS


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


@pytest.mark.parametrize(
    ("other_end_down", "other_silent", "action"),
    [
        (0.1, False, Action.WAIT_HEADQUARTERS),
        (0.9, False, Action.RESTART_ROUTER),
        (0.1, True, Action.RESTART_ROUTER),
    ],
)
@pytest.mark.parametrize("age_s", [60, 900])
def test_nobody_restarts_a_router_or_rings_a_provider_that_carries_the_other_end(
    *, other_end_down: float, other_silent: bool, action: Action, age_s: int
) -> None:
    """One end is down, the other answers through the same uplink; when that is down or silent too, it is the office's line."""
    found, now_ns = case(Standing.NOT_READY), 1_795_392_000 * SECOND_NS
    by_cause = np.zeros((1, 1, 2, len(CAUSES)))
    by_cause[0, 0, :, CAUSES.index(Cause.OUTAGE)] = 0.99, other_end_down
    found.path, found.path_name, found.ground.now_ns = 0, "main.state", now_ns
    found.ground.lines = SimpleNamespace(paths=("main.state", "main.national"))
    found.ground.heard, found.ground.silent = np.ones((1, 2), dtype=bool), np.array([[False, other_silent]])
    found.ground.condition = SimpleNamespace(by_cause=by_cause, suspicion=np.ones((1, 1, 2)))
    outages = SimpleNamespace(lasting=np.zeros((1, 2), dtype=bool))
    found.ground.recent = SimpleNamespace(outages=outages, newest=np.zeros((1, 2)))
    reason = Reason(code=ReasonCode.OUTAGE, path="main.state", since_ns=now_ns - age_s * SECOND_NS)
    late = Action.CALL_PROVIDER if action is Action.RESTART_ROUTER and age_s > 600 else action
    assert advise(found, [reason]) is late
    region = Factor(kind=FactorKind.REGION, name="west")
    shared = Reason(code=ReasonCode.SHARED_FAULT, value=11, limit=12, factor=region)
    late = Action.CALL_PROVIDER if action is Action.RESTART_ROUTER else action
    assert advise(found, [shared, reason]) is late


@pytest.mark.parametrize(
    "over",
    [
        Reason(code=ReasonCode.OUTAGE, since_ns=1, until_ns=2),
        Reason(code=ReasonCode.RECENT_FAULT, since_ns=1),
    ],
)
@pytest.mark.parametrize("best", ["audio", ""])
@pytest.mark.parametrize("factor", [None, Factor(kind=FactorKind.PROVIDER, name="provider-a")])
def test_a_line_that_is_well_again_asks_for_no_lower_picture_and_no_call(
    monkeypatch: pytest.MonkeyPatch, factor: Factor | None, best: str, over: Reason
) -> None:
    """Others still suffer, and the model still doubts: who was told that there is nothing to do is not told to join with sound only, nor to ring the provider."""
    monkeypatch.setattr("analytics.actions._has_second_line", lambda _: False)
    found = case(Standing.NOT_READY)
    found.best_profile, found.lead_ns, found.ground.profiles = best, 0, load_config(None).profiles
    shared = Reason(code=ReasonCode.SHARED_FAULT, value=3, limit=5, factor=factor)
    assert advise(found, [shared, over]) is Action.WATCH
    assert advise(found, [over, shared]) is Action.WATCH
    lasts = Reason(code=ReasonCode.LOSS_DOWN, since_ns=1)
    acts = Action.AUDIO_ONLY if best else Action.CALL_PROVIDER
    assert advise(found, [shared, lasts, over]) is acts
