"""The page of commands, from the command line itself."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

import click

from docs._reference.markdown import page, table
from tatpar.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTRO: Final = """
Every command takes `--config FILE` (or `TATPAR_CONFIG`) and `--data DIRECTORY` (or `TATPAR_DATA`), and `-h` or `--help` with an example.

## Exit status

| status | means |
|---|---|
| 0 | done |
| 1 | failed: what was right could not be done; one line says why |
| 2 | the input is wrong: one line says the file, the line, what is wrong and what to write instead |
| 3 | done, and the answer is no: see the commands below that say so |
"""


def commands_page() -> str:
    """Every command and sub-command, with its options."""
    found = list(_below(main, ()))
    answers = [
        [f"[`tatpar {' '.join(path)}`](#{_anchor(path)})", " ".join(told)]
        for path, command in found
        if (
            told := [
                part for part in _sentences(_help(command)) if re.search(r"status \d|[Ee]nds with \d", part)
            ]
        )
    ]
    parts = [_INTRO, table(["command", "its status"], answers) if answers else ""]
    parts += [_section(path, command) for path, command in found]
    return page("Commands", "the command line", *parts)


def _below(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if path:
        yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, name
            yield from _below(below, (*path, name))


def _anchor(path: tuple[str, ...]) -> str:
    return "-".join(("tatpar", *path))


def _help(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").replace("\b\n", "")


def _sentences(text: str) -> list[str]:
    words, _, _ = text.partition("Example: ")
    return [part.strip() for part in re.split(r"(?<=[.:])\s+", " ".join(words.split())) if part.strip()]


def _section(path: tuple[str, ...], command: click.Command) -> str:
    words, _, example = _help(command).partition("Example: ")
    context = click.Context(command, info_name=" ".join(("tatpar", *path)))
    usage = command.get_usage(context).removeprefix("Usage: ")
    usage = " ".join(usage.split())
    lines = [one.strip() for one in example.replace("Example: ", "\n").splitlines() if one.strip()]
    examples = "\n".join(lines)
    parts = [f"{'#' * (len(path) + 1)} tatpar {' '.join(path)}", words.strip(), f"```text\n{usage}\n```"]
    rows = [row for parameter in command.get_params(context) if (row := _row(parameter, context))]
    if rows:
        parts.append(table(["option", "means"], rows))
    if isinstance(command, click.Group):
        names = command.list_commands(context)
        parts.append("Below it: " + ", ".join(f"[`{one}`](#{_anchor((*path, one))})" for one in names) + ".")
    if examples:
        parts.append(f"Example:\n\n```text\n{examples}\n```")
    return "\n\n".join(parts)


def _row(parameter: click.Parameter, context: click.Context) -> list[str] | None:
    if isinstance(parameter, click.Argument):
        return [f"`{parameter.make_metavar(context)}`", "argument"]
    record = parameter.get_help_record(context)
    if record is None or "--help" in parameter.opts:
        return None
    names, says = record
    variable = parameter.envvar if isinstance(parameter.envvar, str) else ""
    return [f"`{names}`", says + (f" Or `{variable}` in the environment." if variable else "")]
