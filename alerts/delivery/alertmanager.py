"""A Prometheus Alertmanager is told what stands, again and again, as Prometheus tells it (POST /api/v2/alerts).

What is said carries its own end: a hub that dies leaves nothing firing for ever, and one that comes back only says it again,
which the Alertmanager knows by the labels. So this needs no outbox; it is the table of alerts, seen from outside.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from alerts.delivery.errors import DeliveryError
from alerts.delivery.web import basic, post
from alerts.saying import description, headline
from telemetry.alerting import AlertState
from telemetry.state.errors import StateError
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.alert_settings import Delivery
    from config.config import Config
    from telemetry.alerting import Alert, Attachment
    from telemetry.state.db import StateDb
    from telemetry.state.outbox import OutboxRow

PATH: Final = "/api/v2/alerts"
RESENDS: Final = 4
"""Said again so often before an alert that nobody says any more ends by itself: Prometheus does the same."""
STANDS: Final = (AlertState.FIRING, AlertState.ACKNOWLEDGED)
Labels = dict[str, str]
_log = logging.getLogger(__name__)


class Over(NamedTuple):
    """Labels under which nothing stands any more: since when, and until when that is said again."""

    labels: Labels
    at_ns: int
    until_ns: int


class Alertmanager:
    """Tells an Alertmanager of a state database's alerts."""

    def __init__(self, state: StateDb) -> None:
        self._state = state
        self._said: dict[str, Labels] = {}
        """By id, the labels under which an alert was said to stand."""
        self._over: list[Over] = []
        self._next_ns = 0
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: Future[None] | None = None
        self.is_failing = False

    def clock_set(self, by_ns: int) -> None:
        """The clock was set: the next time of saying goes with it."""
        self._next_ns += by_ns

    def step(self, config: Config, now_ns: int) -> None:
        """Say what stands when it changed, or when it is time to say it again; never waits for the answer."""
        settings = config.settings.alerts.delivery
        if self._under_way is not None:
            if not self._under_way.done():
                return
            self._under_way.result()  # a mistake of ours is the service's to tell, not to be swallowed by a thread
        if not settings.alertmanager_url:
            return
        standing = {alert.id: alert for alert in self._state.open_alerts() if alert.state in STANDS}
        labels = {key: labels_of(alert, config) for key, alert in standing.items()}
        if now_ns < self._next_ns and (self.is_failing or labels == self._said):
            return
        if not (labels or self._said or self._over):
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="delivery: alertmanager")
        self._next_ns = now_ns + int(settings.alertmanager_resend_s * SECOND_NS)
        self._under_way = self._pool.submit(self._say, config, standing, labels, now_ns)

    def send(self, row: OutboxRow, _files: Sequence[Attachment], config: Config) -> str:
        """The channel `alertmanager` of the outbox: say the one alert of a message now.

        Raises:
            DeliveryError: the Alertmanager did not take it, or the message is about no alert (final).
        """
        alert = self._state.alert(row.alert) if row.alert else None
        if alert is None:
            raise DeliveryError(f"there is no alert {row.alert or '(none)'}", final=True)
        return push([stated(alert, labels_of(alert, config), config, max(row.due_ns, alert.seen_ns))], config)

    def wait(self) -> None:
        """Until what is under way has ended."""
        if self._under_way is not None:
            self._under_way.result()

    def close(self) -> None:
        """End its thread, when what is under way has ended."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None

    def _say(
        self, config: Config, standing: dict[str, Alert], labels: dict[str, Labels], now_ns: int
    ) -> None:
        try:
            over = [*self._still_said(labels, now_ns), *self._ended(labels, config, now_ns)]
            told = [stated(alert, labels[key], config, now_ns) for key, alert in standing.items()]
            told += [{"labels": each.labels, "endsAt": _time(each.at_ns)} for each in over]
            if told:
                push(told, config)
        except (DeliveryError, StateError) as error:
            self._failed(str(error), config, now_ns)
            return
        if self.is_failing:
            _log.info("the Alertmanager takes alerts again", extra={"event": "alertmanager.recovered"})
        self.is_failing = False
        self._said, self._over = labels, over

    def _failed(self, why: str, config: Config, now_ns: int) -> None:
        """Said once; tried again sooner than what stands would be said anyway."""
        self._next_ns = now_ns + int(config.settings.alerts.delivery.first_retry_s * SECOND_NS)
        if not self.is_failing:
            extra = {"event": "alertmanager.failed", "reason": why}
            _log.warning("the Alertmanager is not reached: %s", why, extra=extra)
        self.is_failing = True

    def _still_said(self, labels: dict[str, Labels], now_ns: int) -> Iterable[Over]:
        """What was over before and is said once more: an Alertmanager whose clock is behind ours has not believed it yet."""
        stands = list(labels.values())
        return (each for each in self._over if now_ns < each.until_ns and each.labels not in stands)

    def _ended(self, labels: dict[str, Labels], config: Config, now_ns: int) -> Iterable[Over]:
        """What was said to stand and does not, or stands under other labels now (its severity is one)."""
        for key, before in self._said.items():
            if labels.get(key) != before:
                alert = self._state.alert(key)
                at_ns = alert.resolved_ns if alert and alert.resolved_ns and key not in labels else now_ns
                yield Over(before, min(at_ns, now_ns), now_ns + _lasts_ns(config))


def labels_of(alert: Alert, config: Config) -> Labels:
    """What routes and groups it; what is empty is left out."""
    site = config.registry.by_id.get(alert.site)
    labels = {
        "alertname": "Tatpar" + alert.kind.value.title().replace("_", ""),
        "alert": alert.id,
        "severity": alert.severity.value,
        "site": alert.site,
        "region": site.region if site is not None else "",
        "meeting": alert.meeting,
        "incident": alert.incident,
    }
    return {name: value for name, value in labels.items() if value}


def stated(alert: Alert, labels: Labels, config: Config, now_ns: int) -> dict[str, object]:
    """An alert as the interface has it."""
    delivery = config.settings.alerts.delivery
    ends_ns = alert.resolved_ns or now_ns + _lasts_ns(config)
    notes = {}
    for language in ("hi", "en"):
        notes[f"summary_{language}"] = headline(alert, config, language, now_ns)
        notes[f"description_{language}"] = description(alert, config, language, now_ns)
    for name in ("summary", "description"):
        notes[name] = notes[f"{name}_{config.settings.deployment.language}"]
    if alert.acknowledged_by:
        notes["acknowledged_by"] = alert.acknowledged_by
    return {
        "labels": labels,
        "annotations": notes,
        "startsAt": _time(alert.fired_ns or alert.pending_ns),
        "endsAt": _time(ends_ns),
        **({"generatorURL": delivery.public_url} if delivery.public_url else {}),
    }


def send_test(row: OutboxRow, _files: Sequence[Attachment], config: Config) -> str:
    """A test alert, which ends by itself after the usual time.

    Raises:
        DeliveryError: it was not taken.
    """
    ends_ns = row.due_ns + _lasts_ns(config)
    labels = {"alertname": "TatparTest", "severity": "notice"}
    alert = {"labels": labels, "annotations": {"summary": row.body}, "startsAt": _time(row.due_ns)}
    return push([{**alert, "endsAt": _time(ends_ns)}], config)


def push(alerts: Sequence[dict[str, object]], config: Config) -> str:
    """POST alerts.

    Raises:
        DeliveryError: they were not taken.
    """
    settings = config.settings.alerts.delivery
    url = settings.alertmanager_url.rstrip("/") + PATH
    return post(url, msgspec.json.encode(alerts), _login(settings), settings.attempt_s)


def _login(settings: Delivery) -> dict[str, str]:
    if settings.alertmanager_token:
        return {"authorization": f"Bearer {settings.alertmanager_token}"}
    if settings.alertmanager_user:
        return basic(settings.alertmanager_user, settings.alertmanager_password)
    return {}


def _lasts_ns(config: Config) -> int:
    return RESENDS * int(config.settings.alerts.delivery.alertmanager_resend_s * SECOND_NS)


def _time(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / SECOND_NS, UTC).isoformat(timespec="milliseconds")
