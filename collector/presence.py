"""What is written down of the probes beside their reports: presence, silence, and messages that were refused."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING, Final

import numpy as np

from collector.quarantine import newest, rows
from collector.silence import SilenceWatch
from collector.trouble import Trouble
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collector.commits import Batch
    from collector.ground import Ground

log = logging.getLogger(__name__)
_LOOK_S: Final = 1.0


class Attendance:
    """Who is there, who is not, who was turned away."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.silence = SilenceWatch(ground.clock.now_ns())
        self.trouble = Trouble(
            "presence and refusals cannot be written down", "they are counted only", "attendance"
        )

    async def recall(self) -> None:
        """Take from the store when each site was last heard, so that a restart does not hide a silence."""
        heard = await self._ground.writer.run(self._last_heard)
        self.silence = SilenceWatch(self._ground.clock.now_ns(), heard)

    def _last_heard(self) -> dict[str, int]:
        table = self._ground.store.latest()
        heard: dict[str, int] = {}
        received = np.asarray(table.columns["received_ns"], dtype=np.int64).tolist()
        for index, at_ns in zip(np.asarray(table.columns["site"]).tolist(), received, strict=True):
            site = table.sites[index]
            heard[site] = max(at_ns, heard.get(site, 0))
        return heard

    async def record(self, batch: Batch) -> None:
        """Write down what a batch held beside reports."""
        for (site, _), report in batch.newest.items():
            if not report.backlog:
                self.silence.heard(site, report.received_ns)
        if not batch.said and not batch.refused:
            return
        try:
            await self._ground.desk.run(self._write, batch)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self._ground.counters.state_failures += 1
            self.trouble.failed(error)
        else:
            self.trouble.worked()

    def _write(self, batch: Batch) -> None:
        for said in batch.said:
            if said.presence is not None:
                self._ground.state.set_presence(said.site, said.probe, said.presence, said.at_ns)
        if batch.refused:
            settings = self._ground.live.current.settings.collector
            max_rows, max_bytes = settings.quarantine_messages, settings.quarantine_bytes
            kept = rows(newest(batch.refused, max_rows, max_bytes))
            self._ground.state.quarantine(kept, max_rows=max_rows, max_bytes=max_bytes)

    async def watch(self) -> None:
        """Notice who falls silent, until cancelled."""
        while True:
            config = self._ground.live.current
            changed = self.silence.look(
                (site.id for site in config.registry.linked()),
                self._ground.clock.now_ns(),
                round(config.settings.watch.dark_after_s * SECOND_NS),
            )
            if changed.fell_silent:
                fell = [silent.site for silent in changed.fell_silent]
                log.warning("silent: %s", ", ".join(fell), extra={"event": "sites.silent", "sites": fell})
            if changed.spoke:
                extra = {"event": "sites.speak-again", "sites": list(changed.spoke)}
                log.info("speaks again: %s", ", ".join(changed.spoke), extra=extra)
            await asyncio.sleep(_LOOK_S)
