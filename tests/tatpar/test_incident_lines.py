"""What `tatpar incidents` and `tatpar flags` say of a shared fault."""

from __future__ import annotations

from typing import Final

import pytest

from config.load import load_config
from tatpar.commands.incidents import lines
from telemetry.decisions import Evidence, Factor, FactorKind, Incident

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
