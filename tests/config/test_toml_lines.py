"""Where a key stands in a TOML text."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.toml_lines import TomlLines

TEXT = """\
# a comment with [brackets] and a = sign
title = "a # that is no comment"
"quoted key" = 'single [ quotes ]'

[a.b]  # a table
plain = 1
dotted.key.path = [ # an array over lines
  1,
  2, # two
  { inner = "x", deep.er = 3 },
]
long = \"\"\"
not = "a key"
[not.a.table]
\\\"""still inside\"\"\"\"
after = true
when = 1979-05-27 07:32:00

[[list]]
id = 1
  [list.sub]
  x = 1
  [[list.rows]]
  y = 1
  [[list.rows]]
  y = 2
[[list]]
id = 2
[list.sub]
x = '''
'
''' # ended
x2 = "\\"#\\u0041"
"""


def test_lines_of_every_kind_of_key() -> None:
    """Tables, dotted keys, arrays over lines, inline tables, arrays of tables and long texts keep their lines."""
    assert tomllib.loads(TEXT)["list"][1]["sub"]["x2"] == '"#A'
    lines = TomlLines(TEXT)
    expected = {
        ("title",): 2,
        ("quoted key",): 3,
        ("a",): 5,
        ("a", "b"): 5,
        ("a", "b", "plain"): 6,
        ("a", "b", "dotted"): 7,
        ("a", "b", "dotted", "key", "path"): 7,
        ("a", "b", "dotted", "key", "path", 0): 8,
        ("a", "b", "dotted", "key", "path", 1): 9,
        ("a", "b", "dotted", "key", "path", 2, "inner"): 10,
        ("a", "b", "dotted", "key", "path", 2, "deep", "er"): 10,
        ("a", "b", "long"): 12,
        ("a", "b", "after"): 16,
        ("a", "b", "when"): 17,
        ("list",): 19,
        ("list", 0): 19,
        ("list", 0, "id"): 20,
        ("list", 0, "sub"): 21,
        ("list", 0, "sub", "x"): 22,
        ("list", 0, "rows", 0, "y"): 24,
        ("list", 0, "rows", 1): 25,
        ("list", 0, "rows", 1, "y"): 26,
        ("list", 1): 27,
        ("list", 1, "id"): 28,
        ("list", 1, "sub", "x"): 30,
        ("list", 1, "sub", "x2"): 33,
    }
    assert {path: lines.line(path) for path in expected} == expected


def test_line_of_what_is_not_there_is_that_of_its_surroundings() -> None:
    """A key that the text lacks has the line of the table that it would be in, or none."""
    lines = TomlLines("[a]\nb = 1\n")
    assert lines.line(("a", "missing")) == 1
    assert lines.line(("missing",)) is None


SCALARS = st.one_of(
    st.integers(-(2**40), 2**40).map(str),
    st.booleans().map(lambda flag: "true" if flag else "false"),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=12).map(
        lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
    st.text("abc #[]{}=,.\n", max_size=12).map(lambda text: f"'''\n{text}'''"),
    st.text("abc #[]{}=,.", max_size=12).map(lambda text: f"'{text}'"),
    st.sampled_from(["1.5", "inf", "0x1F", "2026-11-24T11:00:00+05:30", '""', '"""a "" b"""', '"a\\\\"']),
)
BREAKS = st.sampled_from(["", " ", "\n", " # a ] comment , }\n  "])
KEYS = st.sampled_from(["a", "b-c", "d_1", '"e f"', '"g.h"', "'i'", '"\\u0061b"'])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(st.tuples(inner, BREAKS), max_size=3).map(
        lambda items: "[" + ",".join(f"{gap}{item}{gap}" for item, gap in items) + "]"
    ),
    max_leaves=6,
)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _paths(inner, (*path, index))
    return found


@given(
    st.lists(st.tuples(st.integers(0, 2), KEYS, VALUES, st.integers(0, 2)), max_size=8),
    st.booleans(),
)
def test_every_key_is_found_on_the_line_it_was_written_on(
    entries: list[tuple[int, str, str, int]], arrays: bool
) -> None:
    """In any document, each key has exactly the line on which it was written, and nothing else has one."""
    text, truth, used = "", {}, set()
    for number, (blank, key, value, tables) in enumerate(entries):
        text += "\n# [x] = 1\n" * blank
        name = tomllib.loads(f"{key} = 1").popitem()[0]
        if tables:
            header = f"[[t{number}.{key}]]" if arrays else f"[t{number}.{key}]"
            truth[f"t{number}", name] = text.count("\n") + 1
            text += f"{header}\n"
            table: tuple[str | int, ...] = (f"t{number}", name, 0) if arrays else (f"t{number}", name)
        elif number or (name,) in used:
            table = (f"p{number}",)
            truth[table] = text.count("\n") + 1
            text += f"[p{number}]\n"
        else:
            table = ()
        used.add((*table, name))
        truth[*table, name] = text.count("\n") + 1
        text += f"{key} = {value}\n"
    lines = TomlLines(text)
    assert {path: lines.line(path) for path in truth} == truth
    assert set(lines.paths()) == set(_paths(tomllib.loads(text)))
