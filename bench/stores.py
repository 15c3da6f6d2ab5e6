"""The report stores side by side: what is shipped a second, and a site's week read as arrays.

Needs `victoria-metrics` and `influxd` on this machine (`sh deploy/setup.sh databases`); one that is missing is left out.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import urllib3

from bench import _store_data as data
from collector.broker.ports import free_port
from config.settings import Store
from telemetry.store.protocol import Selection
from telemetry.store.server import ServerStore
from telemetry.store.server.connect import connect
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from telemetry.store.protocol import ReportStore

SITES: Final = tuple(f"site-{n:02d}" for n in range(20))
WINDOWS: Final = 150
BATCH: Final = 500
DAYS: Final = 7
FEW: Final = ("sent", "lost", "rtt_p95_ms")
FOREVER_NS: Final = 40_000 * DAY_NS
PROGRAMS: Final = {"victoriametrics": "victoria-metrics", "influxdb1": "influxd"}


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Figures of each store; reads are the best of three, and must give the same number of rows everywhere."""
    figures: dict[str, object] = {"reports": len(SITES) * WINDOWS, "week_windows": 2 * DAYS * 5760}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sqlite = stack.enter_context(closing(SqliteStore(Path(folder) / "reports.db")))
        progress("sqlite")
        figures |= _appended("sqlite", sqlite)
        figures |= _week("sqlite", sqlite, sqlite)
        for kind in PROGRAMS:
            url = stack.enter_context(_server(kind, Path(folder) / kind))
            if url is None:
                progress(f"{kind}: {PROGRAMS[kind]} is not on this machine")
                continue
            progress(kind)
            figures |= _served(kind, url, Path(folder) / f"{kind}-data")
    return figures


def _served(kind: str, url: str, folder: Path) -> dict[str, object]:
    settings = Store(kind=kind, url=url, rollup_days=36_000)  # type: ignore[arg-type]
    with closing(connect(settings)) as database:
        database.create()
    store = ServerStore(settings, folder, connect(settings), ships=False, settles_s=0)
    with closing(store):
        out = _appended(kind, store)
        begin, points = time.perf_counter(), _points(store)
        _ship(store)
        took = time.perf_counter() - begin
        out[f"{kind}_shipped_reports_per_s"] = len(SITES) * WINDOWS / took
        out[f"{kind}_shipped_points_per_s"] = (_points(store) - points) / took
        return out | _week(kind, store, store)


def _points(store: ServerStore) -> int:
    number = store.shipping["points_written"]
    assert isinstance(number, int)
    return number


def _ship(store: ServerStore) -> None:
    while store.ship():
        pass
    assert not store.shipping["rejected_points"]


def _appended(kind: str, store: ReportStore) -> dict[str, object]:
    reports = data.reports(SITES, WINDOWS)
    batches = [reports[i : i + BATCH] for i in range(0, len(reports), BATCH)]
    begin = time.perf_counter()
    for batch in batches:
        store.append(batch)
    return {f"{kind}_append_reports_per_s": len(reports) / (time.perf_counter() - begin)}


def _week(kind: str, store: ReportStore, what: object) -> dict[str, object]:
    """A week of another site, raw and rolled up, on the server alone where there is one."""
    site = ("week",)
    windows, rollups = data.windows(site, DAYS), data.rollups(site, DAYS)
    store.import_rollups(rollups)
    store.import_streams(windows)
    out: dict[str, object] = {}
    if isinstance(what, ServerStore):
        begin, points = time.perf_counter(), _points(what)
        _ship(what)
        out[f"{kind}_imported_points_per_s"] = (_points(what) - points) / (time.perf_counter() - begin)
        what.drop_shipped(FOREVER_NS)
        time.sleep(2)  # a server shows what it took within a second or two
    span = Selection(data.T0, data.T0 + DAYS * DAY_NS, sites=site)
    reads: dict[str, tuple[Callable[[], Any], int]] = {
        "raw_all": (lambda: store.streams(span), len(windows)),
        "raw_values": (lambda: store.streams(span, histograms=False), len(windows)),
        "raw_three_columns": (lambda: store.streams(span, histograms=False, columns=FEW), len(windows)),
        "rollups_all": (lambda: store.rollups(span), len(rollups)),
        "rollups_values": (lambda: store.rollups(span, histograms=False), len(rollups)),
        "rollups_three_columns": (
            lambda: store.rollups(span, histograms=False, columns=FEW, window_values=()),
            len(rollups),
        ),
    }
    for name, (read, rows) in reads.items():
        out[f"{kind}_week_{name}_ms"] = 1e3 * _best(read, rows)
    return out


def _best(read: Callable[[], Any], rows: int) -> float:
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        assert len(read()) == rows
        times.append(time.perf_counter() - begin)
    return min(times)


@contextmanager
def _server(kind: str, folder: Path) -> Iterator[str | None]:
    """A server of our own on loopback; None when its program is missing."""
    program = shutil.which(PROGRAMS[kind])
    if program is None:
        yield None
        return
    folder.mkdir()
    ports = [free_port(), free_port()]
    process = subprocess.Popen(
        [program, *_arguments(kind, folder, ports)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{ports[0]}"
        _await(f"{url}/{'health' if kind == 'victoriametrics' else 'ping'}")
        yield url
    finally:
        process.kill()
        process.wait()


def _arguments(kind: str, folder: Path, ports: Sequence[int]) -> list[str]:
    if kind == "victoriametrics":
        return [
            f"-httpListenAddr=127.0.0.1:{ports[0]}",
            f"-storageDataPath={folder}",
            "-retentionPeriod=100y",
            "-dedup.minScrapeInterval=1ms",
            "-search.latencyOffset=0s",
            "-loggerLevel=ERROR",
        ]
    (folder / "conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{ports[1]}"\n[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{ports[0]}"\nlog-enabled = false\n'
    )
    return ["-config", str(folder / "conf")]


def _await(url: str) -> None:
    for _ in range(200):
        try:
            if urllib3.request("GET", url, retries=False, timeout=5).status < 300:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")
