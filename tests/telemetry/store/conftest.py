"""Reports to store, made up but plausible, and the rows that a read must give for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from telemetry import histogram
from telemetry.messages import (
    Clock,
    ClockState,
    Direction,
    Envelope,
    Ping,
    RoundTrip,
    SelfReport,
    Stamps,
    StampSource,
    Stream,
)
from telemetry.store.columns import COUNT_COLUMNS, FLOAT_COLUMNS, HISTOGRAM_COLUMNS
from telemetry.store.protocol import Received, Selection
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS
from tests.telemetry.store.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from telemetry.store.tables import StreamTable

T0 = 20_000 * DAY_NS
EPOCH = "0123456789abcdef"
ARRIVES_NS = WINDOW_NS + 4 * SECOND_NS
MS = 1_000_000


@dataclass
class Fleet:
    """Makes reports; seeded, so that a failure can be had again."""

    seed: int = 7
    rng: np.random.Generator = field(init=False)

    t0 = T0
    epoch = EPOCH

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def round_trip(self, samples_ns: NDArray[np.float64]) -> RoundTrip:
        ms = np.sort(samples_ns) / MS
        p50, p95, p99 = (float(ms[max(int(np.ceil(p * len(ms))) - 1, 0)]) for p in (0.5, 0.95, 0.99))
        return RoundTrip(
            min_ms=float(ms[0]),
            mean_ms=float(ms.mean()),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            max_ms=float(ms[-1]),
            hist=histogram.sparse(samples_ns),
        )

    def direction(self, sent: int, lost: int) -> Direction:
        pdv = self.rng.lognormal(np.log(2 * MS), 0.7, sent - lost)
        ipdv = np.abs(np.diff(pdv))
        return Direction(
            sent=sent,
            received=sent - lost,
            lost=lost,
            duplicated=int(self.rng.integers(0, 3)),
            reordered=int(self.rng.integers(0, 3)),
            longest_loss_run=lost,
            worst_200ms_lost=min(lost, 2),
            worst_200ms_sent=2,
            bitrate_bps=float(self.rng.integers(9_000, 90_000)),
            jitter_ms=float(self.rng.random()),
            jitter_max_ms=1.5,
            ipdv_p50_ms=None if self.rng.random() < 0.1 else round(float(self.rng.random()), 6),
            pdv_p999_ms=3.25,
            ipdv_hist=histogram.sparse(ipdv),
            pdv_hist=histogram.sparse(pdv),
        )

    def stream(self, path: str = "main.state", *, sent: int = 60, lost: tuple[int, int] = (0, 0)) -> Stream:
        up, down = lost
        return Stream(
            path=path,
            stamps=Stamps(t1=StampSource.KERNEL, t2=StampSource.USER, t4=StampSource.HARDWARE),
            rate_pps=4.0,
            sent=sent,
            received=sent - up - down,
            lost=up + down,
            longest_loss_run=up + down,
            worst_200ms_lost=min(up + down, 2),
            worst_200ms_sent=2,
            up=self.direction(sent, up),
            down=self.direction(sent - up, down),
            rtt=self.round_trip(self.rng.lognormal(np.log(20 * MS), 0.3, sent - up - down)),
            stateful=True,
            straddled=int(self.rng.integers(0, 2)),
        )

    def envelope(
        self,
        site: str,
        seq: int,
        window: int | None = None,
        items: Sequence[Any] | None = None,
        *,
        probe: str = "p1",
        epoch: str = EPOCH,
    ) -> Envelope:
        """A report of window `T0 + window * 15 s` (by default the one numbered `seq`)."""
        start_ns = T0 + (seq if window is None else window) * WINDOW_NS
        if items is None:
            items = (
                self.stream("main.national", lost=(1, 0)),
                Ping(target="gateway", sent=15, received=15),
                self.stream("main.state"),
            )
        return Envelope(
            site=site,
            probe=probe,
            epoch=epoch,
            seq=seq,
            boot="boot-1",
            mono_ns=start_ns - T0,
            start_ns=start_ns,
            clock=Clock(state=ClockState.SYNCHRONISED, error_ms=0.4),
            self_report=SelfReport(late_sends=int(self.rng.integers(0, 4)), rx_drops=1),
            items=tuple(items),
        )

    def report(self, site: str, seq: int, window: int | None = None, **more: Any) -> Received:
        """The same as received, in time unless `late_ns` says otherwise."""
        late_ns = more.pop("late_ns", 0)
        emulated = more.pop("emulated", False)
        envelope = self.envelope(site, seq, window, **more)
        return Received(envelope, envelope.start_ns + ARRIVES_NS + late_ns, emulated=emulated)

    def hours(self, sites: Sequence[str], windows: Iterable[int]) -> list[Received]:
        """One report of every site for every window; seq is the window's number + 1."""
        return [self.report(site, window + 1, window) for window in windows for site in sites]


def truth(reports: Iterable[Received]) -> list[dict[str, Any]]:
    """The rows that reports make, each attribute taken by its name: no code shared with the store."""
    rows: list[dict[str, Any]] = []
    for report in reports:
        e = report.envelope
        for s in e.items:
            if not isinstance(s, Stream):
                continue
            row: dict[str, Any] = {
                "site": e.site,
                "probe": e.probe,
                "path": s.path,
                "start_ns": e.start_ns,
                "received_ns": report.received_ns,
                "stamps": s.stamps.t1 + 16 * s.stamps.t2 + 256 * s.stamps.t3 + 4096 * s.stamps.t4,
                "late_sends": e.self_report.late_sends,
                "rx_drops": e.self_report.rx_drops,
                "clock_state": int(e.clock.state),
                "clock_error_ms": e.clock.error_ms,
                "emulated": int(report.emulated),
            }
            for name in (*COUNT_COLUMNS, *FLOAT_COLUMNS, *HISTOGRAM_COLUMNS):
                if name in row:
                    continue
                head, _, tail = name.partition("_")
                if head in {"up", "down", "rtt"}:
                    part = getattr(s, head)
                    row[name] = None if part is None else getattr(part, tail)
                else:
                    row[name] = getattr(s, name)
            rows.append(row)
    return sorted(rows, key=lambda r: (r["site"], r["path"], r["start_ns"], r["received_ns"]))


def rows_of(table: StreamTable) -> list[dict[str, Any]]:
    """A table in the form of `truth`: names for codes, None for NaN, tuples for histograms."""
    rows: list[dict[str, Any]] = []
    for i in range(len(table)):
        row: dict[str, Any] = {}
        for name, column in table.columns.items():
            value = column[i].item()
            row[name] = None if isinstance(value, float) and np.isnan(value) else value
        row["site"] = table.sites[row["site"]]
        row["probe"] = table.probes[row["probe"]]
        row["path"] = table.paths[row["path"]]
        for name, part in table.histograms.items():
            a, b = int(part.offsets[i]), int(part.offsets[i + 1])
            pairs = zip(part.bins[a:b].tolist(), part.counts[a:b].tolist(), strict=True)
            row[name] = tuple(x for pair in pairs for x in pair)
        rows.append(row)
    return rows


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
def expected() -> Any:
    return truth


@pytest.fixture
def rows() -> Any:
    return rows_of


@pytest.fixture
def everything() -> Selection:
    return Selection(T0 - DAY_NS, T0 + 60 * DAY_NS)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Real database servers, each started when it is first asked for."""
    running = Servers()
    yield running
    running.close()
