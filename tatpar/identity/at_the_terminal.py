"""What the commands `enroll`, `revoke` and `command` do alike, at the terminal; what needs no terminal is in `enrolling.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tatpar.terminal.amiss import unlisted
from tatpar.terminal.options import explained, failed, wrong_input
from telemetry.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from config.config import Config
    from tatpar.identity.enrolling import Hub
    from telemetry.state.commands import CommandRow


def opened_hub(config: Config, data_dir: Path, language: str) -> AbstractContextManager[Hub]:
    """The hub's identity in a data folder, open; what is wrong with it ends the command in one line."""
    from contextlib import contextmanager  # noqa: PLC0415 - keeps --help fast

    from collector.enrolment.authority import AuthorityError  # noqa: PLC0415
    from collector.enrolment.issuing import NoSsidError  # noqa: PLC0415
    from tatpar.identity.enrolling import opened  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    @contextmanager
    def explained_hub() -> Iterator[Hub]:
        try:
            with opened(config.settings, data_dir) as hub:
                yield hub
        except (AuthorityError, NoSsidError, StateError, ValueError) as error:
            failed(str(error))
        except OSError as error:
            failed(say(language, "amiss.identity", what=explained(error)))

    return explained_hub()


def check_names(config: Config, site: str, probe: str, language: str) -> None:
    """End with status 2 unless the office is listed and the probe's name can be one; a note if the office is not linked."""
    from config.names import ID_RULE, is_id, suggested_id  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415

    found = config.registry.by_id.get(site)
    if found is None:
        unlisted(config, site, language)
    if not is_id(probe):
        wrong_input(f"--probe: {probe!r} cannot be an id ({ID_RULE}); write {suggested_id(probe)!r}")
    if found.status.value != "linked":
        status = say(language, f"status.{found.status.value}")
        click.echo(say(language, "identity.not_linked", site=site, status=status), err=True)


def say_whether_told(hub: Hub, language: str) -> None:
    """A note where the broker does not know yet what was just decided."""
    from telemetry.words import say  # noqa: PLC0415

    if hub.settings.broker.bring == "none":
        click.echo(say(language, "identity.tell_broker"), err=True)
    elif not hub.wait_for_broker():
        click.echo(say(language, "identity.hub_off"), err=True)


def say_rows(
    rows: Sequence[Mapping[str, object]], keys: Sequence[str], what: str, language: str, *, as_json: bool
) -> None:
    """Print a list of what is kept, `what` being its name among the lists: of each row these columns, or all as JSON."""
    import msgspec  # noqa: PLC0415

    from tatpar.terminal.listed import listed  # noqa: PLC0415
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    cells = [[_said(language, key, row[key]) for key in keys] for row in rows]
    heads = [say(language, f"keeper.col_{key}") for key in keys]
    for line in listed(heads, cells, language, what):
        click.echo(line)


def _said(language: str, key: str, value: object) -> str:
    """A cell of the lists: what is not there as a dash, yes and no and how a probe stands in words, all else as it is."""
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    if value is None:
        return "–"
    if isinstance(value, bool):
        return say(language, f"keeper.{'yes' if value else 'no'}")
    return say(language, f"keeper.standing_{value}") if key == "standing" else str(value)


def say_answer(hub: Hub, row: CommandRow, language: str, *, as_json: bool) -> None:
    """Print what came of a command; ends with 1 when it was not done."""
    import msgspec  # noqa: PLC0415

    from tatpar.identity.enrolling import silence  # noqa: PLC0415

    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(as_plain(row))).decode())
    if row.answered_ns is None:
        failed(silence(hub, row, language))
    if not row.ok:
        failed(f"{row.site}/{row.probe}: {visible(row.detail)}")
    if not as_json:
        click.echo(f"{row.site}/{row.probe}: {visible(row.detail)} ({row.delay_ms:.0f} ms)")


def as_plain(row: CommandRow) -> dict[str, object]:
    """A command and its answer, for JSON and tables."""
    from tatpar.terminal.json_time import rfc3339  # noqa: PLC0415

    return {
        "id": row.id,
        "site": row.site,
        "probe": row.probe,
        "verb": row.command.verb,
        "who": row.who,
        "issued": rfc3339(row.issued_ns),
        "sent": row.sent_ns is not None,
        "answered": row.answered_ns is not None,
        "ok": row.ok,
        "detail": row.detail,
        "delay_ms": row.delay_ms,
    }
