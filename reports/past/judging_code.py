"""The source that judges a past: what the readers of judged days import, however far, of the rooms that judge and of their own."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

_READER: Final = "reports.past.judged"
_ROOMS: Final = ("analytics.", "reports.past.")


def files_that_judge() -> list[Path]:
    """The files, sorted by their modules: a change of any of them may change what a judged day says."""
    found: dict[str, Path] = {}
    ahead = [_READER]
    while ahead:
        module = ahead.pop()
        if module not in found and (file := _file_of(module)) is not None:
            found[module] = file
            ahead += [name for name in _imported(ast.parse(file.read_bytes())) if name.startswith(_ROOMS)]
    return [found[module] for module in sorted(found)]


def _file_of(module: str) -> Path | None:
    """None of a name that is no module, as of a function that is imported out of one."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def _imported(node: ast.AST) -> Iterator[str]:
    """The names of all modules that are imported to run, not for their types alone; of `from a import b` also `a.b`."""
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (node.module, *(f"{node.module}.{each.name}" for each in node.names))
    else:
        below = node.orelse if _is_for_types(node) else ast.iter_child_nodes(node)
        for each in below:
            yield from _imported(each)


def _is_for_types(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
