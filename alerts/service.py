"""The loop of the alerts: look at what the analysis says, decide who is told, send.

A step puts the alerts and the messages that follow from them into the state database in one transaction, and only then sends.
What crashes before it is decided again from the same facts; what crashes after it is in the outbox.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from alerts import links
from alerts.clock import shifted
from alerts.conditions import Meetings, conditions, reach_ns
from alerts.delivery.outbox import Delivery
from alerts.hearing import Hearing
from alerts.held_back import HeldBackAllClears
from alerts.ladder import Ladder
from alerts.machine import Machine
from alerts.posts import PostOffice
from alerts.quiet import MINUTE_NS
from alerts.sight import Sight, look
from alerts.silenced import Silenced
from alerts.telling import Teller
from alerts.words import render
from config.sites import SiteStatus
from telemetry.alerting import AlertState
from telemetry.bell import Bell
from telemetry.clock import SystemClock
from telemetry.state.errors import StateError
from telemetry.state.holder import new_holder
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from alerts.machine import Decision
    from alerts.posts import Render
    from config.config import Config
    from config.live import LiveConfig
    from telemetry.alerting import Alert
    from telemetry.clock import WallClock
    from telemetry.state.db import StateDb

    class Sender(Protocol):
        """Empties the outbox."""

        def step(self, config: Config, now_ns: int) -> int:
            """Try what is due; the number sent."""
            ...


PERIOD_S: Final = 1.0
"""A step so often, whatever happens."""
GAP_S: Final = 0.1
"""At least so long between two, and as long as the last one took."""
POLL_S: Final = 0.25
"""Where nobody rings, the state database's revision is read so often; that costs microseconds (`python -m bench alert`)."""
ROLE: Final = "alerts"
"""Its name among the heartbeats and the leases."""
LEASE_NS: Final = 30 * SECOND_NS
BEAT_NS: Final = 5 * SECOND_NS
FILES_NS: Final = 7 * DAY_NS
"""So long the files of mails that are out are kept: a weekly report is a megabyte a reader."""
AT_ONCE: Final = 2_000
"""Old alerts and messages that are let go of in one step: others wait for the database meanwhile."""
STEPPED_NS: Final = 5 * SECOND_NS
"""When the clock on the wall gains or loses more than that against the monotonic one, it was set."""
SHOWN: Final = 5
"""Names in one line of the log."""
_log = logging.getLogger(__name__)


