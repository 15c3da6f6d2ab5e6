"""An iCalendar text as nested blocks of properties, each with the line it starts on (RFC 5545 section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from icalendar.parser import Contentline
from msgspec import Struct

from config.errors import ConfigError
from config.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Property(NamedTuple):
    """One content line: `NAME;PARAM=x:value`, unfolded, the value still escaped."""

    name: str
    params: Mapping[str, str]
    value: str
    line: int


class Block(Struct):
    """What stands between BEGIN:NAME and END:NAME."""

    name: str
    line: int
    properties: list[Property] = []
    blocks: list[Block] = []

    def all(self, name: str) -> list[Property]:
        """The properties of one name, in order."""
        return [prop for prop in self.properties if prop.name == name]

    def text(self) -> str:
        """The block as iCalendar text again, for a library that wants it whole."""
        own = (f"{prop.name}:{prop.value}" for prop in self.properties)
        lines = [f"BEGIN:{self.name}", *own, *(block.text() for block in self.blocks), f"END:{self.name}"]
        return "\r\n".join(lines)


def read_calendars(path: Path) -> list[Block]:
    """The VCALENDAR blocks of a file; there is at least one.

    Raises:
        ConfigError: with the line, when the blocks do not nest or a line is no content line.
    """
    root = Block(name="", line=1)
    stack = [root]
    for line, text in _unfolded(read_text(path)):
        prop = _property(path, line, text)
        if prop.name == "BEGIN":
            inner = Block(name=prop.value.strip().upper(), line=line)
            stack[-1].blocks.append(inner)
            stack.append(inner)
        elif prop.name == "END":
            _close(path, stack, prop)
        else:
            stack[-1].properties.append(prop)
    if len(stack) > 1:
        open_block = stack[-1]
        problem = f"BEGIN:{open_block.name} is never ended"
        raise ConfigError(path, problem, f"close it with END:{open_block.name}", open_block.line)
    _check_top(path, root)
    return root.blocks


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first physical one; a line that starts with a blank continues."""
    start, pending = 0, ""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if line[:1] in {" ", "\t"} and pending:
            pending += line[1:]
            continue
        if pending.strip():
            yield start, pending
        start, pending = number, line
    if pending.strip():
        yield start, pending


def _property(path: Path, line: int, text: str) -> Property:
    try:
        name, params, value = Contentline(text).parts()  # type: ignore[no-untyped-call]
    except ValueError:
        raise ConfigError(
            path,
            f'"{text[:40]}" is not a property',
            "write NAME:value, or begin the line with a blank if it continues the one above",
            line,
        ) from None
    plain = {key.upper(): item if isinstance(item, str) else ",".join(item) for key, item in params.items()}
    return Property(name.upper(), plain, value, line)


def _close(path: Path, stack: list[Block], prop: Property) -> None:
    name = prop.value.strip().upper()
    if len(stack) == 1:
        raise ConfigError(
            path, f"END:{name} ends nothing", f"begin with BEGIN:{name}, or remove it", prop.line
        )
    if stack[-1].name != name:
        problem = f"END:{name} stands inside {stack[-1].name} (begun on line {stack[-1].line})"
        raise ConfigError(path, problem, f"write END:{stack[-1].name}", prop.line)
    stack.pop()


def _check_top(path: Path, root: Block) -> None:
    if root.properties:
        raise ConfigError(
            path,
            "a property stands outside of the calendar",
            "begin with BEGIN:VCALENDAR",
            root.properties[0].line,
        )
    for block in root.blocks:
        if block.name != "VCALENDAR":
            raise ConfigError(
                path, f"{block.name} stands outside of a calendar", "begin with BEGIN:VCALENDAR", block.line
            )
    if not root.blocks:
        raise ConfigError(path, "there is no calendar in the file", "begin with BEGIN:VCALENDAR", 1)
