"""What is said of others is what the model's term stands on: its quarter of an hour, the group that costs most, from a tenth on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from analytics.forecast.features import facts
from analytics.forecast.track import Asks
from analytics.ground import Standing
from analytics.readiness import expect
from analytics.verdicts import verdicts
from telemetry.decisions import Action, Factor, FactorKind, ReasonCode
from telemetry.windows import MINUTE_NS, WINDOW_NS
from telemetry.words import say_reason, say_told

if TYPE_CHECKING:
    from conftest import Bench

    from analytics.ground import Ground
    from telemetry.decisions import Verdict

SOON = 600.0
N = "\N{NO-BREAK SPACE}"
THEIRS, OTHERS = 8, 32
"""Offices of provider-y, and of provider-z."""
UNRELATED = THEIRS + 3
"""One office of provider-z, whose line is broken now."""
PROVIDER_Y = Factor(FactorKind.PROVIDER, "provider-y")


def fleet(made: Bench, broken: slice, sites: slice = slice(0, THEIRS)) -> Ground:
    """Provider-y's lines lose all in some of the last 40 windows, and one other office is broken now; of a model that weighs providers."""
    values = made.values((THEIRS + OTHERS, 2, 40))
    made.lose(values, "up", 150, at=(sites, slice(None), broken))
    made.lose(values, "up", 40, at=(UNRELATED, slice(None), slice(0, 40)))
    ground = made.ground(made.recent(values))
    providers = np.repeat(np.where(np.arange(THEIRS + OTHERS) < THEIRS, 0, 1), 2).astype(np.int32)
    tracks = tuple(
        replace(each, groups={**each.groups, "provider": providers}) for each in ground.foresight.tracks
    )
    model = ground.foresight.model
    at = model.names.index("peers_provider")
    weights = tuple((*row[:at], 0.3, *row[at + 1 :]) for row in model.weights)
    foresight = replace(
        ground.foresight, model=msgspec.structs.replace(model, weights=weights), tracks=tracks
    )
    return replace(ground, foresight=foresight, providers=("provider-y",) * THEIRS + ("provider-z",) * OTHERS)


def said_of(ground: Ground, made: Bench, site: int) -> Verdict:
    """An office's verdict by what the model's terms cost it, at risk whatever it comes to."""
    found = expect(ground, made.occurrence(SOON))
    at_risk = np.full(len(ground.linked), Standing.AT_RISK, dtype=np.int8)
    weighed = replace(found, probability=np.full(len(ground.linked), 0.8), standing=at_risk)
    return verdicts(ground, made.occurrence(SOON), weighed, [site])[0]


def test_a_providers_outage_that_is_over_is_told_as_such_and_not_by_the_one_line_that_is_broken(
    made: Bench,
) -> None:
    """All eight were down for five minutes, until three minutes ago: that is what costs, and not one unrelated line of 39."""
    ground = fleet(made, slice(8, 28))
    for site in range(THEIRS):
        (reason,) = (r for r in said_of(ground, made, site).reasons if r.code is ReasonCode.SHARED_FAULT)
        assert (reason.among, reason.value) == (PROVIDER_Y, 1.0)
        assert reason.until_ns == pytest.approx(ground.now_ns - 12 * WINDOW_NS, abs=MINUTE_NS)
        assert (
            say_reason("en", reason) == f"100{N}% of the other lines of provider-y were broken not long ago"
        )
        assert say_reason("hi", reason) == f"हाल में provider-y की बाक़ी लाइनों में से 100{N}% ख़राब हुई थीं"
        assert "not long ago" in say_told("en", reason)
        assert "हाल में" in say_told("hi", reason)


def test_lines_that_are_broken_now_are_told_as_broken_now(made: Bench) -> None:
    """Three of the seven others of the same provider, and of who has no other group that broke nothing is told."""
    ground = fleet(made, slice(8, 40), slice(1, 4))
    (reason,) = (r for r in said_of(ground, made, 0).reasons if r.code is ReasonCode.SHARED_FAULT)
    assert (reason.among, reason.value, reason.until_ns) == (PROVIDER_Y, pytest.approx(3 / 7, abs=1e-4), None)
    assert say_reason("en", reason) == f"43{N}% of the other lines of provider-y are broken now"


def test_less_than_a_tenth_of_a_group_is_no_reason(made: Bench) -> None:
    """One line of 39: the term is made to cost, and yet nothing is told of the others."""
    ground = fleet(made, slice(0, 0))
    found = expect(ground, made.occurrence(SOON))
    terms = replace(found.terms, peers=np.full(len(ground.linked), 0.1))
    at_risk = np.full(len(ground.linked), Standing.AT_RISK, dtype=np.int8)
    weighed = replace(found, standing=at_risk, terms=terms)
    codes = {r.code for r in verdicts(ground, made.occurrence(SOON), weighed, [0])[0].reasons}
    assert codes
    assert ReasonCode.SHARED_FAULT not in codes


def test_what_was_broken_at_others_asks_nothing_of_the_office(made: Bench) -> None:
    """An office of provider-y whose own line held all the while keeps an eye on it, also where it is not ready."""
    ground = fleet(made, slice(8, 28), slice(1, THEIRS))
    found = expect(ground, made.occurrence(SOON))
    not_ready = np.full(len(ground.linked), Standing.NOT_READY, dtype=np.int8)
    weighed = replace(found, probability=np.full(len(ground.linked), 0.5), standing=not_ready)
    (verdict,) = verdicts(ground, made.occurrence(SOON), weighed, [0])
    assert [(each.code, each.among) for each in verdict.reasons] == [(ReasonCode.SHARED_FAULT, PROVIDER_Y)]
    assert verdict.action is Action.WATCH


def test_the_parts_of_a_term_are_what_the_model_adds(made: Bench) -> None:
    """The groups' figures, weighed one by one, come to the term's own log-odds."""
    ground = fleet(made, slice(8, 28))
    foresight, lead_ns = ground.foresight, 10 * MINUTE_NS
    start_ns = foresight.now_ns + lead_ns
    asks = Asks(*(np.array([at]) for at in (0, foresight.now_ns, start_ns, start_ns + 12 * 5 * MINUTE_NS)))
    limit_set = ground.sets.of_profile["video"]
    known = facts(foresight.tracks[limit_set], asks)
    names = ("peers_provider", "peers_end")
    figures = dict(zip(names, known.of(names)[0].tolist(), strict=True))
    said = foresight.model.of_facts(known)
    parts = foresight.model.parts(figures, lead_ns)
    assert sum(parts.values()) == pytest.approx(said.terms[0, said.names.index("peers")], rel=1e-12)
    assert parts["peers_provider"] > 0.0
