"""What a key of a frozen type accepts, in words, read from the type itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import inspect

if TYPE_CHECKING:
    from config.toml_lines import KeyPath


def fields_at(kind: type, path: KeyPath) -> list[str]:
    """The names of the keys of the table at `path`."""
    found = _type_at(inspect.type_info(kind), path)
    return [field.encode_name for field in found.fields] if isinstance(found, inspect.StructType) else []


def expected_at(kind: type, path: KeyPath) -> str:
    """What may stand at `path`, as `a number above 0`."""
    return _words(_type_at(inspect.type_info(kind), path))


def sample_at(kind: type, path: KeyPath) -> str:
    """What could be written for the key at `path`, as `name = "…"`."""
    found = _type_at(inspect.type_info(kind), path)
    match found:
        case inspect.StructType():
            return f"a table {path[-1]}"
        case inspect.IntType() | inspect.FloatType():
            return f"{path[-1]} = 1"
        case inspect.VarTupleType():
            return f'{path[-1]} = ["…"]'
        case _:
            return f'{path[-1]} = "…"'


def tables_with(kind: type, name: str) -> list[str]:
    """The tables of the first level that have a key of this name."""
    found = inspect.type_info(kind)
    fields = found.fields if isinstance(found, inspect.StructType) else ()
    return [field.encode_name for field in fields if name in fields_at(kind, (field.encode_name,))]


def _type_at(found: inspect.Type, path: KeyPath) -> inspect.Type:
    for step in path:
        found = _bare(found)
        if isinstance(found, inspect.StructType):
            found = next(field.type for field in found.fields if field.encode_name == step)
        elif isinstance(found, inspect.VarTupleType):
            found = found.item_type
        elif isinstance(found, inspect.DictType):
            found = found.value_type
    return _bare(found)


def _bare(found: inspect.Type) -> inspect.Type:
    """Without the `| None` of a key that may be absent, and without metadata."""
    if isinstance(found, inspect.UnionType):
        return next(kind for kind in found.types if not isinstance(kind, inspect.NoneType))
    return _bare(found.type) if isinstance(found, inspect.Metadata) else found


def _words(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            words = "true or false"
        case inspect.IntType():
            words = "a whole number" + _range(kind)
        case inspect.FloatType():
            words = "a number" + _range(kind)
        case inspect.LiteralType():
            words = " or ".join(f'"{value}"' for value in kind.values)
        case inspect.VarTupleType():
            words = f"a list of {_plural(kind.item_type)}"
        case inspect.StructType():
            words = "a table"
        case inspect.StrType(min_length=1):
            words = "a text in quotes that is not empty"
        case _:
            words = "a text in quotes"
    return words


def _plural(kind: inspect.Type) -> str:
    return "tables" if isinstance(_bare(kind), inspect.StructType) else "texts in quotes"


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:,.13g} to {kind.le:,.13g}"
    bounds = [
        f" {word} {value:g}"
        for word, value in (
            ("above", kind.gt),
            ("of at least", kind.ge),
            ("below", kind.lt),
            ("of at most", kind.le),
        )
        if value is not None
    ]
    return " and".join(bounds)
