"""What is written down of the probes beside their reports: presence, silence, and messages that were refused."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from collector.commits import NOT_NOW
from collector.outcome import RefusalCode
from collector.quarantine import newest, rows
from collector.silence import SilenceWatch
from collector.trouble import Trouble
from telemetry.clock import StepWatch
from telemetry.topics import Leaf
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collector.batch import Batch
    from collector.ground import Ground
    from collector.outcome import Refused, Said

log = logging.getLogger(__name__)
_LOOK_S: Final = 1.0
REREAD_S: Final = 5.0
"""Of several, each receives a part of a site's reports: before a site counts as silent the store is asked, so often at most."""
REMEMBERED: Final = 20_000
"""Probes whose last word is remembered by one that does not lead."""
_DIVIDED: Final = (Leaf.REPORT, Leaf.BACKLOG)


class Attendance:
    """Who is there, who is not, who was turned away."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._term: int | None = None
        self._said: OrderedDict[tuple[str, str], Said] = OrderedDict()
        self._asked_s = 0.0
        self._twins: set[tuple[str, str]] = set()
        self.silence = SilenceWatch(ground.clock.now_ns())
        self._steps = StepWatch(ground.clock)
        self.trouble = Trouble(
            "presence and refusals cannot be written down", "they are counted only", "attendance"
        )
        self.hearing = Trouble(
            "what the others received cannot be read", "who is silent is not known; trying again", "silence"
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

    def ours(self, batch: Batch) -> Batch:
        """What of a batch is for us to count and write down.

        Of several collectors each receives all presence and answers; the leader sees to them, the others remember
        the last word of each probe, for the case that they must lead.
        """
        if not self._ground.leading.shared:
            return batch
        for said in batch.said:
            self._said[said.site, said.probe] = said
            self._said.move_to_end((said.site, said.probe))
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        if self._ground.leading.now:
            return batch
        refused = [one for one in batch.refused if one.message.topic.rpartition("/")[2] in _DIVIDED]
        return replace(batch, said=[], answers=[], refused=refused)

    async def record(self, batch: Batch) -> None:
        """Write down what a batch held beside reports."""
        for (site, _), report in batch.newest.items():
            if not report.backlog:
                self.silence.heard(site, report.received_ns)
        if batch.said or batch.refused:
            self._tell_twins(batch.refused)
            await self._put(batch.said, batch.refused)

    def _tell_twins(self, refused: list[Refused]) -> None:
        """Say once of each probe that its numbers are given twice."""
        for one in refused:
            if one.code is RefusalCode.NUMBER_TWICE and one.envelope is not None:
                probe = (one.envelope.site, one.envelope.probe)
                if probe not in self._twins and len(self._twins) < REMEMBERED:
                    self._twins.add(probe)
                    where = {"site": probe[0], "probe": probe[1], "reason": one.detail}
                    extra = {"event": "report.number-twice", **where}
                    log.warning("%s/%s: %s; see its quarantined reports", *probe, one.detail, extra=extra)

    async def _put(self, said: list[Said], refused: list[Refused]) -> None:
        try:
            await self._ground.desk.run(self._write, said, refused)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            self._ground.counters.state_failures += 1
            self.trouble.failed(error)
        else:
            self.trouble.worked()

    def _write(self, said: list[Said], refused: list[Refused]) -> None:
        for one in said:
            if one.presence is not None:
                self._ground.state.set_presence(one.site, one.probe, one.presence, one.at_ns)
        if refused:
            settings = self._ground.live.current.settings.collector
            max_rows, max_bytes = settings.quarantine_messages, settings.quarantine_bytes
            kept = rows(newest(refused, max_rows, max_bytes))
            self._ground.state.quarantine(kept, max_rows=max_rows, max_bytes=max_bytes)

    async def watch(self) -> None:
        """Notice who falls silent, until cancelled, while we lead."""
        while True:
            if by_ns := self._steps.set_by_ns():
                self.silence.clock_set(by_ns)
            if self._ground.leading.term != self._term:
                self._term = self._ground.leading.term
                if self._term is not None and self._said:
                    await self._put(list(self._said.values()), [])
            if self._term is None:
                self.silence.forget()
            elif not self._ground.leading.shared or await self._others_heard():
                self._look()
            await asyncio.sleep(_LOOK_S)

    def _look(self) -> None:
        changed = self.silence.look(*self._expected())
        if changed.fell_silent:
            fell = [silent.site for silent in changed.fell_silent]
            log.warning("silent: %s", ", ".join(fell), extra={"event": "sites.silent", "sites": fell})
        if changed.spoke:
            extra = {"event": "sites.speak-again", "sites": list(changed.spoke)}
            log.info("speaks again: %s", ", ".join(changed.spoke), extra=extra)

    def _expected(self) -> tuple[list[str], int, int]:
        """Who should speak, the time, and for how long (ns) one must have been silent."""
        config = self._ground.live.current
        sites = [site.id for site in config.registry.linked()]
        return sites, self._ground.clock.now_ns(), round(config.settings.watch.dark_after_s * SECOND_NS)

    async def _others_heard(self) -> bool:
        """Whether all that was received is known, also by others, of every site that would count as silent."""
        if not self.silence.overdue(*self._expected()):
            return True
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_s < REREAD_S:
            return False
        self._asked_s = now_s
        try:
            heard = await self._ground.writer.run(self._last_heard)
        except NOT_NOW as error:
            self.hearing.failed(error)
            return False
        self.hearing.worked()
        for site, at_ns in heard.items():
            self.silence.heard(site, at_ns)
        return True
