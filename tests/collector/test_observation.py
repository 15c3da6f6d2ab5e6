"""A running collector as monitoring sees it: /metrics, /healthz, /readyz."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from collector.broker.ports import free_port
from collector.observation.server import CONVERSATIONS, HEAD_BYTES
from config.settings import Metrics
from tatpar.__main__ import main
from telemetry.decisions import Evidence, Factor, FactorKind, Incident
from telemetry.store.errors import StoreError
from telemetry.windows import LATE_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.parametrize("broker", ["embedded"], indirect=True)
FREE = Metrics(port=0)


@dataclass
class Seen:
    status: int
    head: str
    body: str

    def __getitem__(self, series: str) -> float:
        """The value of a series of /metrics, written as there."""
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.body, re.MULTILINE)
        assert found, f"no {series} in\n{self.body}"
        return float(found[1])


async def ask(address: str, path: str, request: str = "GET {} HTTP/1.1\r\nHost: hub\r\n\r\n") -> Seen:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.format(path).encode())
        text = (await asyncio.wait_for(reader.read(), 60)).decode()
    finally:
        writer.close()
    head, _, body = text.partition("\r\n\r\n")
    return Seen(int(head.split()[1]), head, body)


def where(collector: Any) -> str:
    address = collector.detail()["metrics_address"]
    assert isinstance(address, str)
    assert address
    return address


def checked_by_promtool(text: str) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_metrics_tell_what_was_done(hub: Any, eventually: Any, make_envelope: Any) -> None:
    """Live, backlog, again, refused, a hole: each is counted where it belongs, and promtool has nothing to say."""
    now_ns = window_start(time.time_ns() - LATE_NS) - WINDOW_NS
    async with hub.collecting(metrics=FREE) as collector, hub.office() as agra:
        for seq in (1, 2, 5):
            await agra.report(make_envelope(seq, start_ns=now_ns))
        await eventually(lambda: collector.counters.stored == 3)
        await agra.report(make_envelope(5, start_ns=now_ns))
        await agra.report(make_envelope(3), leaf="backlog")
        await agra.report(b"nonsense")
        await eventually(lambda: collector.counters.messages >= 6)
        await eventually(lambda: collector.detail()["holes_noticed"], within_s=120)  # told every 15 s
        page = await ask(where(collector), "/metrics")
    assert "text/plain; version=0.0.4" in page.head
    checked_by_promtool(page.body)
    assert page['tatpar_collector_reports_total{kind="live"}'] == 4
    assert page['tatpar_collector_reports_total{kind="backlog"}'] == 1
    assert page["tatpar_collector_reports_stored_total"] == 4
    assert page["tatpar_collector_reports_duplicate_total"] == 1
    assert page['tatpar_collector_refused_total{reason="malformed"}'] == 1
    assert page['tatpar_collector_refused_total{reason="clock"}'] == 0
    assert page["tatpar_report_lag_seconds_count"] == 3, "backlog and what comes again have no lag"
    assert page["tatpar_collector_intake_seconds_count"] == 3
    assert page['tatpar_report_lag_seconds_bucket{le="120"}'] == 3
    assert 0 < page["tatpar_report_lag_seconds_sum"] < 3 * 120
    commits = page["tatpar_collector_commits_total"]
    assert page["tatpar_collector_commit_duration_seconds_count"] == commits > 0
    assert page['tatpar_site_holes_noticed_total{site="agra"}'] >= 1
    assert page["tatpar_collector_queue_limit_messages"] == 10_000
    assert page["tatpar_broker_connected"] == page["tatpar_collector_ready"] == 1
    assert page["tatpar_sites_linked"] == 2
    assert page["process_resident_memory_bytes"] > 1e6


async def test_no_label_comes_from_a_message(hub: Any, eventually: Any, make_envelope: Any) -> None:
    """Whatever strangers send, the series stay the same: no name of theirs becomes a label."""
    async with hub.collecting(metrics=FREE) as collector, hub.office() as agra:
        before = await ask(where(collector), "/metrics")
        for n in range(50):
            await agra.report(make_envelope(1, site=f"stranger-{n}"), site=f"stranger-{n}")
        await eventually(lambda: collector.counters.messages >= 50)
        after = await ask(where(collector), "/metrics")
    names = [re.findall(r"^(\S+) \S+$", page.body, re.MULTILINE) for page in (before, after)]
    assert set(names[1]) - set(names[0]) <= {
        "tatpar_broker_echo_seconds",
        "tatpar_broker_dropped_messages_total",
    }
    assert "stranger" not in after.body
    assert after['tatpar_collector_refused_total{reason="unknown_site"}'] == 50


async def test_ready_follows_the_store(hub: Any, eventually: Any, make_envelope: Any) -> None:
    """503 with the reason while commits fail, 200 again after one went through; alive all the time."""
    async with hub.collecting(metrics=FREE) as collector, hub.office() as agra:
        at = where(collector)
        ready = await ask(at, "/readyz")
        assert (ready.status, json.loads(ready.body)["status"]) == (200, "ready")
        append, hub.store.append = hub.store.append, _full_disk
        await agra.report(make_envelope(1))
        await eventually(lambda: collector.counters.commit_failures)
        broken = await ask(at, "/readyz")
        said = json.loads(broken.body)
        assert broken.status == 503
        assert said["checks"]["store"] | {"since": ""} == {"ok": False, "problem": "disk full", "since": ""}
        assert said["checks"]["store"]["since"] >= said["checks"]["broker"]["since"]
        assert said["checks"]["broker"]["ok"]
        assert (await ask(at, "/healthz")).status == 200
        assert (await ask(at, "/metrics"))["tatpar_collector_ready"] == 0
        hub.store.append = append
        await eventually(lambda: collector.counters.stored == 1)
        assert (await ask(at, "/readyz")).status == 200


def _full_disk(_reports: object) -> None:
    raise StoreError("disk full")


async def test_a_second_collector_waits_visibly(hub: Any, eventually: Any) -> None:
    """Its port taken, it takes a free one; it is alive and says what it waits for."""
    async with hub.collecting(metrics=FREE) as first:
        taken = Metrics(port=int(where(first).rpartition(":")[2]))
        from collector.service import Collector

        second = Collector(hub.live, hub.store, hub.state, hub.broker, metrics=taken)
        task = asyncio.create_task(second.run(), name="second")
        await eventually(lambda: second.detail()["metrics_address"])
        at = where(second)
        assert at != where(first)
        assert (await ask(at, "/healthz")).status == 200
        waits = await ask(at, "/readyz")
        assert (waits.status, "another" in json.loads(waits.body)["checks"]["standing"]["problem"]) == (
            503,
            True,
        )
        role = "collector"
        await eventually(lambda: role in hub.state.beats())
        assert hub.state.beats()[role].detail["metrics_address"] == where(first)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(ConnectionError):
            await ask(at, "/healthz")


async def test_shared_faults_are_shown(hub: Any) -> None:
    """Open ones by what the offices have in common, 0 where none is; the offices that suffer, once each; and how many there ever were."""

    def incident(name: str, kind: FactorKind, *sites: str, until_ns: int | None = None) -> Incident:
        evidence = Evidence(suffer=len(sites), members=len(sites), others_suffer=0, others=5, log_odds=3.0)
        return Incident(
            id=name, factor=Factor(kind=kind, name=name), since_ns=1, told_ns=1, seen_ns=2, sites=sites,
            evidence=evidence, until_ns=until_ns,
        )  # fmt: skip

    async with hub.collecting(metrics=FREE) as collector:
        seen = await ask(where(collector), "/metrics")
        assert seen['tatpar_incidents_open{kind="provider"}'] == seen["tatpar_incidents_opened_total"] == 0
        hub.state.put_incidents([
            incident("provider-a", FactorKind.PROVIDER, "agra", "etah"),
            incident("state", FactorKind.END, "agra", "mau"),
            incident("national", FactorKind.END, "mau", until_ns=9),
        ])  # fmt: skip
        seen = await ask(where(collector), "/metrics")
        assert (
            seen['tatpar_incidents_open{kind="provider"}'] == seen['tatpar_incidents_open{kind="end"}'] == 1
        )
        assert seen['tatpar_incidents_open{kind="hub"}'] == 0
        assert seen["tatpar_incident_sites"] == 3
        assert seen["tatpar_incidents_opened_total"] == 3
        checked_by_promtool(seen.body)


STRANGE = {
    "POST {} HTTP/1.1\r\n\r\n": 405,
    "DELETE {} HTTP/1.1\r\n\r\n": 405,
    "GET {}/../x HTTP/1.1\r\n\r\n": 404,
    "GET http://hub{} HTTP/1.1\r\n\r\n": 400,
    "\x16\x03\x01\r\n\r\n": 400,
    "GET {} HTTP/1.1\r\nX: " + "x" * 2 * HEAD_BYTES + "\r\n\r\n": 431,
}


async def test_only_plain_reads_are_answered(hub: Any) -> None:
    """Anything but GET and HEAD of the three pages gets its status, and changes nothing."""
    async with hub.collecting(metrics=FREE) as collector:
        for request, status in STRANGE.items():
            for path in ("/metrics", "/readyz"):
                answer = await ask(where(collector), path, request)
                assert answer.status == status, request
                assert ("Allow: GET, HEAD" in answer.head) == (status == 405)
        head = await ask(where(collector), "/healthz", "HEAD {}?x=1 HTTP/1.0\r\n\r\n")
    assert (head.status, head.body) == (200, "")
    assert re.search(r"Content-Length: [1-9]", head.head)


async def test_slow_callers_hurt_nobody(hub: Any, eventually: Any, make_envelope: Any) -> None:
    """With three times more half-spoken requests than there is room for, pages are answered and reports stored."""
    async with hub.collecting(metrics=FREE) as collector, hub.office() as agra:
        host, _, port = where(collector).rpartition(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(3 * CONVERSATIONS)]
        for one in slow:
            one.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        await agra.report(make_envelope(1))
        await eventually(lambda: collector.counters.stored == 1)
        assert (await ask(where(collector), "/healthz")).status == 200
        for one in slow:
            one.close()


async def test_without_a_host_nothing_is_served(hub: Any) -> None:
    """An empty host switches the pages off; collecting goes on."""
    async with hub.collecting(metrics=replace(FREE, host="")) as collector:
        assert collector.detail()["metrics_address"] == ""
        assert collector.bridge.connected


async def test_an_address_that_is_not_ours_does_not_stop_collecting(hub: Any, caplog: Any) -> None:
    """A wrong host is told in one line; reports are collected all the same."""
    async with hub.collecting(metrics=replace(FREE, host="192.0.2.1")) as collector:
        assert collector.bridge.connected
    assert [r.event for r in caplog.records if "cannot be served" in r.message] == ["metrics.not-served"]


async def test_a_stalled_store_does_not_hide_the_collector(
    hub: Any, eventually: Any, make_envelope: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a commit hangs, pages are answered, with the figures of the store's shipping as last read."""
    shipping: dict[str, object] = {"journal_backlog_reports": 7, "server_available": True}
    monkeypatch.setattr(type(hub.store), "shipping", property(lambda _: shipping))
    hangs, let_go = threading.Event(), threading.Event()
    append = hub.store.append

    def hanging(reports: object) -> object:
        hangs.set()
        assert let_go.wait(60)
        return append(reports)

    async with hub.collecting(metrics=FREE) as collector, hub.office() as agra:
        try:
            before = await ask(where(collector), "/metrics")
            hub.store.append = hanging
            shipping = {"journal_backlog_reports": 8}
            await agra.report(make_envelope(1))
            await eventually(hangs.is_set)
            stalled = await ask(where(collector), "/metrics")
        finally:
            let_go.set()
        await eventually(lambda: collector.counters.stored == 1)
        after = await ask(where(collector), "/metrics")
    backlog = "tatpar_store_journal_backlog_reports"
    assert [page[backlog] for page in (before, stalled, after)] == [7, 7, 8]
    assert before["tatpar_store_server_available"] == 1
    assert stalled["tatpar_collector_queue_messages"] == 1


