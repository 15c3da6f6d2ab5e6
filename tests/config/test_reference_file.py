"""The reference file is complete, commented, and the same as what the types default to."""

from __future__ import annotations

import re
import tomllib

import msgspec
import pytest

from config.live import RESTART_SECTIONS
from config.settings import Settings
from config.settings_file import DEFAULT_SETTINGS, SettingsFile
from config.toml_lines import TomlLines

TEXT = DEFAULT_SETTINGS.read_text(encoding="utf-8")
LINES = TEXT.splitlines()
SECTIONS = {field.name: field for field in msgspec.structs.fields(Settings)}


def _keys() -> list[tuple[str, ...]]:
    """Every key of every section; of a list of tables, those of its first."""
    keys: list[tuple[str, ...]] = []
    for name in SECTIONS:
        section = getattr(Settings(), name)
        first = section[0] if isinstance(section, tuple) else section
        keys += _keys_of(first, (name,))
    return keys


def _keys_of(section: msgspec.Struct, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Its keys, and those of the tables within it; a table of the operator's own names has none to list."""
    keys: list[tuple[str, ...]] = []
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, msgspec.Struct):
            keys += _keys_of(value, (*path, name))
        elif not isinstance(value, dict):
            keys.append((*path, name))
    return keys


def test_reference_file_equals_the_built_in_defaults() -> None:
    """Reading the reference file gives what the types default to."""
    assert SettingsFile(None).settings == Settings()
    assert msgspec.convert(tomllib.loads(TEXT), Settings) == Settings()


@pytest.mark.parametrize("key", _keys(), ids=".".join)
def test_reference_file_lists_and_explains_every_key(key: tuple[str, ...]) -> None:
    """Each key of the settings stands in the reference file with a comment of its own."""
    section, name = key[0], key[-1]
    path = (section, 0, name) if isinstance(getattr(Settings(), section), tuple) else key
    lines = TomlLines(TEXT)
    assert path in lines.paths()
    written = LINES[(lines.line(path) or 0) - 1]
    assert re.match(rf"{name} = .*# \S", written), written


def test_reference_file_marks_the_sections_that_need_a_restart() -> None:
    """The sections marked RESTART are those whose values a running process keeps."""
    marked = re.findall(r"^\[(\w+)\]\s+# RESTART", TEXT, re.MULTILINE)
    assert tuple(marked) == RESTART_SECTIONS


_SPAN = re.compile(r"([0-9][0-9,._]*(?:e[0-9]+)?) to ([0-9][0-9,._]*(?:e[0-9]+)?)(?![0-9])")


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("_", "").rstrip("."))


def _ranges() -> dict[tuple[str, ...], tuple[float, float]]:
    """(ge, le) of every number of the settings that has a range, by its key."""
    found: dict[tuple[str, ...], tuple[float, float]] = {}

    def look(kind: object, path: tuple[str, ...]) -> None:
        known = msgspec.inspect.type_info(kind) if isinstance(kind, type) else kind
        if isinstance(known, msgspec.inspect.StructType):
            for field in known.fields:
                look(field.type, (*path, field.encode_name))
        elif isinstance(known, msgspec.inspect.IntType | msgspec.inspect.FloatType) and None not in (
            known.ge,
            known.le,
        ):
            found[path] = (float(known.ge or 0), float(known.le or 0))

    look(Settings, ())
    return found


def test_the_ranges_that_the_reference_file_names_are_those_of_the_types() -> None:
    """One truth: `A to B` in a comment of a number is what is accepted."""
    lines, looked = TomlLines(TEXT), 0
    for path, (least, most) in _ranges().items():
        line = lines.line(path)
        comment = LINES[line - 1].partition("#")[2] if line else ""
        told = [(_number(low), _number(high)) for low, high in _SPAN.findall(comment)]
        if told:
            assert (least, most) in told, (".".join(path), comment.strip(), least, most)
            looked += 1
    assert looked > 40
