"""Prometheus families made in a line: one value, or one value a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.observation.buckets import Buckets


def counter(name: str, text: str, value: float) -> CounterMetricFamily:
    """A count without labels; `name` without `_total`."""
    return CounterMetricFamily(name, text, value=value)


def counters(name: str, text: str, label: str, values: Mapping[str, float]) -> CounterMetricFamily:
    """A count by one label; no series for what is not in `values`."""
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def gauge(name: str, text: str, value: float | None) -> GaugeMetricFamily:
    """A value without labels; no series when it is not known."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric([], value)
    return family


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    """A value by one label; no series for what is not in `values`."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def histogram(name: str, text: str, buckets: Buckets) -> HistogramMetricFamily:
    """Durations in seconds."""
    return HistogramMetricFamily(name, text, buckets=buckets.cumulative(), sum_value=buckets.sum_s)
