"""A command that needs a library which this install does not bring says so in one line."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import click

HOUSE: Final = frozenset(
    {
        "alerts",
        "analytics",
        "collector",
        "config",
        "dashboards",
        "lab",
        "probes",
        "reports",
        "tatpar",
        "telemetry",
    }
)
"""Our own folders: one of these that is missing is a fault of the install, not an extra."""


def small_install() -> bool:
    """Whether this is an office's install, which has none of the hub's libraries: one that no hub does without tells."""
    return find_spec("icalendar") is None


class NeedsExtra(click.ClickException):
    """The office's install has been asked for something of the hub's. Status 2."""

    exit_code = 2


def needs_extra(error: ModuleNotFoundError, command: str) -> NeedsExtra | None:
    """What to say of a library that is not there; None when it is not a library."""
    library = (error.name or "").partition(".")[0]
    if not library or library in HOUSE:
        return None
    return NeedsExtra(
        f"`tatpar {command}` needs {library}, which the small install of an office does not bring; "
        f"on a machine of the headquarters: pip install 'tatpar[hub]'"
    )
