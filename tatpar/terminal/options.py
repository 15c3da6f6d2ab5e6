"""Options that every command takes, and how a command ends: 0 done, 1 failed, 2 the input is wrong."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from config.settings import Deployment

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


def _for_its_owner(context: click.Context, _option: click.Parameter, data_dir: Path) -> Path:
    """What a command of root's leaves in somebody's data folder is theirs at its end, however it ends."""
    from tatpar.data_folder.ownership import give_to_owner, is_root  # noqa: PLC0415 - keeps --help fast

    if is_root():
        context.call_on_close(functools.partial(give_to_owner, data_dir))
    return data_dir


data_option = click.option(
    "--data",
    "data_dir",
    callback=_for_its_owner,
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
unused_config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    expose_value=False,
    envvar="TATPAR_CONFIG",
    help="Taken as everywhere; this command needs no settings.",
)
unused_data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    expose_value=False,
    envvar="TATPAR_DATA",
    help="Taken as everywhere; this command reads and writes nothing there.",
)


def _an_address(_context: click.Context, _option: click.Parameter, address: str | None) -> str | None:
    """What is no address at all, or Dask that is not there, is told before anything is read, or waits for an answer."""
    if address is not None:
        from telemetry.store.by_blocks import (  # noqa: PLC0415 - keeps --help fast
            SchedulerError,
            check_address,
            check_installed,
        )

        try:
            check_address(address)
            check_installed()
        except SchedulerError as error:
            wrong_input(str(error))
    return address


scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    callback=_an_address,
    default=None,
    envvar="TATPAR_SCHEDULER",
    help="Read and judge on the workers of this Dask scheduler, as tcp://10.0.0.5:8786; without it, here.",
)
lang_option = click.option(
    "--lang",
    "lang",
    type=click.Choice(["hi", "en"]),
    default=None,
    help="Language of what is said; default: the deployment's.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON for machines.")


def offices(count: int) -> str:
    """A number of offices in words: `1 office`, `56 offices`."""
    return f"{count} office" if count == 1 else f"{count} offices"


class FiniteRange(click.FloatRange):
    """A range of numbers that `nan` is not in, though no comparison says so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's signature
        """The number."""
        found: float = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value} is no number; write one in the range {self._describe_range()}", param, ctx)
        return found


def say_json(value: object) -> None:
    """A value as one line of JSON on standard output."""
    import msgspec  # noqa: PLC0415 - keeps --help fast

    click.echo(msgspec.json.encode(value).decode())


def without_store(data_dir: Path) -> str:
    """What a long-running command says of a folder whose store it waits for; empty where there is one."""
    if (data_dir / "reports.db").exists():
        return ""
    return f"{data_dir}: no store yet; nothing is seen until `tatpar collect` works there"


def config_language(config_file: Path | None) -> str:
    """The deployment's language, for a command that needs nothing else of the settings.

    Where they are wrong, or not there yet, that of a deployment without any: a backup is looked through and put back, and
    somebody is let in, also where the settings are what is broken.
    """
    return _deployment(config_file).language


def config_zone(config_file: Path | None) -> ZoneInfo:
    """The deployment's time zone, likewise."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - keeps --help fast

    return ZoneInfo(_deployment(config_file).timezone)


def _deployment(config_file: Path | None) -> Deployment:
    from config.errors import ConfigError  # noqa: PLC0415 - keeps --help fast
    from config.settings import Deployment  # noqa: PLC0415
    from config.settings_file import SettingsFile  # noqa: PLC0415

    try:
        return SettingsFile(config_file).settings.deployment
    except ConfigError:
        return Deployment()


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


def settings_and_data(command: Callable[P, R]) -> Callable[P, R]:
    """What most commands take, `--config` and `--data`; a mistake in the settings is told as `explains_config` does."""
    return config_option(data_option(explains_config(command)))
