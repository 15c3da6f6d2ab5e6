"""What `tatpar alerts list` and `silences` show."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING

from alerts.saying import headline, left_of
from config.settings_file import timezone_of
from tatpar.terminal.columns import padded
from tatpar.terminal.json_time import as_json, readable
from tatpar.terminal.listed import listed
from telemetry.words import say
from telemetry.words.format import day_clock, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from config.config import Config
    from telemetry.alerting import Alert, Silence
    from telemetry.state.outbox import OutboxRow


def outbox_json(rows: Sequence[OutboxRow]) -> str:
    """Messages for machines; times in ns, as the state database has them."""
    return as_json([asdict(row) for row in rows])


def outbox_lines(rows: Sequence[OutboxRow], language: str) -> Iterator[str]:
    """A line a message: what became of it, whom it goes to, what it says; of one that was given up also its key."""
    for row in rows:
        text = row.subject or " ".join(row.body.split())[:60]
        key = f"  [tatpar alerts retry {row.key}]" if _is_dead(row) else ""
        yield f"{padded(_word(row, language), 8)} {row.recipient or row.channel:<36} {text}{key}"


def _is_dead(row: OutboxRow) -> bool:
    return row.dead_ns is not None and row.sent_ns is None


def _word(row: OutboxRow, language: str) -> str:
    became = "sent" if row.sent_ns is not None else "given_up" if _is_dead(row) else "waits"
    word = say(language, f"table.message_{became}")
    return f"{word} ({row.error})" if row.error else word


def alerts_json(alerts: Sequence[Alert]) -> str:
    """Alerts for machines."""
    return as_json([readable(alert) for alert in alerts])


def alert_lines(
    alerts: Sequence[Alert],
    config: Config,
    language: str,
    now_ns: int,
    left: Mapping[str, int | None] = MappingProxyType({}),
) -> list[str]:
    """A table of the alerts that are not over, or a line that says that there is none; `left`: as `left_behind` has it."""
    zone = timezone_of(config.settings)
    rows = []
    for alert in (left_of(one, now_ns) for one in alerts):
        by = (
            f" ({alert.acknowledged_by}{': ' + alert.note if alert.note else ''})"
            if alert.acknowledged_by
            else ""
        )
        what = headline(alert, config, language, now_ns, is_left_behind=alert.id in left)
        since = day_clock(language, alert.since_ns, zone, now_ns)
        severity = say(language, f"table.severity_{alert.severity.value}")
        state = _state(alert, alert.clear_ns or left.get(alert.id), language, zone, now_ns) + by
        rows.append([alert.id, severity, state, since, what])
    return listed(_heads(language, "severity", "state", "since", "what"), rows, language, "alerts")


def _state(alert: Alert, well_ns: int | None, language: str, zone: ZoneInfo, now_ns: int) -> str:
    """How far it has come; one that looks well stands a while longer, lest it come back."""
    if well_ns is not None:
        since = day_clock(language, well_ns, zone, now_ns)
        return say(language, "table.state_looks_well", since=since)
    return say(language, f"table.state_{alert.state.value}")


def silences_json(silences: Sequence[Silence]) -> str:
    """Silences for machines."""
    return as_json([readable(silence) for silence in silences])


def silence_lines(silences: Sequence[Silence], config: Config, language: str) -> list[str]:
    """A table of the silences that hold, or a line that says that there is none."""
    zone = timezone_of(config.settings)
    rows = [[one.id, one.what, moment(language, one.until_ns, zone), one.by, one.note] for one in silences]
    return listed(_heads(language, "what", "until", "by", "note"), rows, language, "silences")


def _heads(language: str, *names: str) -> list[str]:
    return ["id", *(say(language, f"table.alert_{name}") for name in names)]