class Alerts:
    """Decides and sends, for as long as it holds the lease."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        live: LiveConfig,
        state: StateDb,
        clock: WallClock | None = None,
        *,
        delivery: Sender | None = None,
        words: Render = render,
        news: Bell | None = None,
        holder: str | None = None,
    ) -> None:
        """`news` is rung by a watch of this process when it has said something; `holder` is its name of before, when it is started again."""
        self._live = live
        self._state = state
        self._clock = clock or SystemClock()
        self._delivery = delivery or Delivery(state)
        self._words = words
        self._news = news or Bell()
        self._holder = holder or new_holder()
        self._leased_ns: int | None = None
        self._tidy_ns = 0
        self._beat_ns: int | None = None
        self._config: Config | None = None
        self._ladder = Ladder(live.current)
        self._sight = Sight()
        self._seen: tuple[int, int] | None = None
        """Revision and window of the last look."""
        self._ahead_ns: int | None = None
        self._secret: Callable[[], bytes] = cache(lambda: links.secret(state.path.parent))
        self._held_back = HeldBackAllClears()
        self._is_waiting = False
        self._is_mute = False
        self._unreachable: set[str] = set()

    async def run(self) -> None:
        """Decide and send until cancelled; the work is done in a thread, and what is under way is ended first."""
        try:
            while True:
                times = (self._clock.now_ns(), self._clock.monotonic_ns())
                step = asyncio.create_task(asyncio.to_thread(self.step, *times), name="alerts: step")
                try:
                    await asyncio.shield(step)
                except asyncio.CancelledError:
                    await asyncio.wait({step})  # what was taken must be marked as sent, or it goes out twice
                    raise
                await self._until_news((self._clock.monotonic_ns() - times[1]) / SECOND_NS)
        finally:
            await asyncio.to_thread(self.close)

    async def _until_news(self, took_s: float) -> None:
        """Until the watch rings, or another process has changed the state database, or it is time anyhow."""
        until_ns = self._clock.monotonic_ns() + int(PERIOD_S * SECOND_NS)
        await asyncio.sleep(max(GAP_S, min(took_s, PERIOD_S)))
        while self._clock.monotonic_ns() < until_ns:
            if await self._news.wait(POLL_S) or self._has_changed():
                return

    def _has_changed(self) -> bool:
        """Somebody has written since the last look."""
        return self._seen is not None and self._state.revision() != self._seen[0]

    def step(self, now_ns: int, monotonic_ns: int | None = None) -> int:
        """One look: decide, put new messages into the outbox, send what is due; the number sent.

        Args:
            now_ns: the time, ns since the Unix epoch.
            monotonic_ns: of a clock that nobody sets; None when there is none to compare with.
        """
        self._live.refresh()
        config = self._live.current
        if not self._holds_lease(now_ns):
            return 0
        if monotonic_ns is not None:
            self._mind_the_clock(now_ns, now_ns - monotonic_ns)
        self._take_up(config)
        self._decide(config, now_ns)
        sent = self._delivery.step(config, now_ns)
        if now_ns >= self._tidy_ns:
            self._tidy(config, now_ns)
        self._beat(now_ns, sent)
        return sent

    def _tidy(self, config: Config, now_ns: int) -> None:
        """Let go of what is old: a part of it each minute until nothing is left, then an hour of peace."""
        self._state.forget_files(now_ns - FILES_NS)
        before_ns = now_ns - int(config.settings.alerts.delivery.keep_days * DAY_NS)
        gone = self._state.forget_alerts(before_ns, AT_ONCE)
        gone = max(gone, self._state.forget_messages(before_ns, AT_ONCE))
        self._tidy_ns = now_ns + (MINUTE_NS if gone >= AT_ONCE else HOUR_NS)

    def close(self) -> None:
        """Let another process take over at once."""
        close = getattr(self._delivery, "close", None)
        if close is not None:
            close()
        with suppress(StateError):  # then it runs out, or whoever starts again in this process has it still
            self._state.release_lease(ROLE, self._holder)

    def _holds_lease(self, now_ns: int) -> bool:
        renewed = self._leased_ns is not None and 0 <= now_ns - self._leased_ns < LEASE_NS // 3
        if renewed:
            return True
        if self._state.acquire_lease(ROLE, self._holder, now_ns, LEASE_NS):
            self._leased_ns = now_ns
            self._is_waiting = False
            return True
        self._leased_ns = None
        if not self._is_waiting:
            _log.info("another process sends the alerts; waiting", extra={"event": "alerts.waiting"})
        self._is_waiting = True
        return False

    def _mind_the_clock(self, now_ns: int, ahead_ns: int) -> None:
        """When the clock was set, everything that is waited for goes on by the time that has really passed."""
        before, self._ahead_ns = self._ahead_ns, ahead_ns
        if before is None or abs(ahead_ns - before) < STEPPED_NS:
            return
        by_ns = ahead_ns - before
        moved = [shifted(alert, by_ns) for alert in self._state.open_alerts()]
        self._state.put_alerts(moved, [], now_ns)
        clock_set = getattr(self._delivery, "clock_set", None)
        if clock_set is not None:
            clock_set(by_ns)
        extra = {"event": "alerts.clock-set", "by_s": by_ns / SECOND_NS}
        _log.warning(
            "the clock was set by %.0f s: what is waited for goes on", by_ns / SECOND_NS, extra=extra
        )

    def _take_up(self, config: Config) -> None:
        if config is self._config:
            return
        self._config = config
        self._ladder = Ladder(config)
        self._seen = None
        self._name_unreachable()
        was_mute = self._is_mute
        self._is_mute = not config.settings.alerts.smtp_host and not config.settings.alerts.channels
        if self._is_mute and not was_mute:
            _log.info(
                "alerts.smtp_host is empty and there are no channels: messages wait in the outbox (tatpar alerts list)",
                extra={"event": "alerts.mute"},
            )

    def _name_unreachable(self) -> None:
        """Once, in one line, who has become known that cannot be told of anything."""
        found = [person.id for person in self._ladder.unreachable()]
        new = [one for one in found if one not in self._unreachable]
        self._unreachable = set(found)
        if not new:
            return
        more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
        _log.warning(
            "no address on any of their channels: %s%s; the next rung is told instead",
            ", ".join(new[:SHOWN]),
            more,
            extra={"event": "alerts.unreachable", "people": new[:SHOWN], "count": len(new)},
        )

    def _decide(self, config: Config, now_ns: int) -> None:
        seen = (self._state.revision(), now_ns // WINDOW_NS)
        if seen != self._seen:
            self._sight, self._seen = look(self._state, now_ns, reach_ns(config)), seen
        hearing = Hearing(now_ns, self._sight.heard_until_ns, self._sight.hearing_since_ns)
        decision = self._machine(config, hearing).step(
            conditions(self._sight, config, now_ns), self._sight.open, self._sight.recent
        )
        self._held_back.look(decision.held_back, hearing)
        if not decision.alerts and not decision.tellings:
            return
        office = PostOffice(config, self._ladder, self._secret, self._words)
        posts = [office.post(telling, now_ns) for telling in decision.tellings]
        self._state.put_alerts(decision.alerts, [post for post in posts if post is not None], now_ns)
        self._say(decision)

    def _machine(self, config: Config, hearing: Hearing) -> Machine:
        settings, meetings, now_ns = config.settings.alerts, Meetings(config), hearing.now_ns

        def takes_place(alert: Alert) -> bool:
            site = config.registry.by_id.get(alert.site)
            if site is None or site.status is not SiteStatus.LINKED:
                return False  # nobody can say that it is well
            if alert.occurrence_ns is None or alert.starts_ns is None:
                return True
            found = meetings.find(alert.meeting, alert.occurrence_ns, alert.starts_ns, alert.site)
            return found is not None and found.starts_ns - now_ns <= reach_ns(config)

        zone = ZoneInfo(config.settings.deployment.timezone)
        ended = {one.id: one for one in self._sight.ended}
        return Machine(
            settings,
            self._ladder,
            Teller(self._ladder, settings, zone, now_ns, over=ended),
            Silenced(self._sight.silences, config.registry, now_ns),
            now_ns,
            takes_place=takes_place,
            is_taken=lambda alert_id: self._state.alert(alert_id) is not None,
            hearing=hearing,
            ended=ended,
        )

    def _beat(self, now_ns: int, sent: int) -> None:
        if sent or self._beat_ns is None or not 0 <= now_ns - self._beat_ns < BEAT_NS:
            told = getattr(self._delivery, "told", None)
            detail = told(now_ns) if told is not None else {}
            said = {"sent": sent, "open": len(self._sight.open), **self._held_back.detail(), **detail}
            self._state.beat(ROLE, now_ns, said)
            self._beat_ns = now_ns

    def _say(self, decision: Decision) -> None:
        for alert in decision.alerts:
            what = alert.site or alert.incident
            extra = {
                "alert": alert.id,
                "site": alert.site,
                "meeting": alert.meeting,
                "kind": alert.kind.value,
            }
            if alert.state is AlertState.FIRING and alert.fired_ns == alert.seen_ns:
                _log.info(
                    "alert %s: %s %s", alert.id, what, alert.kind, extra=extra | {"event": "alert.raised"}
                )
            elif alert.state is AlertState.RESOLVED and alert.fired_ns is not None:
                _log.info("alert %s is over: %s", alert.id, what, extra=extra | {"event": "alert.over"})
        for telling in decision.tellings:
            extra = {
                "event": "alert.told",
                "alert": telling.alert.id,
                "person": telling.person.id,
                "step": telling.step.value,
            }
            _log.info(
                "alert %s: %s is told (%s)", telling.alert.id, telling.person.id, telling.step, extra=extra
            )
