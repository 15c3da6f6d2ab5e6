"""Emptying the outbox: each message is tried until it is taken, refused for good, too old, or tried often enough.

At least once. A message is claimed for an attempt (its next time of trying moves past the attempt's limit), sent, and marked. Whatever
crashes in between, the claim runs out and it is sent again under the same key; only a crash after the other side took it
and before it was marked makes that a second copy, which the key gives away.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerts import links
from alerts.delivery import alertmanager, through_apprise, webhook
from alerts.delivery.alertmanager import Alertmanager
from alerts.delivery.backoff import retry_ns
from alerts.delivery.errors import DeliveryError
from alerts.delivery.limits import Limits, fold, is_with
from alerts.delivery.mail import Mail
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from alerts.delivery.channel import Channel
    from config.config import Config
    from telemetry.state.db import StateDb
    from telemetry.state.outbox import OutboxRow

    Find = Callable[[str, Config], Channel | str]

PATIENCE_S: Final = 1.0
"""A step waits so long for what it has begun; what takes longer goes on beside the next steps."""
MOST_AT_ONCE: Final = 64
"""The greatest `at_once`; threads are made as they are needed."""
CLAIM_SPARE_NS: Final = 10 * SECOND_NS
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What came of the attempts since the start."""

    sent: int = 0
    failed: int = 0
    expired: int = 0


