"""Tables as CSV: for spreadsheets and scripts, the same figures as on the page but without rounding and locale."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reports.document import Cell, Table

MARK: Final = "\ufeff"
"""Spreadsheets take a file for UTF-8 only when it begins with this; Python reads it as `utf-8-sig`."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run: an office's name is the operator's to choose."""


def csv_of(table: Table) -> str:
    """Headings with units (`below_h`), then a row each; what is not known is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[_value(cell) for cell in row] for row in table.rows])
    return MARK + out.getvalue()


def _value(cell: Cell) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return f"{value:.10g}"
