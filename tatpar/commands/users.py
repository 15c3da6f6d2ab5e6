"""`tatpar users`: who may sign in to the wall and what they may do; links that only show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tatpar.alerting.place import placed
from tatpar.terminal.options import (
    FiniteRange,
    config_language,
    failed,
    json_option,
    lang_option,
    settings_and_data,
    wrong_input,
)
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from telemetry.state.db import StateDb

ROLES = ("see", "acknowledge", "rehearse", "administer")
_role_option = click.option(
    "--role",
    type=click.Choice(ROLES),
    help="What they may do; each role may do what those before it may.",
)


@click.group()
@settings_and_data
@click.pass_context
def command(context: click.Context, config_file: Path | None, data_dir: Path) -> None:
    """Say who may sign in to the wall, and make links that show it on a big screen.

    A password is asked for on the terminal, or read from standard input when that is none.

    Example: tatpar users add asha --role acknowledge
    """
    context.obj = (config_file, data_dir)


def _state(data_dir: Path) -> AbstractContextManager[StateDb]:
    """The state database; made when it is not there, as users may be named before the first start."""
    import contextlib  # noqa: PLC0415 - keeps --help fast

    from telemetry.state.db import StateDb  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415

    @contextlib.contextmanager
    def opened() -> Iterator[StateDb]:
        try:
            with contextlib.closing(StateDb(data_dir / STATE_FILE)) as state:
                yield state
        except StateError as error:
            failed(f"tatpar users: {error}")

    return opened()


def _secret_for(name: str) -> str:
    """Ask for a password, or read it; its hash."""
    import sys  # noqa: PLC0415

    from dashboards.wall.access import passwords  # noqa: PLC0415

    if sys.stdin.isatty():
        password: str = click.prompt(
            f"password of {name}", hide_input=True, confirmation_prompt=True, err=True
        )
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        passwords.check(password, name)
    except passwords.PasswordError as error:
        wrong_input(f"tatpar users: {error}")
    return passwords.hashed(password)


@command.command("add")
@click.argument("name")
@_role_option
@lang_option
@placed
def add(*, name: str, role: str | None, config_file: Path | None, data_dir: Path, lang: str | None) -> None:
    """Let somebody sign in.

    Example: tatpar users add asha --role rehearse
    """
    import time  # noqa: PLC0415

    from telemetry.access import LONGEST_NAME, Role, User  # noqa: PLC0415

    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        wrong_input(
            f"{name!r} is no name: write 1 to {LONGEST_NAME} characters, none of them blank at the ends"
        )
    language = lang or config_language(config_file)
    with _state(data_dir) as state:
        if state.user(name) is not None:
            wrong_input(f"there is a user {name} already; change it with: tatpar users set {name}")
        secret, now_ns = _secret_for(name), time.time_ns()
        user = User(name=name, role=Role.of(role or "see"), secret=secret, made_ns=now_ns, changed_ns=now_ns)
        if not state.add_user(user):
            wrong_input(f"there is a user {name} already")
    click.echo(_say(language, "user_added", name=name, role=_role(language, user.role.word)))


@command.command("set")
@click.argument("name")
@_role_option
@click.option("--password", "new_password", is_flag=True, help="Give a new password.")
@lang_option
@placed
def change(  # noqa: PLR0913 - one an option
    *,
    name: str,
    role: str | None,
    new_password: bool,
    config_file: Path | None,
    data_dir: Path,
    lang: str | None,
) -> None:
    """Change somebody's role or password; all their browsers are signed out.

    Example: tatpar users set asha --password
    """
    import time  # noqa: PLC0415

    from telemetry.access import Role  # noqa: PLC0415
    from telemetry.state.access import LastAdministratorError  # noqa: PLC0415

    if role is None and not new_password:
        wrong_input("say what to change: --role ROLE, --password, or both")
    language = lang or config_language(config_file)
    with _state(data_dir) as state:
        if state.user(name) is None:
            wrong_input(f"there is no user {name}; see: tatpar users list")
        secret = _secret_for(name) if new_password else None
        try:
            state.change_user(
                name, time.time_ns(), role=Role.of(role) if role is not None else None, secret=secret
            )
        except LastAdministratorError as error:
            wrong_input(f"{error}; make somebody else an administrator first")
    click.echo(_say(language, "user_changed", name=name))


@command.command("remove")
@click.argument("name")
@lang_option
@placed
def remove(*, name: str, config_file: Path | None, data_dir: Path, lang: str | None) -> None:
    """Let somebody sign in no more; all their browsers are signed out.

    Example: tatpar users remove asha
    """
    from telemetry.state.access import LastAdministratorError  # noqa: PLC0415

    language = lang or config_language(config_file)
    with _state(data_dir) as state:
        try:
            if not state.remove_user(name):
                wrong_input(f"there is no user {name}; see: tatpar users list")
        except LastAdministratorError as error:
            wrong_input(f"{error}; make somebody else an administrator first")
    click.echo(_say(language, "user_removed", name=name))


@command.command("list")
@lang_option
@json_option
@placed
def list_users(*, as_json: bool, config_file: Path | None, data_dir: Path, lang: str | None) -> None:
    """Show who may sign in, and in how many browsers they are.

    Example: tatpar users list
    """
    from collections import Counter  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    with _state(data_dir) as state:
        users, browsers = state.users(), Counter(session.user for session in state.sessions())
    if as_json:
        rows = [
            {
                "name": user.name,
                "role": user.role.word,
                "sessions": browsers[user.name],
                "changed_ns": user.changed_ns,
            }
            for user in users
        ]
        click.echo(msgspec.json.encode(rows).decode())
        return
    language = lang or config_language(config_file)
    cells = [[user.name, _role(language, user.role.word), str(browsers[user.name])] for user in users]
    _table(language, ("name", "role", "browsers"), cells, "users")


@command.command("sessions")
@click.option("--end", "name", default=None, metavar="NAME", help="Sign all browsers of NAME out.")
@lang_option
@json_option
@placed
def sessions(
    *, name: str | None, as_json: bool, config_file: Path | None, data_dir: Path, lang: str | None
) -> None:
    """Show the browsers that are signed in, or sign somebody's out.

    Example: tatpar users sessions --end asha
    """
    import msgspec  # noqa: PLC0415

    language = lang or config_language(config_file)
    with _state(data_dir) as state:
        if name is not None:
            if state.user(name) is None:
                wrong_input(f"there is no user {name}; see: tatpar users list")
            click.echo(_say(language, "signed_out", count=state.end_sessions(name)))
            return
        found = state.sessions()
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    when = _clock(config_file)
    cells = [[one.user, one.source, when(one.made_ns), when(one.seen_ns)] for one in found]
    _table(language, ("name", "source", "since", "seen"), cells, "sessions")


@command.command("link")
@click.argument("label")
@click.option(
    "--days", type=FiniteRange(0.01, 400), default=30.0, show_default=True, help="It ends after so long."
)
@lang_option
@placed
def link(*, label: str, days: float, config_file: Path | None, data_dir: Path, lang: str | None) -> None:
    """Make a link that shows the wall on a big screen and lets nobody act.

    Whoever has the link can look: it is shown once, and only its hash is kept.

    Example: tatpar users link "NOC, north wall" --days 90
    """
    import secrets  # noqa: PLC0415
    import time  # noqa: PLC0415

    from dashboards.wall.access import tokens  # noqa: PLC0415
    from telemetry.access import LONGEST_NAME, WallLink  # noqa: PLC0415
    from telemetry.windows import DAY_NS  # noqa: PLC0415

    label = " ".join(label.split())
    if not label or len(label) > LONGEST_NAME or not label.isprintable():
        wrong_input(f"{label!r} is no label: write 1 to {LONGEST_NAME} characters that say where it hangs")
    token, now_ns = tokens.new_token(), time.time_ns()
    made = WallLink(
        id=secrets.token_hex(3),
        label=label,
        made_by=_runner(),
        made_ns=now_ns,
        until_ns=now_ns + int(days * DAY_NS),
    )
    language = lang or config_language(config_file)
    until = _clock(config_file)(made.until_ns)  # before anything is done: the settings may be wrong
    with _state(data_dir) as state:
        state.put_link(tokens.hash_of(token), made)
    click.echo(f"/look/{token}")
    click.echo(_say(language, "link_made", until=until, id=made.id), err=True)


@command.command("links")
@lang_option
@json_option
@placed
def links(*, as_json: bool, config_file: Path | None, data_dir: Path, lang: str | None) -> None:
    """Show the links that were made and not taken back.

    Example: tatpar users links
    """
    import time  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    with _state(data_dir) as state:
        found = state.links()
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    language, when, now_ns = lang or config_language(config_file), _clock(config_file), time.time_ns()
    cells = [
        [
            one.id,
            _say(language, "ended" if one.until_ns <= now_ns else "shows"),
            when(one.until_ns),
            one.label,
            one.made_by,
        ]
        for one in found
    ]
    _table(language, ("id", "link", "until", "label", "made_by"), cells, "links")


@command.command("unlink")
@click.argument("link_id", metavar="ID")
@lang_option
@placed
def unlink(*, link_id: str, config_file: Path | None, data_dir: Path, lang: str | None) -> None:
    """Take a link back: screens that show the wall by it ask for a sign-in within seconds.

    Example: tatpar users unlink 3fa9c1
    """
    language = lang or config_language(config_file)
    with _state(data_dir) as state:
        if not state.remove_link(link_id):
            wrong_input(f"there is no link {link_id}; see: tatpar users links")
    click.echo(_say(language, "link_taken_back", id=link_id))


def _runner() -> str:
    """Who runs this; a user without a name in the system is told by number."""
    import getpass  # noqa: PLC0415
    import os  # noqa: PLC0415

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _say(language: str, key: str, **values: Any) -> str:  # noqa: ANN401 - as `say` takes them
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    return say(language, f"keeper.{key}", **values)


def _role(language: str, word: str) -> str:
    """What a role is called, beside the word that `--role` takes."""
    return word if language == "en" else f"{_say(language, f'role_{word}')} ({word})"


def _table(language: str, columns: Sequence[str], cells: Sequence[Sequence[str]], what: str) -> None:
    from tatpar.terminal.listed import listed  # noqa: PLC0415

    for line in listed([_say(language, f"col_{column}") for column in columns], cells, language, what):
        click.echo(line)


def _clock(config_file: Path | None) -> Callable[[int], str]:
    """Says a time as the deployment's people write it."""
    from datetime import UTC, datetime  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from config.settings_file import SettingsFile  # noqa: PLC0415

    zone = ZoneInfo(SettingsFile(config_file).settings.deployment.timezone)
    return lambda at_ns: f"{datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
