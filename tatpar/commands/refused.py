"""`tatpar refused`: the messages that the collector refused, kept for inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.options import (
    data_option,
    explains_config,
    failed,
    json_option,
    unused_config_option,
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
@unused_config_option
@data_option
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="So many at most."
)
@json_option
@explains_config
def command(*, data_dir: Path, limit: int, as_json: bool) -> None:
    """What the collector refused, newest first: when, why, on which topic, and how the message began.

    The newest are kept, as many as collector.quarantine_messages and quarantine_bytes of the settings say.
    """
    import contextlib  # noqa: PLC0415 - keeps --help fast
    import json  # noqa: PLC0415

    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415

    path = data_dir / "state.db"
    if not path.exists():
        wrong_input(f"{path}: no such file; name the folder of a running Tatpar with --data")
    try:
        with contextlib.closing(StateDb(path)) as state:
            rows = state.quarantined(limit)
    except StateError as error:
        failed(f"tatpar refused: {error}")
    if as_json:
        click.echo(json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo(_line(row))
    if not rows:
        click.echo("nothing was refused")


def _line(row: Refused) -> str:
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    start = row.payload[:_SHOWN].decode("utf-8", "replace")
    more = "…" if len(row.payload) > _SHOWN else ""
    return f"{rfc3339(row.received_ns)}  {_plain(row.topic)}  {_plain(row.reason)}  {len(row.payload)} B: {_plain(start)}{more}"


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
