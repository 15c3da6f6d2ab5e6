"""The list of the alerts' templates for people, and as CSV for a provider's form."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alerts.words.registry import Entry, Variable

COLUMNS: Final = ("number", "language", "form", "text", "variables", "longest")


def as_text(entries: Iterable[Entry]) -> str:
    """Each template with its variables below it."""
    return "\n".join(_block(entry) for entry in entries)


def as_table(entries: Iterable[Entry]) -> str:
    """CSV, one line a template."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        variables = "; ".join(map(_variable, entry.variables))
        writer.writerow((entry.number, entry.language, entry.form, entry.text, variables, entry.longest))
    return file.getvalue()


def _block(entry: Entry) -> str:
    lines = [f"{entry.number}  ({entry.longest} units at most)", *entry.text.splitlines()]
    return "\n  ".join([*lines, *map(_variable, entry.variables)]) + "\n"


def _variable(variable: Variable) -> str:
    text = f"{variable.name}: {variable.kind}, at most {variable.most}"
    return f"{text}, one of {' | '.join(variable.values)}" if variable.values else text