class Delivery:
    """Sends what is due; a fault of a channel is said once, and once when it is over."""

    def __init__(self, state: StateDb, find: Find | None = None, *, patience_s: float = PATIENCE_S) -> None:
        """Work on the outbox of a state database; `find` gives a channel by its name, or says why there is none."""
        self._state = state
        self._find = find or Ways(state)
        self._patience_s = patience_s
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._under_way: dict[str, tuple[OutboxRow, Future[bool]]] = {}
        self._left_alone: dict[str, int] = {}
        """By channel, until when it asked to be left alone."""
        self._failing: set[str] = set()
        self._alertmanager = Alertmanager(state)
        self.counters = Counters()

    def step(self, config: Config, now_ns: int) -> int:
        """Try what is due; the number known to be sent since the last step. Never waits long for a slow channel."""
        ends_s = time.monotonic() + self._patience_s
        self._alertmanager.step(config, now_ns)
        sent = self._gather()
        slow = set(self._under_way)  # of earlier steps: nobody waits for them again
        rows = [row for row in self._living(config, now_ns) if row.key not in slow]
        limits = Limits(self._state, config, now_ns, self._now_tried()) if rows else None
        while True:
            if rows and limits is not None:
                rows = self._begin(rows, limits, config, now_ns)
            futures = [future for key, (_, future) in self._under_way.items() if key not in slow]
            left_s = ends_s - time.monotonic()
            if not futures or left_s <= 0:
                return sent
            wait(futures, left_s, FIRST_COMPLETED if rows else ALL_COMPLETED)
            sent += self._gather()

    def _begin(
        self, rows: Sequence[OutboxRow], limits: Limits, config: Config, now_ns: int
    ) -> list[OutboxRow]:
        """Claim what may go now, and have each tried by a thread of its channel; those for which there was no room."""
        chosen, crowded = self._within_limits(rows, limits, config, now_ns)
        keys = [row.key for row, _ in chosen]
        claimed = self._state.claim(keys, now_ns, now_ns + _claim_ns(config)) if keys else set()
        for row, channel in chosen:
            if row.key in claimed:
                future = self._pool(row.channel).submit(self._try, row, channel, config, now_ns)
                self._under_way[row.key] = (row, future)
        return crowded

    def _now_tried(self) -> list[OutboxRow]:
        return [row for row, _ in self._under_way.values()]

    def told(self, now_ns: int) -> dict[str, int]:
        """Its counters and how the outbox stands, for the heartbeat."""
        counts, counters = self._state.outbox_counts(now_ns), self.counters
        return {
            "messages_sent": counters.sent,
            "attempts_failed": counters.failed,
            "messages_waiting": counts.waiting,
            "messages_overdue": counts.overdue,
            "messages_dead": counts.dead,
            "alertmanager_failing": int(self._alertmanager.is_failing),
        }

    def clock_set(self, by_ns: int) -> None:
        """The clock was set: what waits to be tried again, or was asked to wait, waits no longer and no shorter for it."""
        self._state.shift_retries(by_ns)
        self._left_alone = {channel: until_ns + by_ns for channel, until_ns in self._left_alone.items()}
        self._alertmanager.clock_set(by_ns)

    def close(self) -> None:
        """Wait for what is under way: a message that was taken must be marked as sent, or it goes out twice."""
        for pool in self._pools.values():
            pool.shutdown(wait=True)
        self._pools.clear()
        self._alertmanager.close()
        self._gather()

    def _living(self, config: Config, now_ns: int) -> list[OutboxRow]:
        """What is due and still helps somebody; what does not is given up, and says so."""
        living = []
        people = {person.id for person in config.people}
        for row in self._state.due(now_ns):
            why = _helps_nobody(row, people, now_ns)
            if not why:
                living.append(row)
            elif row.key not in self._under_way:
                self._state.mark_dead(row.key, why, now_ns, attempted=False)
                self.counters.expired += 1
                self._say(logging.WARNING, {"event": "message.expired"}, "message to %s let go: %s", row, why)
        return living

    def _within_limits(
        self, rows: Sequence[OutboxRow], limits: Limits, config: Config, now_ns: int
    ) -> tuple[list[tuple[OutboxRow, Channel]], list[OutboxRow]]:
        """Of the messages that are due those that may go now, in order, and those whose channel is full; the others say what they wait for."""
        busy = Counter(row.channel for row in self._now_tried())
        ready = [(row, channel) for row in rows if (channel := self._way(row, config, now_ns)) is not None]
        waiting = {row.key: row for row, _ in ready}
        chosen: list[tuple[OutboxRow, Channel]] = []
        crowded: list[OutboxRow] = []
        for row, channel in ready:
            if row.key not in waiting:
                continue  # told in another
            left = limits.left(row.person)
            group = [one for one in waiting.values() if is_with(one, row)] if left == 1 else []
            if busy[row.channel] >= config.settings.alerts.delivery.at_once:
                crowded.append(row)
            elif len(group) > 1:
                fold(group, self._state, config, now_ns)
                limits.close(row.person)
                waiting = {key: one for key, one in waiting.items() if one not in group}
            elif left > 0:
                limits.count(row.person)
                busy[row.channel] += 1
                chosen.append((row, channel))
                del waiting[row.key]
            else:
                self._wait(row, "waits for the person's limit of messages an hour")
        return chosen, crowded

    def _way(self, row: OutboxRow, config: Config, now_ns: int) -> Channel | None:
        """The channel that a message can go by now; None: it waits, and says for what."""
        channel = self._find(row.channel, config)
        if isinstance(channel, str):
            self._wait(row, channel)
            return None
        if now_ns < self._left_alone.get(row.channel, 0):
            self._wait(row, f"{row.channel} asked to be left alone for a while")
            return None
        return channel

    def _wait(self, row: OutboxRow, why: str) -> None:
        if row.error != why:
            self._state.mark_waiting(row.key, why)

    def _try(self, row: OutboxRow, channel: Channel, config: Config, now_ns: int) -> bool:
        """One attempt, in a thread of the channel's own."""
        try:
            said = channel(row, self._state.attachments(row.key), config)
        except DeliveryError as error:
            self._failed(row, error, config, now_ns)
            return False
        except Exception as error:  # noqa: BLE001 - a library's fault about one message must not stop the others
            self._failed(row, DeliveryError(f"{type(error).__name__} in {row.channel}"), config, now_ns)
            _log.debug("channel %s", row.channel, exc_info=error)
            return False
        self._state.mark_sent(row.key, now_ns)
        self._failing.discard(row.channel)
        self._say(logging.INFO, {"event": "message.sent"}, "message to %s sent: %s", row, said)
        return True

    def _failed(self, row: OutboxRow, error: DeliveryError, config: Config, now_ns: int) -> None:
        settings = config.settings.alerts.delivery
        if error.retry_after_s is not None:
            self._left_alone[row.channel] = now_ns + retry_ns("", 0, settings, error.retry_after_s)
        # what has an end is tried until then: a mail server may be away for a morning
        is_used_up = row.expires_ns is None and row.attempts + 1 >= settings.attempts
        if error.final or is_used_up:
            why = str(error) if error.final else f"given up after {row.attempts + 1} attempts: {error}"
            self._state.mark_dead(row.key, why, now_ns)
            self._say(logging.WARNING, {"event": "message.dead"}, "message to %s given up: %s", row, why)
            return
        after_ns = retry_ns(row.key, row.attempts, settings, error.retry_after_s)
        self._state.mark_failed(row.key, str(error), now_ns + after_ns)
        level = logging.DEBUG if row.channel in self._failing else logging.WARNING
        self._failing.add(row.channel)
        self._say(level, {"event": "message.failed"}, "message to %s not taken: %s", row, str(error))

    def _gather(self) -> int:
        """How many of the attempts that have ended were taken."""
        ended = [key for key, (_, future) in self._under_way.items() if future.done()]
        results = [self._under_way.pop(key)[1].result() for key in ended]
        self.counters.sent += sum(results)
        self.counters.failed += len(results) - sum(results)
        return sum(results)

    def _pool(self, channel: str) -> ThreadPoolExecutor:
        """Threads of a channel's own: one that hangs holds up nobody else."""
        if channel not in self._pools:
            self._pools[channel] = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix=f"delivery: {channel}")
        return self._pools[channel]

    @staticmethod
    def _say(level: int, event: dict[str, str], text: str, row: OutboxRow, why: str) -> None:
        extra = event | {"channel": row.channel, "person": row.person, "key": row.key, "reason": why}
        _log.log(level, text, row.person or row.recipient or row.channel, why, extra=extra)


