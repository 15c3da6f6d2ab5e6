"""`--config` and `--data` of the sub-commands: as before the sub-command, or after it, which then counts."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from tatpar.terminal.amiss import no_state
from tatpar.terminal.options import explains_config, failed, wrong_input
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telemetry.state.db import StateDb

R = TypeVar("R")

_config = click.option(
    "--config", "own_config", type=click.Path(path_type=Path), default=None, help="As before the sub-command."
)
_data = click.option(
    "--data",
    "own_data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="As before the sub-command.",
)


def placed(command: Callable[..., R]) -> Callable[..., R]:
    """Give a sub-command `config_file` and `data_dir`, and explain a wrong configuration."""

    @_config
    @_data
    @click.pass_obj
    @explains_config
    @functools.wraps(command)
    def wrapped(
        chosen: tuple[Path | None, Path],
        /,
        own_config: Path | None,
        own_data: Path | None,
        **options: object,
    ) -> R:
        return command(config_file=own_config or chosen[0], data_dir=own_data or chosen[1], **options)

    return wrapped


@contextlib.contextmanager
def state_of(data_dir: Path, language: str) -> Iterator[StateDb]:
    """The state database of a Tatpar; ends the command with one line when there is none, or it is damaged."""
    from telemetry.state.db import StateDb  # noqa: PLC0415 - keeps --help fast
    from telemetry.state.errors import StateError  # noqa: PLC0415

    path = data_dir / STATE_FILE
    if not path.exists():
        wrong_input(no_state(data_dir, language))
    try:
        with contextlib.closing(StateDb(path)) as state:
            yield state
    except StateError as error:
        failed(f"tatpar alerts: {error}")
