"""A table of comma-separated values that the operator wrote: rows with their lines, a heading that is checked."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.text import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from config.site_columns import CellError


class CsvTable:
    """One file, read strictly; every mistake is told with its line."""

    def __init__(
        self,
        path: Path,
        columns: Collection[str],
        required: Sequence[str],
        unknown_column: Callable[[str], CellError],
    ) -> None:
        self._path = path
        self._columns = columns
        self._required = required
        self._unknown_column = unknown_column

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row below the heading: the line on which it starts, and its cells by column.

        Raises:
            ConfigError: the table or its heading is wrong, or a row has other columns than the heading.
        """
        lines = self._lines()
        line, heading = next(lines, (1, []))
        self._check_heading(line, heading)
        for line, cells in lines:
            if len(cells) != len(heading):
                problem = f"{len(cells)} cells, but the heading has {len(heading)}"
                remedy = 'write one cell a column; put a cell with a comma in "…"'
                raise ConfigError(self._path, problem, remedy, line)
            yield line, dict(zip(heading, cells, strict=True))

    def bad(self, line: int, cell: CellError) -> ConfigError:
        """The error about a cell."""
        return ConfigError(self._path, cell.problem, cell.remedy, line)

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with the line on which it starts; blank lines are passed over."""
        reader = csv.reader(io.StringIO(read_text(self._path), newline=""), strict=True)
        start = 1
        try:
            for cells in reader:
                if any(cells):
                    yield start, [cell.strip() for cell in cells]
                start = reader.line_num + 1
        except csv.Error as error:
            raise ConfigError(
                self._path,
                f"the quotation marks do not match ({error})",
                'write " inside a cell as ""',
                start,
            ) from None

    def _check_heading(self, line: int, heading: list[str]) -> None:
        begin = f"begin the file with: {','.join(self._required)}"
        if len(heading) == 1 and any(sign in heading[0] for sign in ";\t|"):
            raise ConfigError(
                self._path, "the columns are not divided by commas", "save the table as comma-separated", line
            )
        if not set(heading) & set(self._columns):
            raise ConfigError(self._path, "the heading is missing", begin, line)
        for place, name in enumerate(heading):
            if name not in self._columns:
                raise self.bad(line, self._unknown_column(name))
            if name in heading[:place]:
                raise ConfigError(
                    self._path, f'the column "{name}" stands twice', "remove one of the two", line
                )
        for name in self._required:
            if name not in heading:
                raise ConfigError(self._path, f'the column "{name}" is missing', begin, line)
