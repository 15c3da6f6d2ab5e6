"""The loop of the alerts: look at the verdicts, decide who is to be told, send."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from alerts.delivery.outbox import Delivery
from alerts.hold import Hold
from alerts.message import compose
from config.sites import SiteStatus
from telemetry.clock import SystemClock
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from config.config import Config
    from config.live import LiveConfig
    from telemetry.clock import WallClock
    from telemetry.decisions import Verdict
    from telemetry.state.db import StateDb

PERIOD_S: Final = 2.0
ROLE: Final = "alerts"
"""Its name among the heartbeats."""
_log = logging.getLogger(__name__)


class Alerts:
    """Tells an office's in-charge, once, that the office is not ready for a meeting that starts soon."""

    def __init__(
        self,
        live: LiveConfig,
        state: StateDb,
        clock: WallClock | None = None,
        *,
        delivery: Delivery | None = None,
        hold: Hold | None = None,
    ) -> None:
        self._live = live
        self._state = state
        self._clock = clock or SystemClock()
        self._delivery = delivery or Delivery(state)
        self._hold = hold or Hold()
        self._mute_said = False

    async def run(self) -> None:
        """Decide and send until cancelled; the work is done in a thread, and what is under way is ended first."""
        while True:
            step = asyncio.create_task(
                asyncio.to_thread(self.step, self._clock.now_ns()), name="alerts: step"
            )
            try:
                await asyncio.shield(step)
            except asyncio.CancelledError:
                await asyncio.wait(
                    {step}
                )  # a mail that was taken must be marked as sent, or it goes out twice
                await asyncio.to_thread(self._delivery.close)
                raise
            await asyncio.sleep(PERIOD_S)

    def step(self, now_ns: int) -> int:
        """One look: put new messages into the outbox, send what is due; the number sent."""
        self._live.refresh()
        config = self._live.current
        settings = config.settings.alerts
        until_ns = now_ns + int(settings.warning_min * 60 * SECOND_NS)
        soon = [v for v in self._state.verdicts(now_ns, until_ns) if v.ends_ns > now_ns]
        for verdict in self._hold.lasting(soon, now_ns):
            self._tell(config, verdict, now_ns)
        if not settings.smtp_host:
            self._say_mute()
        sent = self._delivery.step(config, now_ns)
        self._state.beat(
            ROLE, now_ns, {"sent": sent, "mute": not settings.smtp_host, **self._delivery.told(now_ns)}
        )
        return sent

    def _tell(self, config: Config, verdict: Verdict, now_ns: int) -> None:
        site = config.registry.by_id.get(verdict.site)
        if site is None or site.status is not SiteStatus.LINKED or not site.contact_email:
            return
        found = config.calendar.find(verdict.meeting, verdict.occurrence_ns, verdict.starts_ns)
        if found is None or verdict.site not in found.meeting.invited:
            return
        message = compose(verdict, found.meeting, site, config.settings.deployment)
        key = f"{verdict.site}/{verdict.meeting}/{verdict.occurrence_ns}/{verdict.state.value}"
        if self._state.enqueue(key, "mail", site.contact_email, message.subject, message.body, now_ns):
            extra = {"event": "alert.raised", "site": verdict.site, "meeting": verdict.meeting}
            _log.info("%s is to be told: %s", verdict.site, message.subject, extra=extra)

    def _say_mute(self) -> None:
        if not self._mute_said:
            _log.info(
                "alerts.smtp_host is empty: messages wait in the outbox (tatpar alerts list), none is sent",
                extra={"event": "alerts.mute"},
            )
            self._mute_said = True
