"""Shared faults over real packets: a provider fails in one region, and one headquarters' end; an incident names each."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from telemetry.decisions import FactorKind
from telemetry.state.db import StateDb
from telemetry.store.sqlite import SqliteReader

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.server]
SITES = """id,name_en,name_hi,region,lat,lon,status,provider
agra,Agra,आगरा,braj,27.18,78.01,linked,provider-a
etah,Etah,एटा,braj,27.56,78.66,linked,provider-a
mathura,Mathura,मथुरा,braj,27.49,77.67,linked,provider-a
hathras,Hathras,हाथरस,braj,27.60,78.05,linked,provider-b
kannauj,Kannauj,कन्नौज,kanpur,27.06,79.92,linked,provider-a
jalaun,Jalaun,जालौन,kanpur,26.14,79.33,linked,provider-b
auraiya,Auraiya,औरैया,kanpur,26.46,79.51,linked,provider-a
"""
HIT = {"agra", "etah", "mathura"}
LINKED = 7


def test_a_provider_in_a_region_and_an_end_are_named(
    deployment: Any, eventually: Callable[..., float]
) -> None:
    """Loss of half at three offices is one incident of their provider in their region; loss to one end is that end's.

    Half and no outage: an office that falls silent is believed after 45 s and told after a minute, which is tested without waiting
    (`tests/analytics/test_shared_faults.py`); what is seen here is that real packets of two faults at once come out as two.
    """
    deployment.write()
    (deployment.folder / "sites.csv").write_text(SITES, encoding="utf-8")
    process = deployment.start("up", "--lab", "--history", "0", "--port", "0")
    eventually("the state database is there", 60, (deployment.data / "state.db").exists)
    eventually("the report store is there", 60, (deployment.data / "reports.db").exists)
    with (
        contextlib.closing(StateDb(deployment.data / "state.db")) as state,
        contextlib.closing(SqliteReader(deployment.data / "reports.db")) as reader,
    ):

        def named(kind: FactorKind) -> list[Any]:
            assert process.poll() is None, deployment.said("up")
            return [each for each in state.open_incidents() if each.factor.kind is kind]

        eventually("every office is heard", 120, lambda: len(set(reader.latest().sites)) == LINKED)
        broken = [(site, "--loss", "0.5") for site in sorted(HIT)] + [("end:national", "--loss", "0.2")]
        for what in broken:
            done = deployment.tatpar("lab", "break", *what, config=False)
            assert done.returncode == 0, done.stderr
        wanted = (FactorKind.PROVIDER_REGION, FactorKind.END)
        eventually("both are named", 240, lambda: all(named(kind) for kind in wanted))
        (provider,), (end,) = map(named, wanted)
        assert (provider.factor.name, provider.factor.region, set(provider.sites)) == (
            "provider-a",
            "braj",
            HIT,
        )
        assert (provider.evidence.suffer, provider.evidence.members) == (3, 3)
        assert (end.factor.name, len(end.sites)) == ("national", LINKED - len(HIT))
        told = json.loads(deployment.tatpar("incidents", "--json").stdout)
        assert {each["id"] for each in told["incidents"]} == {provider.id, end.id}
