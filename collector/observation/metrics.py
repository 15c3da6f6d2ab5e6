"""`/metrics`: everything in one registry of our own, read from the counters when somebody asks.

Counting costs the commit path nothing that it did not pay before: families are made at the time of the scrape
from the counters that go with the heartbeat too.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import InfoMetricFamily
from prometheus_client.registry import Collector

from collector.observation.families import gauge, gauges
from collector.observation.incident_metrics import of_incidents
from collector.observation.intake_metrics import of_counters, of_lags, of_queue
from collector.observation.outside_metrics import (
    of_broker,
    of_held_back,
    of_offices,
    of_outbox,
    of_roles,
    of_shipping,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prometheus_client import Metric

    from collector.observation.checks import Readiness
    from collector.observation.lags import Lags
    from collector.observation.parts import Parts
    from telemetry.decisions import Incident
    from telemetry.state.heartbeats import Beat

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Families(Collector):
    """All families of one collector."""

    def __init__(self, parts: Parts, lags: Lags, readiness: Readiness) -> None:
        self._parts = parts
        self._lags = lags
        self._readiness = readiness
        self.beats: Mapping[str, Beat] = {}
        """The heartbeats as last read; read before a scrape, since reading them waits for a file."""
        self.incidents: tuple[Sequence[Incident], int] | None = None
        """The open shared faults, and how many there ever were; likewise."""
        self.shipping: Mapping[str, object] = {}
        """How a server-side store ships, as last read; likewise."""

    def collect(self) -> Iterator[Metric]:
        """Every family as it is now."""
        parts = self._parts
        yield _build_info(parts)
        checks = self._readiness.look(parts.ground.clock.now_ns())
        yield gauge(
            "tatpar_collector_ready", "1 while every check of /readyz is well, else 0.", self._readiness.ready
        )
        yield gauges(
            "tatpar_collector_check",
            "1 while a check of /readyz is well, else 0.",
            "check",
            {check.name: float(check.ok) for check in checks},
        )
        yield from of_counters(parts.ground.counters)
        yield gauge(
            "tatpar_collector_plans_withheld_sites",
            "Sites that have more probes just now (two minutes) than are told a plan.",
            len(parts.withheld.now()),
        )
        yield from of_lags(self._lags)
        yield from of_queue(parts.inbox, parts.inbox.max_messages, parts.inbox.max_bytes)
        yield from of_broker(parts.bridge)
        leading = parts.ground.leading.now
        yield gauge(
            "tatpar_collector_leads", "1 while this one does what only one of several may, else 0.", leading
        )
        if leading:
            yield from of_offices(parts)
            if self.incidents is not None:
                yield from of_incidents(*self.incidents)
        yield from of_roles(self.beats)
        yield from of_outbox(self.beats)
        yield from of_held_back(self.beats)
        yield from of_shipping(self.shipping)


class Page(Collector):
    """The families of one moment, with those of the process: may be rendered in another thread, since nothing changes them."""

    def __init__(self, made: Sequence[Metric], process: CollectorRegistry) -> None:
        self._made = made
        self._process = process

    def collect(self) -> Iterator[Metric]:
        """The process first."""
        yield from self._process.collect()
        yield from self._made

    def text(self) -> bytes:
        """The text format, version 0.0.4."""
        return generate_latest(self)


class Metrics:
    """Makes pages."""

    def __init__(self, families: Families) -> None:
        self._families = families
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)

    def page(self) -> Page:
        """A page of this moment. Made on the event loop that changes the counters; rendered wherever there is time."""
        return Page(list(self._families.collect()), self._process)


def _build_info(parts: Parts) -> Metric:
    try:
        own = version("tatpar")
    except PackageNotFoundError:
        own = "unknown"
    return InfoMetricFamily(
        "tatpar_build",
        "What runs here; always 1.",
        value={
            "version": own,
            "python": platform.python_version(),
            "store": parts.ground.live.current.settings.store.kind,
            "broker": parts.broker,
        },
    )
