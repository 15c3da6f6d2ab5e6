"""What `tatpar incidents` and `tatpar flags` say of a shared fault."""

from __future__ import annotations

from typing import Final

import pytest

from config.load import load_config
from tatpar.commands.flags import grouped
from tatpar.commands.incidents import lines
from telemetry.decisions import Evidence, Factor, FactorKind, Flag, Incident, Reason, ReasonCode

BEGAN: Final = 1_790_000_000_000_000_000


def incident(*sites: str) -> Incident:
    evidence = Evidence(members=11, suffer=11, others=45, others_suffer=1, log_odds=30.0)
    factor = Factor(FactorKind.PROVIDER, "provider-b")
    return Incident(
        id="i", factor=factor, since_ns=BEGAN, told_ns=BEGAN, seen_ns=BEGAN, sites=sites, evidence=evidence
    )


@pytest.mark.parametrize("language", ["hi", "en"])
def test_one_whose_offices_are_all_well_again_names_none(language: str) -> None:
    """Between the last office's recovery and its end it has no offices: no line that begins a list and stops."""
    config = load_config(None)
    assert len(lines(config, [incident("agra")], language)) == 2
    [told] = lines(config, [incident()], language)
    assert "provider-b" in told


@pytest.mark.parametrize(
    ("language", "said"),
    [("hi", "agra-old (अब कार्यालयों की सूची में नहीं)"), ("en", "agra-old (no longer in the list of offices)")],
)
def test_an_office_that_was_taken_out_of_the_list_is_named_as_that(language: str, said: str) -> None:
    """Of a past fault the list names who was in it; an id alone looks like a mistake of ours."""
    config = load_config(None)
    told = lines(config, [incident("agra", "agra-old")], language)[1]
    assert config.registry.by_id["agra"].name(language) in told
    assert said in told


@pytest.mark.parametrize("language", ["hi", "en"])
def test_a_flag_calls_a_headquarters_by_its_name(language: str) -> None:
    """Its id is the settings' own; the wall and the messages have its name."""
    config = load_config(None)
    reason = Reason(
        code=ReasonCode.SHARED_FAULT, value=5, limit=5, factor=Factor(FactorKind.END, "state"), since_ns=BEGAN
    )
    flag = Flag(site="agra", path="main.state", reason=reason, since_ns=BEGAN, seen_ns=BEGAN)
    row = grouped(config, [], [flag], language, BEGAN)[-1]
    assert row.count(config.headquarters["state"].name(language)) == 2, "the line's end, and the fault"