async def test_gaps_are_told_beside_a_running_collector(
    hub: Any, tmp_path: Path, config_file: Path, eventually: Any, make_envelope: Any
) -> None:
    """What was lost on the way is told while it is missing, and not any more when the spool has sent it."""

    def gaps() -> list[dict[str, Any]]:
        command = ["gaps", "--config", str(config_file), "--data", str(tmp_path), "--site", "agra"]
        done = CliRunner().invoke(main, [*command, "--since", "2d", "--json"])
        assert done.exit_code == 0, done.output
        return [gap for gap in json.loads(done.stdout)["gaps"] if gap["kind"] == "lost"]

    async with hub.collecting(metrics=FREE) as collector, hub.office() as agra:
        for seq in (1, 2, 5):
            await agra.report(make_envelope(seq))
        await eventually(lambda: collector.counters.stored == 3)
        (lost,) = await asyncio.to_thread(gaps)
        assert (lost["first_seq"], lost["last_seq"], lost["windows"]) == (3, 4, 2)
        for seq in (4, 3):
            await agra.report(make_envelope(seq), leaf="backlog")
        await eventually(lambda: collector.counters.stored == 5)
        assert await asyncio.to_thread(gaps) == []


@pytest.mark.server
async def test_a_real_prometheus_scrapes_it(
    hub: Any, tmp_path: Path, eventually: Callable[..., Awaitable[None]], make_envelope: Any
) -> None:
    """Prometheus takes every sample and finds the target up."""
    port = free_port()
    async with hub.collecting(metrics=FREE) as collector, hub.office() as agra:
        await agra.report(make_envelope(1, start_ns=window_start(time.time_ns()) - 2 * WINDOW_NS))
        await eventually(lambda: collector.counters.stored == 1)
        target = where(collector)
        (tmp_path / "prometheus.yml").write_text(
            "scrape_configs:\n- job_name: tatpar\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"
            f"  static_configs:\n  - targets: ['{target}']\n"
        )
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            *(f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"),
            stderr=subprocess.DEVNULL,
        )
        try:
            address, found = f"127.0.0.1:{port}", {}
            end = time.monotonic() + 60
            query = 'sum+by(__name__)({__name__=~"up|tatpar_collector_reports_stored_total|tatpar_report_lag_seconds_count"})'
            while len(found) < 3 and time.monotonic() < end:
                await asyncio.sleep(0.2)
                found = await _instant(address, query.replace("{", "{{").replace("}", "}}"))
        finally:
            process.terminate()
            await process.wait()
    assert found == {
        "up": "1",
        "tatpar_collector_reports_stored_total": "1",
        "tatpar_report_lag_seconds_count": "1",
    }


async def _instant(address: str, query: str) -> dict[str, str]:
    try:
        answer = await ask(
            address,
            "",
            f"GET /api/v1/query?query={query} HTTP/1.0\r\nHost: p\r\nAccept-Encoding: identity\r\n\r\n",
        )
    except OSError:
        return {}
    if answer.status != 200:
        return {}
    result = json.loads(answer.body)["data"]["result"]
    return {one["metric"]["__name__"]: one["value"][1] for one in result}
