"""The leader's duty: takes up what was asked for, looks twice a second, and asks by itself where the plan says so."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING, Final

from collector.enrolment.issuing import current
from collector.rehearsing.conducting import CLOCK_NS, Answered, Facts, advance, missing_orders
from collector.rehearsing.stage_clock import StageClock
from collector.trouble import Trouble
from telemetry.control import Command
from telemetry.rehearsal_reasons import WhyNot
from telemetry.rehearsing import PLAN_KEYS, RehearsalState, new_request
from telemetry.signing import signed_command
from telemetry.state.commands import CommandRow
from telemetry.windows import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from collector.enrolment.keys import KeyRing
    from collector.ground import Ground
    from collector.rehearsing.conducting import Order
    from telemetry.rehearsing import RehearsalRecord

log = logging.getLogger(__name__)
LOOK_S: Final = 0.5
PLAN: Final = "plan"
LATE_NS: Final = 10 * MINUTE_NS
"""A planned rehearsal that could not be begun for so long is left out."""


class Rehearsals:
    """Carries out rehearsals while we lead."""

    def __init__(self, ground: Ground, keys: KeyRing | None = None) -> None:
        self._ground = ground
        self._keys = keys
        self._stage_clock = StageClock(ground.clock)
        self.trouble = Trouble("rehearsals cannot be looked after", "trying again", "rehearsals")

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                if self._ground.leading.now:
                    await self._ground.desk.run(self._look)
            except (sqlite3.Error, OSError, RuntimeError) as error:
                self._ground.counters.state_failures += 1
                self.trouble.failed(error)
            else:
                self.trouble.worked()
            await asyncio.sleep(LOOK_S)

    def _look(self) -> None:
        state = self._ground.state
        record = state.open_rehearsal()
        if record is None:
            self._plan()
            return
        facts = self._facts(record)
        for order in missing_orders(record, facts):
            if state.command(order.id) is None:
                self._give(order, record.request.who)
        move = advance(record, facts)
        self._stage_clock.moved(move.record)
        if move.record != record:
            state.put_rehearsal(move.record)
            self._say(record, move.record)
        for order in move.orders:
            self._give(order, record.request.who)

    def _plan(self) -> None:
        """Ask for the rehearsals that the settings plan, once for each occurrence."""
        config, now_ns = self._ground.live.current, self._ground.clock.now_ns()
        settings = config.settings.rehearsal
        if not settings.plan_min:
            return
        lead_ns = round(settings.plan_min * MINUTE_NS)
        for one in config.calendar.occurrences(now_ns, now_ns + lead_ns + SECOND_NS):
            due_ns = one.starts_ns - lead_ns
            wanted = not settings.plan_profiles or one.meeting.profile in settings.plan_profiles
            key = f"{PLAN_KEYS}{one.meeting.uid}/{one.recurrence_ns}/{one.starts_ns}"[:200]
            if wanted and due_ns <= now_ns < min(due_ns + LATE_NS, one.starts_ns):
                self._ground.state.ask_rehearsal(
                    new_request(
                        meeting=one.meeting.uid,
                        recurrence_ns=one.recurrence_ns,
                        who=PLAN,
                        now_ns=now_ns,
                        key=key,
                    )
                )

    def _facts(self, record: RehearsalRecord) -> Facts:
        online = {
            site: probe
            for (site, probe), seen in sorted(self._ground.state.presence().items(), reverse=True)
            if seen.online
        }
        now_ns, stage_now_ns = self._stage_clock.both_ns(record)
        return Facts(now_ns, self._ground.live.current, online, self._answered, stage_now_ns)

    def _answered(self, command_id: str) -> Answered | None:
        row = self._ground.state.command(command_id)
        if row is None or row.answered_ns is None:
            return None
        said = Answered(bool(row.ok), row.detail, row.answered_ns)
        off_ns = _clock_off_ns(row)
        if said.ok and off_ns is not None and off_ns > CLOCK_NS:
            return Answered(ok=False, detail=f"{WhyNot.CLOCK} {off_ns / SECOND_NS:.1f} s", at_ns=said.at_ns)
        return said

    def _give(self, order: Order, who: str) -> None:
        """Write a command down, signed if the probe is enrolled; a collector sends it."""
        state, now_ns = self._ground.state, self._ground.clock.now_ns()
        command = Command(
            verb=order.verb,
            arguments=order.arguments,
            id=order.id,
            issued_ns=now_ns,
            expires_ns=order.expires_ns,
        )
        credential = None if self._keys is None else current(state, order.site, order.probe, now_ns)
        if credential is not None and self._keys is not None:
            command = signed_command(self._keys.command_key(credential), order.site, order.probe, command)
        state.put_command(
            CommandRow(order.id, order.site, order.probe, who, now_ns, order.expires_ns, command)
        )

    @staticmethod
    def _say(before: RehearsalRecord, now: RehearsalRecord) -> None:
        about = {"rehearsal": now.request.id, "state": now.state.value}
        if len(now.starts_ns) > len(before.starts_ns):
            stage = len(now.starts_ns)
            offices = sum(one.stage == stage for one in now.offices)
            text = "rehearsal %s of %s: stage %d with %d offices"
            extra = {"event": "rehearsal.stage", **about}
            log.info(text, now.request.id, now.request.meeting, stage, offices, extra=extra)
        elif now.state is not before.state and now.state is not RehearsalState.RUNNING:
            extra = {"event": "rehearsal.over", **about}
            log.info("rehearsal %s: %s %s", now.request.id, now.state.value, now.why, extra=extra)


def _clock_off_ns(row: CommandRow) -> int | None:
    """How far the probe's clock lay outside of the time between order and answer; None when it did not say.

    Our own clock may have been set between the two, back even: then all that lies between them is as good as ours.
    """
    name, _, text = row.detail.partition("=")
    if name != "clock_ns" or not text.isdecimal() or row.answered_ns is None:
        return None
    clock_ns = int(text)
    first_ns, last_ns = sorted((row.sent_ns or row.issued_ns, row.answered_ns))
    return max(first_ns - clock_ns, clock_ns - last_ns, 0)
