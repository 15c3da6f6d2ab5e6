"""`tatpar refused`: the messages that the collector refused, kept for inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.amiss import no_state
from tatpar.terminal.options import (
    config_language,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    wrong_input,
)
from telemetry.state.file import STATE_FILE
from telemetry.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

    from tatpar.identity.turned_away import TurnedAway
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
    """What the collector and the enrolment desk refused, newest first: when, from whom, why, and how a message began.

    The newest messages are kept, as many as collector.quarantine_messages and quarantine_bytes of the settings say. Of the desk: each
    token of ours that was refused, with the address that had it, and the latest twenty addresses without one.
    """
    import contextlib  # noqa: PLC0415 - keeps --help fast
    import json  # noqa: PLC0415
    from functools import partial  # noqa: PLC0415

    from tatpar.identity.turned_away import turned_away  # noqa: PLC0415
    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    path, language = data_dir / STATE_FILE, lang or config_language(config_file)
    if not path.exists():
        wrong_input(no_state(data_dir, language))
    try:
        with contextlib.closing(StateDb(path)) as state:
            found = [
                *((row.received_ns, partial(_line, row), _as_json(row)) for row in state.quarantined(limit)),
                *(
                    (one.at_ns, partial(_at_the_desk, one), _as_json_at_the_desk(one))
                    for one in turned_away(state, limit)
                ),
            ]
    except StateError as error:
        failed(f"tatpar refused: {error}")
    newest = sorted(found, key=lambda each: -each[0])[:limit]
    if as_json:
        click.echo(json.dumps([plain for *_, plain in newest], ensure_ascii=False, indent=2))
        return
    for _, line, _ in newest:
        click.echo(line(language))
    if not newest:
        click.echo(say(language, "nothing.refused"))


def _line(row: Refused, language: str) -> str:
    """One line, times in UTC as the logs have them; the code's own words in English, as in the logs, its meaning before it."""
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415
    from telemetry.words import knows, say  # noqa: PLC0415

    start = row.payload[:_SHOWN].decode("utf-8", "replace")
    more = "…" if len(row.payload) > _SHOWN else ""
    why = visible(row.reason)
    key = f"refused.{row.reason.partition(':')[0]}"
    if language != "en" and knows(language, key):  # in English the code is the word
        why = f"{say(language, key)} ({why})"
    return f"{rfc3339(row.received_ns)}  {visible(row.topic)}  {why}  {len(row.payload)} B: {visible(start)}{more}"


def _at_the_desk(one: TurnedAway, language: str) -> str:
    """One line, likewise: of a token of ours whose it was, of others how often."""
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415
    from telemetry.words import knows, say  # noqa: PLC0415

    peer = visible(one.peer)
    if one.site:
        who = f"{one.site}/{one.probe}"
        said = say(language, f"desk_refused.{one.reason}", who=who, site=one.site, peer=peer)
    else:
        key = f"desk_refused.guess_{one.reason}"
        why = say(language, key) if knows(language, key) else visible(one.reason)
        said = say(language, "desk_refused.guesses", peer=peer, n=one.count, why=why)
    return f"{rfc3339(one.at_ns)}  {said}"


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


def _as_json_at_the_desk(one: TurnedAway) -> dict[str, object]:
    """The same fields, empty where there was no message, and `desk`."""
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    message = {"topic": "", "code": one.reason, "detail": "", "bytes": 0, "text": "", "hex": ""}
    desk = {"peer": one.peer, "site": one.site, "probe": one.probe, "count": one.count}
    return {"received": rfc3339(one.at_ns), **message, "desk": desk}
