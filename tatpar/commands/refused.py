"""`tatpar refused`: the messages that the collector refused, kept for inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.amiss import STATE_FILE, no_state
from tatpar.terminal.options import (
    config_language,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    wrong_input,
)

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.state.quarantine import Refused

_SHOWN: Final = 100


@click.command(
    epilog="Example: tatpar refused --limit 20 --data /var/lib/tatpar",
    short_help="messages that were refused, and why",
)
@settings_and_data
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="So many at most."
)
@lang_option
@json_option
def command(*, config_file: Path | None, data_dir: Path, limit: int, lang: str | None, as_json: bool) -> None:
    """What the collector refused, newest first: when, why, on which topic, and how the message began.

    The newest are kept, as many as collector.quarantine_messages and quarantine_bytes of the settings say.
    """
    import contextlib  # noqa: PLC0415 - keeps --help fast
    import json  # noqa: PLC0415

    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    path, language = data_dir / STATE_FILE, lang or config_language(config_file)
    if not path.exists():
        wrong_input(no_state(data_dir, language))
    try:
        with contextlib.closing(StateDb(path)) as state:
            rows = state.quarantined(limit)
    except StateError as error:
        failed(f"tatpar refused: {error}")
    if as_json:
        click.echo(json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo(_line(row, language))
    if not rows:
        click.echo(say(language, "nothing.refused"))


def _line(row: Refused, language: str) -> str:
    """One line, times in UTC as the logs have them; the code's own words in English, as in the logs, its meaning before it."""
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415
    from telemetry.words import knows, say  # noqa: PLC0415

    start = row.payload[:_SHOWN].decode("utf-8", "replace")
    more = "…" if len(row.payload) > _SHOWN else ""
    why = _plain(row.reason)
    key = f"refused.{row.reason.partition(':')[0]}"
    if language != "en" and knows(language, key):  # in English the code is the word
        why = f"{say(language, key)} ({why})"
    return (
        f"{rfc3339(row.received_ns)}  {_plain(row.topic)}  {why}  {len(row.payload)} B: {_plain(start)}{more}"
    )


def _plain(text: str) -> str:
    """A stranger's words on a terminal: no control characters, which could do anything there."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _as_json(row: Refused) -> dict[str, object]:
    """The payload also as it came, since it need not be text."""
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    code, _, detail = row.reason.partition(": ")
    return {
        "received": rfc3339(row.received_ns),
        "topic": row.topic,
        "code": code,
        "detail": detail,
        "bytes": len(row.payload),
        "text": row.payload.decode("utf-8", "replace"),
        "hex": row.payload.hex(),
    }
