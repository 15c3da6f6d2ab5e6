"""Options that every command takes, and how a command ends: 0 done, 1 failed, 2 the input is wrong."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=None,
    envvar="TATPAR_CONFIG",
    help="Settings file; without it the built-in defaults.",
)
data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    envvar="TATPAR_DATA",
    help="Folder for store, spool, sockets and logs.",
)
log_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default=None,
    envvar="TATPAR_LOG_FORMAT",
    help="Lines on standard error for people or for machines; default from the settings (text).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON for machines.")


def wrong_input(message: str) -> NoReturn:
    """End with status 2 and one line that says where, what, and what to write instead."""
    click.echo(message, err=True)
    raise SystemExit(2)


def failed(message: str) -> NoReturn:
    """End with status 1 and one line."""
    click.echo(message, err=True)
    raise SystemExit(1)


def explained(error: OSError) -> str:
    """Which file and what is the matter with it, in a line; without a file, the error's own words."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def explains_config(command: Callable[P, R]) -> Callable[P, R]:
    """Turn a ConfigError into its one line and status 2."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from config.errors import ConfigError  # noqa: PLC0415 - keeps --help fast

        try:
            return command(*args, **kwargs)
        except ConfigError as error:
            wrong_input(str(error))

    return wrapped
