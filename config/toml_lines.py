"""On which line of a TOML text a key stands. The text has already been accepted by `tomllib`."""

from __future__ import annotations

import re
from typing import Final

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class TomlLines:
    """The line (from 1) of every key, table and array element of one TOML text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        _Scan(text, self._lines).document()

    def line(self, path: KeyPath) -> int | None:
        """The line of the key, or of the nearest thing around it that is in the text."""
        for length in range(len(path), 0, -1):
            found = self._lines.get(path[:length])
            if found is not None:
                return found
        return None

    def paths(self) -> list[KeyPath]:
        """Every path that has a line."""
        return list(self._lines)


class _Scan:
    """One pass over the text. It follows TOML 1.0's grammar and judges nothing."""

    def __init__(self, text: str, lines: dict[KeyPath, int]) -> None:
        self._text = text
        self._at = 0
        self._counted_to = 0
        self._line = 1
        self._lines = lines
        self._elements: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK_LINES)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._key_value(table)
            self._skip(_BLANK_LINES)

    def _header(self) -> KeyPath:
        array = self._text.startswith("[[", self._at)
        line = self._here()
        self._at += 2 if array else 1
        *parents, last = self._key()
        path = (*self._inside(parents), last)
        if array:
            self._lines.setdefault(path, line)
            index = self._elements.get(path, -1) + 1
            self._elements[path] = index
            path = (*path, index)
        elif path in self._elements:
            path = (*path, self._elements[path])
        self._note(path, line)
        self._at += 2 if array else 1
        return path

    def _inside(self, parents: list[str]) -> KeyPath:
        """The path of a table's parents: an array of tables among them means its last element."""
        path: KeyPath = ()
        line = self._here()
        for part in parents:
            path = (*path, part)
            self._lines.setdefault(path, line)
            if path in self._elements:
                path = (*path, self._elements[path])
        return path

    def _key_value(self, table: KeyPath) -> None:
        line = self._here()
        path = table + tuple(self._key())
        for length in range(len(table) + 1, len(path) + 1):
            self._lines.setdefault(path[:length], line)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_BLANK)
            if self._text[self._at] in "\"'":
                parts.append(self._string())
            else:
                parts.append(self._take(_BARE_KEY))
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        elif first in "\"'":
            self._string()
        else:
            self._take(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while True:
            self._skip(_BLANK_LINES)
            if self._text[self._at] == "]":
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
                index += 1
                continue
            self._note((*path, index), self._here())
            self._value((*path, index))

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK_LINES)
            if self._text[self._at] == "}":
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._key_value(path)

    def _string(self) -> str:
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            return self._long_string(quote)
        start = self._at + 1
        end = start
        while self._text[end] != quote:
            end += 2 if quote == '"' and self._text[end] == "\\" else 1
        self._at = end + 1
        inner = self._text[start:end]
        return _ESCAPE.sub(_unescape, inner) if quote == '"' else inner

    def _long_string(self, quote: str) -> str:
        end = self._at + 3
        while not self._text.startswith(quote * 3, end):
            end += 2 if quote == '"' and self._text[end] == "\\" else 1
        end += 3
        while (
            end < len(self._text) and self._text[end] == quote
        ):  # up to two quotes may stand before the closing three
            end += 1
        self._at = end
        return ""  # a multi-line string is never a key

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise AssertionError(f"not TOML at offset {self._at}")
        self._at = match.end()
        return match.group()

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line

    def _note(self, path: KeyPath, line: int) -> None:
        self._lines[path] = line


def _unescape(match: re.Match[str]) -> str:
    short, long, single = match.groups()
    if single is not None:
        return _ESCAPED[single]
    return chr(int(short or long, 16))
