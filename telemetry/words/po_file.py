"""The part of gettext's .po format that the catalogues use, read with Python alone: an office's install has no Babel.

An entry is `msgid "key"` and `msgstr "text"`; one with plural forms has `msgid_plural` and `msgstr[0]`, `msgstr[1]`
between. A text goes on in the next line, in quotes again. Comments stand in lines of their own. The entry of the empty
key is the file's head. A test reads every catalogue with Babel too and finds the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE: Final = re.compile(r'(?:(msgid_plural|msgid|msgstr(?:\[[01]\])?)\s+)?"((?:[^"\\]|\\.)*)"')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}

Forms = dict[str, str]
"""Texts of an entry by what stood before them: `msgstr`, or `msgstr[0]` and `msgstr[1]`."""


class PoError(ValueError):
    """A line is no line of such a file; the text says which."""


def read_po(file: Path) -> Iterator[tuple[str, Forms]]:
    """Key and texts of each entry, in the order of the file, without its head.

    Raises:
        PoError: a line cannot be understood, or an entry is not whole.
    """
    entry: dict[str, str] = {}
    field = ""
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _LINE.fullmatch(text)
        if found is None or not (found[1] or field):
            raise PoError(f"{file.name}, line {number}: no line of a catalogue: {text}")
        if found[1] == "msgid":
            yield from _whole(entry, file, number)
            entry = {}
        field = found[1] or field
        if found[1] and field in entry:
            raise PoError(f"{file.name}, line {number}: a second {field} in one entry")
        entry[field] = entry.get(field, "") + _ESCAPE.sub(_unescaped, found[2])
    yield from _whole(entry, file, number=0)


def _unescaped(escape: re.Match[str]) -> str:
    return _ESCAPED.get(escape[1], escape[0])


def _whole(entry: dict[str, str], file: Path, number: int) -> Iterator[tuple[str, Forms]]:
    """An entry that has ended, unless it is the file's head."""
    if not entry.get("msgid"):
        return
    wanted = {"msgid", "msgid_plural", "msgstr[0]", "msgstr[1]"} if "msgid_plural" in entry else None
    if entry.keys() != (wanted or {"msgid", "msgstr"}):
        where = f"{file.name}, before line {number}" if number else f"{file.name}, at its end"
        raise PoError(f"{where}: {entry['msgid']!r} is not whole")
    yield entry["msgid"], {name: text for name, text in entry.items() if name.startswith("msgstr")}
