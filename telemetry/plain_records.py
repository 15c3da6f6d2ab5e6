"""Packed records as rows of tuples: what `plain_numpy` has for numpy's structured arrays."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from telemetry.plain_array import Array, chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES: Final = {"u1": "B", "u2": "H", "u4": "I", "u8": "Q", "i8": "q"}


class Layout:
    """Names and widths of a record's fields, without gaps, in this machine's order of octets."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        """`fields`: name and numpy's code of each."""
        self.place = {name: place for place, (name, _) in enumerate(fields)}
        self.packed = struct.Struct("=" + "".join(_CODES[code] for _, code in fields))
        self.itemsize = self.packed.size


class Records:
    """Records of one layout, in order; taken apart when they are first looked at."""

    __slots__ = ("_body", "_rows", "layout")

    def __init__(
        self, layout: Layout, rows: list[tuple[int, ...]], body: bytes | memoryview | None = None
    ) -> None:
        self.layout, self._rows, self._body = layout, rows, body

    @property
    def rows(self) -> list[tuple[int, ...]]:
        """The records, fields in order."""
        if self._body is not None:
            self._rows, self._body = list(self.layout.packed.iter_unpack(self._body)), None
        return self._rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - a field's name, a slice, a mask, or positions
        """A field of all, or some of the records."""
        if isinstance(key, str):
            place = self.layout.place[key]
            return Array([row[place] for row in self.rows])
        if isinstance(key, Array):
            return Records(self.layout, chosen(self.rows, key))
        return Records(self.layout, self.rows[key])
