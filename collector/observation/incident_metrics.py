"""Families about faults that several offices share, as the watch found them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.observation.families import counter, gauge, gauges
from telemetry.decisions import FactorKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client import Metric

    from telemetry.decisions import Incident


def of_incidents(open_ones: Sequence[Incident], ever: int) -> Iterator[Metric]:
    """Faults that several offices share, as the watch found them; every kind has its series, so that none open reads 0."""
    kinds = [each.factor.kind for each in open_ones]
    yield gauges(
        "tatpar_incidents_open",
        "Faults that several offices share and that last, by what they have in common.",
        "kind",
        {kind.value: float(kinds.count(kind)) for kind in FactorKind},
    )
    yield gauge(
        "tatpar_incident_sites",
        "Offices that suffer from a fault which they share.",
        float(len({site for each in open_ones for site in each.sites})),
    )
    yield counter("tatpar_incidents_opened", "Shared faults that were ever found.", ever)
