"""The duty of being seen: serves the pages, watches readiness, and never stands in the way of collecting."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from collector.observation.checks import Readiness
from collector.observation.lags import Lags
from collector.observation.metrics import CONTENT_TYPE, Families, Metrics
from collector.observation.server import Answer, Server
from telemetry.state.errors import StateError
from telemetry.store.errors import StoreError
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from collector.batch import Batch
    from collector.observation.checks import Check
    from collector.observation.parts import Parts
    from config.settings import Metrics as Settings
    from telemetry.decisions import Incident
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import ReportStore

log = logging.getLogger(__name__)
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_LOOK_S: Final = 1.0
_WAIT_S: Final = 0.5
"""A scrape waits so long for the state database and for the writer; then it has the figures of the one before."""


class Observation:
    """What one collector shows of itself."""

    def __init__(self, parts: Parts, settings: Settings, checks: Mapping[str, Callable[[], str]]) -> None:
        self._parts = parts
        self._settings = settings
        self._readiness = Readiness(checks, parts.ground.clock.now_ns())
        self._lags = Lags()
        self._families = Families(parts, self._lags, self._readiness)
        self._metrics = Metrics(self._families)
        self._began_s = parts.ground.clock.monotonic_ns() / SECOND_NS
        self.address = ""
        """Where the pages are, as `127.0.0.1:8421`; empty while they are not served."""

    def note(self, batch: Batch) -> None:
        """A batch is committed."""
        self._lags.note(batch, self._parts.ground.clock.now_ns())

    async def run(self) -> None:
        """Notice when readiness changes, until cancelled."""
        while True:
            self._readiness.look(self._parts.ground.clock.now_ns())
            await asyncio.sleep(_LOOK_S)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the pages while the block runs; when they cannot be served, collecting goes on without."""
        server = Server({"/metrics": self._metrics_page, "/healthz": self._health, "/readyz": self._ready})
        try:
            if self._settings.host:
                await self._listen(server)
            yield
        finally:
            self.address = ""
            await server.close()

    async def _listen(self, server: Server) -> None:
        host, port = self._settings.host, self._settings.port
        try:
            bound = await self._bind(server, host, port)
        except (OSError, ValueError) as error:  # ValueError: a name that no host can have
            log.error(  # noqa: TRY400 - one line says it
                "/metrics cannot be served on %s:%d: %s; collecting goes on without",
                *(host, port, getattr(error, "strerror", None) or error),
                extra={"event": "metrics.not-served"},
            )
            return
        self.address = f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"
        log.info(
            "/metrics, /healthz and /readyz are at http://%s/",
            self.address,
            extra={"event": "metrics.served", "address": self.address},
        )
        if host not in LOOPBACK:
            log.warning(
                "/metrics is open to whoever reaches %s, names of sites included: it has no sign-in",
                self.address,
                extra={"event": "metrics.open"},
            )

    @staticmethod
    async def _bind(server: Server, host: str, port: int) -> tuple[str, int]:
        """The address that was bound: any free port when the wanted one is taken, as by another collector here."""
        try:
            return await server.start(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == 0:
                raise
        log.warning(
            "port %d for /metrics is taken, a free one is used", port, extra={"event": "metrics.port-taken"}
        )
        return await server.start(host, 0)

    # ------------------------------------------------------------------ pages

    async def _metrics_page(self) -> Answer:
        await asyncio.gather(self._read_beats(), self._read_shipping())
        text = await asyncio.to_thread(self._metrics.page().text)  # long for a large fleet: not on the loop
        return Answer(HTTPStatus.OK, text, CONTENT_TYPE)

    async def _read_beats(self) -> None:
        """Take heartbeats and incidents, or keep the last ones when the state database does not answer at once."""
        ground = self._parts.ground
        try:
            async with asyncio.timeout(_WAIT_S):
                self._families.beats = await ground.desk.run(ground.state.beats)
                self._families.incidents = await ground.desk.run(_incidents_of, ground.state)
        except (TimeoutError, StateError, OSError, RuntimeError) as error:
            log.debug("heartbeats are not read: %r", error)

    async def _read_shipping(self) -> None:
        """Take how the store ships, or keep the last figures while the writer is busy."""
        ground = self._parts.ground
        try:
            async with asyncio.timeout(_WAIT_S):
                self._families.shipping = await ground.writer.run(_shipping_of, ground.store)
        except (TimeoutError, StoreError, OSError, RuntimeError) as error:
            log.debug("the store's shipping is not read: %r", error)

    async def _health(self) -> Answer:
        """Answering at all is the proof: this page is made by the loop that collects."""
        up_s = self._parts.ground.clock.monotonic_ns() / SECOND_NS - self._began_s
        return _json(HTTPStatus.OK, {"status": "alive", "up_s": round(up_s, 1)})

    async def _ready(self) -> Answer:
        checks = self._readiness.look(self._parts.ground.clock.now_ns())
        ready = self._readiness.ready
        body = {
            "status": "ready" if ready else "not ready",
            "since": _time(self._readiness.since_ns),
            "checks": {check.name: _shown(check) for check in checks},
        }
        return _json(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, body)


def _incidents_of(state: StateDb) -> tuple[list[Incident], int]:
    return state.open_incidents(), state.incidents_ever()


def _shipping_of(store: ReportStore) -> Mapping[str, object]:
    found: Mapping[str, object] = getattr(store, "shipping", {})
    return found


def _shown(check: Check) -> dict[str, object]:
    return {
        "ok": check.ok,
        "since": _time(check.since_ns),
        **({} if check.ok else {"problem": check.problem}),
    }


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(status: HTTPStatus, body: object) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False).encode() + b"\n", "application/json")
