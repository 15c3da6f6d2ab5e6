"""The pages of keys: what the built-in files say of each, and what the types take."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final, get_args, get_type_hints

import msgspec
from msgspec import Struct

from config.settings import Settings
from docs._reference.markdown import code, page, table
from docs._reference.structs import fields_of
from probes.publishing.probe_file import ProbeTables

DEFAULTS: Final = Path(__file__).parents[2] / "config" / "defaults"
_HEAD: Final = re.compile(r"^\[\[?(?P<name>[a-z._]+)\]?\]\s*(?:#\s*(?P<remark>.*))?$")
_KEY: Final = re.compile(r"^(?P<key>[a-z_]+) = (?P<rest>.*)$")
RESTART: Final = "RESTART"
_SETTINGS: Final = """
`tatpar.toml` needs only the keys that differ from these. Tables merge key by key; a list (also of tables, as `[[headquarters]]`) replaces the built-in
one whole. A running process takes up a change within seconds; the sections marked **restart** keep the values of the start, and the log says so.
A file with a mistake is refused whole: one line says where, what is wrong and what to write instead.

The same keys as one commented file: [tatpar.toml](../../config/defaults/tatpar.toml). The other files that you write: [formats](../../config/README.md).
"""
_PROBE: Final = """
`probe.toml` lies at the office; `tatpar probe --enrolment FILE` writes it. It is read at the start: after a change, start the probe again.
The same keys as one commented file: [probe.toml](../../config/defaults/probe.toml).
"""


def settings_page() -> str:
    """Every key of `tatpar.toml`."""
    return page(
        "Settings: tatpar.toml",
        "config/defaults/tatpar.toml and the types of config",
        _SETTINGS,
        *_sections("tatpar.toml", Settings),
    )


def probe_settings_page() -> str:
    """Every key of `probe.toml`."""
    return page(
        "Settings of an office: probe.toml",
        "config/defaults/probe.toml and the types of probes",
        _PROBE,
        *_sections("probe.toml", ProbeTables),
    )


def _sections(file: str, whole: type[Struct]) -> list[str]:
    text = (DEFAULTS / file).read_text(encoding="utf-8")
    told, remarks = words_of(text)
    defaults = tomllib.loads(text)
    found = []
    tables = tables_of(whole)
    for name, struct in tables.items():
        rows = []
        for field in fields_of(struct):
            if f"{name}.{field.name}".lstrip(".") in tables:
                continue
            says = told.get(f"{name}.{field.name}".lstrip("."), field.says)
            rows.append(
                [code(field.name), field.kind, _default(defaults, name, field.name, field.default), says]
            )
        restart = " **Restart.**" if RESTART in remarks.get(name, "") else ""
        title = f"## [{name}]" if name else "## Above all tables"
        doc = " ".join((struct.__doc__ or "").split())
        found.append(
            f"{title}\n\n{doc if name else ''}{restart}\n\n"
            + table(["key", "takes", "default", "means"], rows)
        )
    return found


def _default(defaults: dict[str, object], name: str, key: str, otherwise: str) -> str:
    at: object = defaults
    for part in [*name.split("."), key] if name else [key]:
        at = at.get(part) if isinstance(at, dict) else None
    if at is None or (isinstance(at, list) and at and isinstance(at[0], dict)):
        return "see the file" if at is not None else otherwise
    return code(msgspec.json.encode(at).decode())


def tables_of(whole: type[Struct]) -> dict[str, type[Struct]]:
    """The tables of a file by their dotted names; the file itself, under no name, where keys stand above all tables."""
    found: dict[str, type[Struct]] = {}
    for name, hint in get_type_hints(whole).items():
        inner = _struct_in(hint)
        if inner is None:
            found = {"": whole} | found
            continue
        found[name] = inner
        for below, deeper in get_type_hints(inner).items():
            if isinstance(deeper, type) and issubclass(deeper, Struct):
                found[f"{name}.{below}"] = deeper
    return found


def _struct_in(hint: object) -> type[Struct] | None:
    kinds = [hint, *get_args(hint)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Struct)), None)


def words_of(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the comments of a file say: by `table.key`, and by table. A comment may go on below its key."""
    told: dict[str, str] = {}
    remarks: dict[str, str] = {}
    table_name, last = "", ""
    for line in text.splitlines():
        if head := _HEAD.match(line):
            table_name, last = head["name"], ""
            remarks.setdefault(table_name, head["remark"] or "")
        elif found := _KEY.match(line):
            last = f"{table_name}.{found['key']}".lstrip(".")
            told.setdefault(last, _comment(found["rest"]))
        elif last and line.startswith("  ") and (more := _comment(line)):
            told[last] += " " + more  # below the key, or behind an entry of its list
        elif not line.startswith(" "):
            last = ""
    return told, remarks


def _comment(rest: str) -> str:
    """What follows the value, outside of its quotes."""
    quoted = False
    for at, sign in enumerate(rest):
        if sign == '"':
            quoted = not quoted
        elif sign == "#" and not quoted:
            return rest[at + 1 :].strip()
    return ""
