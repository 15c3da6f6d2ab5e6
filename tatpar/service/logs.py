"""What a process says of itself on standard error: for people, or one JSON object a line for machines.

Needs the base install only, so that an office's probe speaks the same way as the hub. Who logs may name the event and
its fields: `log.warning("…", extra={"event": "broker.lost", "reason": reason})`; text shows the sentence alone.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from telemetry.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class TextLines(logging.Formatter):
    """For people; what somebody else has said is a part of its line, and begins none of its own."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The line before a traceback."""
        return visible(super().formatMessage(record))


class JsonLines(logging.Formatter):
    """`time` (RFC 3339, UTC), `level`, `logger`, `event`, `message`, then the event's fields; `exception` if any."""

    def format(self, record: logging.LogRecord) -> str:
        """One line. What JSON does not know is shown as text; no field can take the place of those above."""
        fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(fields.pop("event", record.name)),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encoded({**fields, **line} if fields.keys() & line.keys() else {**line, **fields})


def _encoded(line: dict[str, object]) -> str:
    try:
        return msgspec.json.encode(line, enc_hook=str).decode()
    except (TypeError, ValueError, RecursionError):  # a key that is no text, a text that is no UTF-8
        shown = {str(key): ascii(value) for key, value in line.items()}
        return msgspec.json.encode(shown).decode()


def set_up(log_format: str, level: int = logging.INFO) -> None:
    """Log to standard error as `text` or `json`; for the front door, once a process."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler])


def sayer(log_format: str, name: str) -> Callable[[str], None]:
    """How a command says what it has done: a line on standard error, or an event `said` in the log."""
    if log_format == "json":
        log = logging.getLogger("tatpar")
        return lambda line: log.info("%s", line, extra={"event": f"{name}.said"})
    import click  # noqa: PLC0415 - the office's agent needs none

    return lambda line: click.echo(f"tatpar: {line}", err=True)
