"""Real database servers under trial: how they are started, and what is in them, asked in their own languages."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from bench._faults.processes import start_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench._faults.processes import Running

INFLUX1: Final = "influxdb1"
VICTORIA: Final = "victoriametrics"
READY_S: Final = 60.0
BUCKET: Final = "tatpar"


class Server:
    """One database server on a folder and a port of its own."""

    def __init__(self, kind: str, folder: Path, port: int, spare_port: int) -> None:
        self.kind = kind
        self.folder = folder
        self.port = port
        self._spare_port = spare_port

    async def start(self) -> Running:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it is not on this machine, or does not answer.
        """
        running = await start_program(self._command(), self.folder.parent / "database.log")
        end = time.monotonic() + READY_S
        while not await asyncio.to_thread(self._answers):
            if not running.alive or time.monotonic() > end:
                raise RuntimeError(f"{self.kind} does not answer; see database.log")
            await asyncio.sleep(0.05)
        return running

    def _answers(self) -> bool:
        try:
            self.ask("/ping" if self.kind == INFLUX1 else "/health")
        except OSError:
            return False
        return True

    def prepare(self) -> None:
        """Make the database that is written to, where that is needed."""
        if self.kind == INFLUX1:
            self.ask("/query", q=f'CREATE DATABASE "{BUCKET}"', post=True)

    def ask(self, path: str, *, post: bool = False, **query: str) -> bytes:
        """The answer to a request of our own, past gate and wire.

        Raises:
            OSError: none.
        """
        url = f"http://127.0.0.1:{self.port}{path}" + (f"?{urlencode(query)}" if query else "")
        request = urllib.request.Request(url, method="POST" if post else "GET")
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
        return body

    def marks(self, sites: Sequence[str]) -> dict[str, list[int]]:
        """The mark of every window in the database, by site.

        Raises:
            OSError: it does not answer.
        """
        return {site: self._influx(site) if self.kind == INFLUX1 else self._victoria(site) for site in sites}

    def _influx(self, site: str) -> list[int]:
        question = f'SELECT "straddled" FROM "tatpar_window" WHERE "site" = \'{site}\''
        said: dict[str, Any] = json.loads(self.ask("/query", q=question, db=BUCKET))
        series = [one for result in said["results"] for one in result.get("series", ())]
        return [int(row[1]) for one in series for row in one["values"]]

    def _victoria(self, site: str) -> list[int]:
        self.ask("/internal/force_flush")
        match = f'tatpar_window_straddled{{site="{site}"}}'
        lines = self.ask(f"/api/v1/export?{urlencode({'match[]': match})}").splitlines()
        found: dict[int, int] = {}
        for line in lines:
            series = json.loads(line)
            found.update(zip(series["timestamps"], map(int, series["values"]), strict=True))
        return list(found.values())

    def _command(self) -> list[str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.kind == VICTORIA:
            return [
                _program("victoria-metrics"),
                f"-httpListenAddr=127.0.0.1:{self.port}",
                f"-storageDataPath={self.folder / 'data'}",
                "-retentionPeriod=100y",
                "-dedup.minScrapeInterval=1ms",
                "-search.latencyOffset=0s",
                "-search.disableCache",
                "-memory.allowedBytes=100MB",
                "-loggerLevel=WARN",
            ]
        d = self.folder
        (d / "influxdb.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{self._spare_port}"\n'
            f'[meta]\ndir = "{d}/meta"\n[data]\ndir = "{d}/data"\nwal-dir = "{d}/wal"\nquery-log-enabled = false\n'
            "[monitor]\nstore-enabled = false\n"
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n',
            encoding="utf-8",
        )
        return [_program("influxd"), "-config", str(d / "influxdb.conf")]


def differences(there: dict[str, list[int]], stored: dict[str, list[int]]) -> list[str]:
    """What the database has otherwise than the journal."""
    found: list[str] = []
    for site, marks in stored.items():
        wanted, has = Counter(marks), Counter(there.get(site, ()))
        found += [f"{site}: window {mark} is not in the database" for mark in sorted(wanted - has)]
        found += [f"{site}: window {mark} is in the database too often" for mark in sorted(has - wanted)]
    return found


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/bin")
    if found is None:
        raise RuntimeError(f"{name} is not on this machine; deploy/setup.sh databases installs it")
    return found
