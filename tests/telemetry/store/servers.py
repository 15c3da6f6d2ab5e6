"""Real database servers for tests: started once when first asked for, killed at the end; every test has its own corner."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import urllib3

from collector.broker.ports import free_port
from config.settings import Store
from telemetry.store.server import ServerStore
from telemetry.store.server.connect import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.store.server.database import Database

START_S = 60.0
RETENTION = {"raw_days": 30, "rollup_days": 50}


class Server:
    """A server process that can be killed and started again on its own data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._started = False

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def ready_path(self) -> str:
        raise NotImplementedError

    def start(self) -> None:
        """Start it, at the first time on another port when somebody else was quicker to take this one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(1 if self._started else 4):
            if self._starts():
                self._started = True
                return
            self.port = free_port()
            self.url = f"http://127.0.0.1:{self.port}"
        pytest.fail((self.folder / "log").read_text(errors="replace")[-2000:], pytrace=False)

    def _starts(self) -> bool:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            try:
                if self.get(self.ready_path()).status < 300 and self._process.poll() is None:
                    return True
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)
        return False

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        return urllib3.request("GET", self.url + path, retries=False, timeout=60)

    def kill(self) -> None:
        """At once, as a power cut does to the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Victoria(Server):
    flags: tuple[str, ...] = ("-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y")

    def command(self) -> Sequence[str]:
        return [
            _program("victoria-metrics"),
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self.folder / 'data'}",
            "-search.latencyOffset=0s",
            "-search.disableCache",
            "-memory.allowedBytes=200MB",
            "-loggerLevel=WARN",
            *self.flags,
        ]

    def ready_path(self) -> str:
        return "/health"

    def flush(self) -> None:
        """What was written can be read."""
        assert self.get("/internal/force_flush").status == 200


class Influx1(Server):
    def command(self) -> Sequence[str]:
        d = self.folder
        (d / "influxdb.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
            f'[meta]\ndir = "{d}/meta"\n[data]\ndir = "{d}/data"\nwal-dir = "{d}/wal"\nquery-log-enabled = false\n'
            "[monitor]\nstore-enabled = false\n"
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n'
        )
        return [_program("influxd"), "-config", str(d / "influxdb.conf")]

    def ready_path(self) -> str:
        return "/ping"

    def make(self, database: str) -> None:
        """A database that keeps for ever."""
        asked = urlencode({"q": f'CREATE DATABASE "{database}"'})
        answer = urllib3.request("POST", f"{self.url}/query?{asked}")
        assert answer.status == 200, answer.data


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/bin")
    if found is None:
        pytest.fail(f"{name} is not on this machine; run: sh deploy/setup.sh databases", pytrace=False)
    return found


class Servers:
    """One server of each kind for the whole session."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tatpar-servers-"))
        self._running: dict[str, Server] = {}

    def of(self, kind: str) -> Server:
        if kind not in self._running:
            server = (
                Victoria(self._folder / kind) if kind == "victoriametrics" else Influx1(self._folder / kind)
            )
            server.start()
            self._running[kind] = server
        return self._running[kind]

    def settings(self, kind: str, **more: object) -> Store:
        """A corner of its own on the shared server: a database, or names with a prefix of their own."""
        server = self.of(kind)
        corner = "t" + uuid.uuid4().hex[:10]
        if isinstance(server, Influx1):
            server.make(corner)
        given = {"kind": kind, "url": server.url, "bucket": corner, "prefix": corner, **RETENTION}
        return Store(**(given | more))  # type: ignore[arg-type]

    def flush(self) -> None:
        for server in self._running.values():
            if isinstance(server, Victoria):
                server.flush()

    def close(self) -> None:
        for server in self._running.values():
            server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def ship_all(store: ServerStore, servers: Servers) -> None:
    """Everything that waits is on the server and can be read."""
    while store.ship():
        pass
    servers.flush()


def by_hand(settings: Store, folder: Path, database: Database | None = None) -> ServerStore:
    """A store that ships when it is told to, and takes the server's word at once."""
    return ServerStore(settings, folder, database or connect(settings), ships=False, settles_s=0)
