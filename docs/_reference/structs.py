"""Fields of msgspec types: name, kind, range, default, and the words that stand below them in the source."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from enum import Enum
from functools import cache
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

import msgspec
import msgspec.structs
from msgspec import inspect as types

from telemetry.messages import Item, Opaque

if TYPE_CHECKING:
    from msgspec import Struct

UNITS: Final = {
    "_ns": "ns since 1970-01-01 UTC",
    "_ms": "ms",
    "_s": "s",
    "_min": "min",
    "_h": "h",
    "_days": "days",
    "_bps": "bit/s",
    "_mbps": "Mbit/s",
    "_pps": "packets/s",
    "_ratio": "0 to 1",
    "_pct": "%",
    "_bytes": "bytes",
}
"""By the end of a name (style of the house: the unit stands in the name)."""
_SPANS: Final = {"mono_ns": "ns since the boot"}


@dataclass(frozen=True)
class Field:
    """One field as people read it."""

    name: str
    kind: str
    default: str
    says: str

    @property
    def unit(self) -> str:
        """The unit that the name says, or nothing."""
        if self.name in _SPANS:
            return _SPANS[self.name]
        return next((unit for end, unit in UNITS.items() if self.name.endswith(end)), "")


def fields_of(struct: type[Struct]) -> list[Field]:
    """The fields in their order."""
    told = words_below(struct)
    hints = get_type_hints(struct, include_extras=True)
    return [
        Field(
            field.encode_name,
            kind_of(_translated(hints[field.name])),
            _default(field),
            told.get(field.name, ""),
        )
        for field in msgspec.structs.fields(struct)
    ]


def _translated(hint: Any) -> types.Type:  # noqa: ANN401 - whatever a field may be
    """The type of a field, as msgspec sees it; an item that is kept as it came (`Opaque`) is no kind of its own."""
    if Opaque in {inner for one in get_args(hint) for inner in (one, *get_args(one))}:
        hint = tuple[Item, ...]
    return types.type_info(hint)


def kind_of(kind: types.Type) -> str:  # noqa: C901, PLR0911 - one answer a kind of type
    """A type in words, with its range."""
    match kind:
        case types.IntType(ge=0, le=9_007_199_254_740_991):
            return "count"
        case types.IntType() | types.FloatType():
            name = "whole number" if isinstance(kind, types.IntType) else "number"
            return name + _range(kind.ge, kind.le, kind.gt)
        case types.StrType():
            return f"text `{kind.pattern}`" if kind.pattern else "text" + _lengths(kind)
        case types.BoolType():
            return "true or false"
        case types.LiteralType():
            return ", ".join(f"`{one}`" for one in kind.values)
        case types.EnumType():
            return ", ".join(
                f"{one.value} {one.name.lower().replace('_', ' ')}" for one in _members(kind.cls)
            )
        case types.StructType():
            return f"`{kind.cls.__name__}`"
        case types.UnionType():
            parts = [kind_of(one) for one in kind.types if not isinstance(one, types.NoneType)]
            return " or ".join(parts)
        case types.VarTupleType() | types.ListType():
            return f"list of {kind_of(kind.item_type)}"
        case types.TupleType():
            return f"[{', '.join(kind_of(one) for one in kind.item_types)}]"
        case types.DictType():
            return "table"
        case _:
            return "anything"


def _members(cls: type[Enum]) -> list[Any]:
    return list(cls)


def _range(ge: float | None, le: float | None, gt: float | None) -> str:
    low = ge if ge is not None else gt
    if low is None or le is None:
        return ""
    return f", {'above ' if gt is not None else ''}{number(low)} to {number(le)}"


def _lengths(kind: types.StrType) -> str:
    return f", at most {kind.max_length}" if kind.max_length else ""


def number(value: float) -> str:
    """A bound as people write it."""
    for power in (53, 63):
        if value == 2**power - 1:
            return f"2^{power} − 1"
    if value == int(value) and abs(value) < 10**9:
        return f"{int(value):,}"
    return f"{value:g}"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "–"
    if field.default_factory is not msgspec.NODEFAULT:
        return shown(field.default_factory())
    return shown(field.default)


def shown(value: object) -> str:
    """A default; what is absent is said to be."""
    if value is None:
        return "absent"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, (bool, int, float, str, tuple, list, dict)):
        return f"`{msgspec.json.encode(value).decode()}`"
    return "its own defaults"


@cache
def words_below(cls: type) -> dict[str, str]:
    """What the strings below a class's attributes say, as `enum` members and fields carry them; those of its bases too."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] not in {"builtins", "msgspec", "enum", "abc"}:
            found |= _words_of_source(base)
    return found


def _words_of_source(cls: type) -> dict[str, str]:
    (tree,) = ast.parse(dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for statement, after in zip(tree.body, tree.body[1:], strict=False):
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0] if isinstance(statement.targets[0], ast.Name) else None
        is_said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(target, ast.Name) and is_said:
            found[target.id] = " ".join(str(after.value.value).split())  # type: ignore[attr-defined]
    return found
