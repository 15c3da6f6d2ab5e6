"""What the watch has decided, as commands read it: opened read-safely, with its age."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import click

from tatpar.terminal.amiss import never_looked, nothing_decided
from tatpar.terminal.options import failed
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from telemetry.state.db import StateDb

STALE_S: Final = 60.0
"""A watch that has not been heard for so long is not at work."""


@contextlib.contextmanager
def decided(data_dir: Path, language: str) -> Iterator[StateDb]:
    """The state database of a data folder; ends the command with one line when there is none."""
    from telemetry.state.db import StateDb  # noqa: PLC0415 - keeps --help fast
    from telemetry.state.errors import StateError  # noqa: PLC0415

    path = data_dir / STATE_FILE
    if not path.exists():
        failed(nothing_decided(data_dir, language))
    try:
        with contextlib.closing(StateDb(path)) as state:
            yield state
    except StateError as error:
        failed(str(error))


def watch_age_s(state: StateDb, now_ns: int) -> float | None:
    """Seconds since the watch's last heartbeat; None when it never beat."""
    beat = state.beats().get("watch")
    return None if beat is None else max(now_ns - beat.at_ns, 0) / 1e9


def say_age(age_s: float | None, data_dir: Path, language: str) -> None:
    """Say how old is what follows, where the watch is not at work.

    Where it never looked the command ends: that nothing is known to be wrong would read as if all were well.
    """
    from telemetry.words import say  # noqa: PLC0415 - keeps --help fast

    if age_s is None:
        failed(never_looked(data_dir, language))
    if is_stale(age_s):
        click.echo(say(language, "table.stale", age=age_s), err=True)


def is_stale(age_s: float | None) -> bool:
    """Whether the watch is not at work, so that what it said is old."""
    return age_s is None or age_s > STALE_S