class Ways:
    """The channels by name, as the settings have them, for the outbox of a state database."""

    def __init__(self, state: StateDb) -> None:
        self._state = state
        self._secret = b""

    def __call__(self, name: str, config: Config) -> Channel | str:
        """A channel, or why there is none."""
        if name == "alertmanager" and config.settings.alerts.delivery.alertmanager_url:
            return Alertmanager(self._state).send
        if name == "mail" and not self._secret:
            self._secret = links.secret(self._state.path.parent)
        return way(name, config, self._secret)


def way(name: str, config: Config, secret: bytes) -> Channel | str:
    """A channel by its name, or why there is none; `secret` marks mails so that replies are known."""
    settings = config.settings.alerts
    if name == "mail":
        return Mail(secret) if settings.smtp_host else "alerts.smtp_host is empty"
    if name == "alertmanager":
        has_one = bool(settings.delivery.alertmanager_url)
        return alertmanager.send_test if has_one else "alerts.delivery.alertmanager_url is empty"
    if name not in settings.channels:
        return f"there is no channel {name} under [alerts.channels]"
    is_web = settings.channels[name].startswith(("https://", "http://"))
    return webhook.send if is_web else through_apprise.send


def _helps_nobody(row: OutboxRow, people: AbstractSet[str], now_ns: int) -> str:
    """Why a message is not sent any more; empty when it is."""
    if row.expires_ns is not None and now_ns >= row.expires_ns:
        return "expired before it could be sent" + (f" ({row.error})" if row.error else "")
    if row.person and row.person not in people:  # a phone of a former in-charge learns nothing of the office
        return "left the people before it could be sent"
    return ""


def _claim_ns(config: Config) -> int:
    return int(config.settings.alerts.delivery.attempt_s * SECOND_NS) + CLAIM_SPARE_NS
