"""Self-observation: what it costs a commit, beside the bare counters and beside a library's histogram, and a scrape.

Counted in microseconds a report, for batches as an intake of 10,000 reports a second makes them.
"""

from __future__ import annotations

import time
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Histogram

from collector.batch import Batch, Fresh
from collector.counters import Counters
from collector.holes import HoleCounts
from collector.inbox import Inbox
from collector.mqtt import BridgeCounters
from collector.observation.buckets import LAG_S
from collector.observation.checks import Readiness
from collector.observation.lags import Lags
from collector.observation.metrics import Families, Metrics
from collector.silence import SilenceWatch
from telemetry.clock import SystemClock
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable

REPORTS: Final = 1000
ROUNDS: Final = 200
SITES: Final = 5000


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Medians over many commits, each way in turn."""
    progress(f"{ROUNDS} commits of {REPORTS} reports, three ways")
    now_ns = time.time_ns()
    counters, lags = Counters(), Lags()
    library = Histogram("lag_seconds", "", buckets=LAG_S, registry=CollectorRegistry())
    ways: dict[str, Callable[[Batch], None]] = {
        "bare": counters.absorb,
        "observed": lambda batch: lags.note(batch, now_ns),
        "library": lambda batch: _observe_each(library, batch, now_ns),
    }
    took: dict[str, list[float]] = {name: [] for name in ("collecting", *ways)}
    for _ in range(ROUNDS):
        began = time.perf_counter()
        batch = _batch(now_ns)
        took["collecting"].append(time.perf_counter() - began)
        for name, way in ways.items():
            began = time.perf_counter()
            way(batch)
            took[name].append(time.perf_counter() - began)
    per_report = {name: 1e6 * median(times) / REPORTS for name, times in took.items()}
    progress(f"scrapes with {SITES} silent sites that have holes")
    (small_loop, small), (large_loop, large) = _scrape_ms(56), _scrape_ms(SITES)
    return {
        "bare_counters_us_per_report": per_report["bare"],
        "remembering_us_per_report": per_report["collecting"],
        "histograms_us_per_report": per_report["observed"],
        "library_histogram_us_per_report": per_report["library"],
        "library_to_ours_ratio": per_report["library"] / (per_report["observed"] + per_report["collecting"]),
        "core_share_at_10000_per_s_ratio": 1e-2 * (per_report["observed"] + per_report["collecting"]),
        "scrape_56_sites_on_the_loop_ms": small_loop,
        "scrape_56_sites_rendering_ms": small,
        f"scrape_{SITES}_sites_on_the_loop_ms": large_loop,
        f"scrape_{SITES}_sites_rendering_ms": large,
    }


def _observe_each(library: Histogram, batch: Batch, now_ns: int) -> None:
    for one in batch.fresh:
        library.observe((now_ns - one.start_ns) / 1e9)


def _batch(now_ns: int) -> Batch:
    batch = Batch(messages=REPORTS, live=REPORTS, stored=REPORTS, took_s=0.05)
    for n in range(REPORTS):
        batch.fresh.append(Fresh(now_ns - WINDOW_NS - (3 + n % 7) * SECOND_NS, now_ns - n, n))
    return batch


def _scrape_ms(sites: int) -> tuple[float, float]:
    """Medians of making (on the event loop) and rendering (in a thread) a page, every site silent and with holes."""
    clock = SystemClock()
    names = [f"site-{n}" for n in range(sites)]
    silence = SilenceWatch(0, dict.fromkeys(names, 1))
    silence.look(names, clock.now_ns(), 1)
    holes = SimpleNamespace(
        open=sites,
        by_site=lambda: dict.fromkeys(names, 1),
        counts_by_site={name: HoleCounts(1, 0) for name in names},
    )
    settings = SimpleNamespace(store=SimpleNamespace(kind="sqlite"))
    config = SimpleNamespace(settings=settings, registry=SimpleNamespace(linked=lambda: iter(names)))
    parts = SimpleNamespace(
        ground=SimpleNamespace(
            leading=SimpleNamespace(now=True),
            clock=clock,
            counters=Counters(),
            store=None,
            live=SimpleNamespace(current=config),
        ),
        inbox=Inbox(10, 10),
        bridge=SimpleNamespace(counters=BridgeCounters(), paused=False),
        confirmer=SimpleNamespace(holes=holes, pending=0),
        attendance=SimpleNamespace(silence=silence),
        broker="bench",
    )
    page = Metrics(Families(parts, Lags(), Readiness({}, 0)))  # type: ignore[arg-type]
    making, rendering = [], []
    for _ in range(15):
        began = time.perf_counter()
        made = page.page()
        between = time.perf_counter()
        made.text()
        making.append(between - began)
        rendering.append(time.perf_counter() - between)
    return 1e3 * median(making), 1e3 * median(rendering)
