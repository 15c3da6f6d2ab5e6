"""Errors of every tool side by side, as medians over the rounds; and where ours was neither the smallest nor below what the log can tell."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from bench._accuracy.ours import NAME
from bench._accuracy.plan import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench._accuracy.plan import Seen
    from bench._accuracy.rounds import Told


class Row(dict[str, object]):
    """One column of one scenario: the errors by tool, and whether the target is met; prints as one line."""

    def __str__(self) -> str:
        words = [f"{tool} {error:.3g}" for tool, error in self.items() if isinstance(error, float)]
        return "   ".join([*words, *(["NOT MET"] if self.get("met") is False else [])])


def rows(rounds: Sequence[Mapping[str, Told]], resolution_us: float) -> dict[str, Row]:
    """Median error of each tool by column; a tool that does not tell a column is absent there.

    Columns `span …` hold the tools against all test packets of the span instead of their own.
    """
    out: dict[str, Row] = {}
    for column in COLUMNS:
        errors = _medians([{name: told.errors for name, told in one.items()} for one in rounds], column)
        if NAME in errors:
            true = statistics.median(one[NAME].true[column] for one in rounds)
            out[column] = Row(errors | {"met": _met(column, errors, resolution_us), "true_of_ours": true})
    for column in COLUMNS:
        off = _medians([{name: told.off_the_span for name, told in one.items()} for one in rounds], column)
        if off:
            out[f"span {column}"] = Row(off)
    return out


def _medians(rounds: Sequence[Mapping[str, Seen]], column: str) -> dict[str, float]:
    by_tool = {tool: [one[tool][column] for one in rounds if column in one[tool]] for tool in rounds[0]}
    return {tool: statistics.median(errors) for tool, errors in by_tool.items() if errors}


_PACKETS: Final = "_packets"


def _met(column: str, errors: Mapping[str, float], resolution_us: float) -> bool:
    """Ours is the smallest, or no larger than the log can tell; packets are counted exactly."""
    least = min(errors.values())
    return errors[NAME] <= max(least, 0.0 if column.endswith(_PACKETS) else resolution_us)
