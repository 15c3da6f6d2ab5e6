"""A TOML file read into a frozen type: strictly, and explained by line when wrong."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from config.errors import ConfigError
from config.expected import expected_at, fields_at, sample_at, tables_with
from config.renamed import gone
from config.text import one_of, read_text
from config.toml_lines import TomlLines

if TYPE_CHECKING:
    from pathlib import Path

    from config.toml_lines import KeyPath

T = TypeVar("T")

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_PLACE = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")
_MISSING = re.compile(r"Object missing required field `(.*?)`")
_SYNTAX: Final = (
    ("Cannot overwrite a value", "the key stands here for the second time", "keep one of the two"),
    ("Cannot declare", "the table stands here for the second time", "put its keys under the first one"),
    ("Cannot mutate immutable", "the table is complete already", "put the key where the table is written"),
    ("Expected '=' after a key", "the equals sign is missing", "write: key = value"),
    (
        "Expected newline or end of document",
        "the value is over before the line is",
        "write one key on a line, text in quotes, no leading zeros",
    ),
    ("Illegal character", "a text goes on past the end of the line", "close it with a quotation mark"),
    ("Unterminated string", "a text is not closed", "close it with a quotation mark"),
    ("Unclosed array", "a list is not closed", "close it with ]"),
    ("Invalid value (at end", "the file ends inside a value", "finish the value, close a list with ]"),
    (
        "Invalid value",
        "the value is none that TOML knows",
        "put text in quotes, write true or false in lower case",
    ),
    ("Invalid statement", "this is neither a key nor a table", "write: key = value, or [table]"),
    (
        "Invalid initial character for a key",
        "the key is missing or starts with a strange character",
        "write: key = value",
    ),
    ("Expected ']' at the end of a table", "the table's name is not closed", "close it with ]"),
    (
        "Expected ']]' at the end of an array",
        "the name of a list of tables is not closed",
        "close it with ]]",
    ),
    ("Unescaped '\\'", "a backslash means something else in a text", "double it, or use single quotes"),
)


class TomlFile:
    """One parsed file: its tables, and where each key stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = read_text(path)
        try:
            self.tables: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise self._syntax(str(error), text) from None
        self._lines = TomlLines(text.replace("\r\n", "\n"))

    def wrong(self, key: KeyPath, problem: str, remedy: str) -> ConfigError:
        """The error about one key of this file."""
        return ConfigError(self.path, problem, remedy, self._lines.line(key))

    def convert(self, tables: dict[str, Any], kind: type[T]) -> T:
        """The tables as `kind`; they may be this file's over the defaults of another.

        Raises:
            ConfigError: an unknown or missing key, or a value of the wrong kind or out of its range.
        """
        try:
            return msgspec.convert(tables, kind)
        except msgspec.ValidationError as error:
            raise self._explained(str(error), tables, kind) from None

    def _explained(self, message: str, tables: dict[str, Any], kind: type) -> ConfigError:
        place = _PLACE.search(message)
        path = _path(place.group(1)) if place else ()
        if unknown := _UNKNOWN.match(message):
            name = unknown.group(1)
            known = fields_at(kind, path)
            where = f"{spelled(path)} has no key" if path else "there is no key or table"
            if was := gone((*path, name)):
                return self.wrong((*path, name), f'{where} "{name}" since {was.since}', was.instead)
            homes = [f"[{table}]" for table in tables_with(kind, name)]
            remedy = f"write it below {' or '.join(homes)}" if homes else one_of(name, known)
            return self.wrong((*path, name), f'{where} "{name}"', remedy)
        if missing := _MISSING.match(message):
            name = missing.group(1)
            return self.wrong(
                path,
                f'{spelled(path) or "the file"} has no "{name}"',
                f"add {sample_at(kind, (*path, name))}",
            )
        if place and place.group(1).endswith("[...]"):  # a table of texts, under names of the operator's own
            texts: Any = _value_at(tables, path)
            path = (*path, next(name for name, text in texts.items() if not isinstance(text, str)))
        value = _value_at(tables, path)
        return self.wrong(path, f"{spelled(path)} is {shown(value)}", f"write {expected_at(kind, path)}")

    def _syntax(self, message: str, text: str) -> ConfigError:
        found = _POSITION.search(message)
        line = int(found.group(1)) if found and found.group(1) else text.rstrip().count("\n") + 1
        for start, problem, remedy in _SYNTAX:
            if message.startswith(start):
                return ConfigError(self.path, problem, remedy, line)
        plain = _POSITION.sub("", message)
        return ConfigError(self.path, f"not TOML: {plain}", "compare with the reference file", line)


def spelled(path: KeyPath) -> str:
    """A path as the operator would say it: `headquarters 2 reflectors` (list elements count from 1)."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f" {step + 1}"
        else:
            words += f".{step}" if words and not words[-1].isdigit() else f" {step}" if words else step
    return words


def shown(value: object) -> str:
    """A value as TOML would write it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:39]}…"'
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _path(place: str) -> KeyPath:
    return tuple(name or int(index) for name, index in _STEP.findall(place))


def _value_at(tables: object, path: KeyPath) -> object:
    for step in path:
        tables = tables[step]  # type: ignore[index]
    return tables
