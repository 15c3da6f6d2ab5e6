"""The page of points: what stands in InfluxDB or VictoriaMetrics, from the modules that write them."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Final

from docs._reference.markdown import code, page, table
from docs._reference.structs import words_below
from telemetry.store.server import decided, item_points, points
from telemetry.store.server.decided import ACTIONS, OUTCOMES, REASONS, STATES, VOIDED, Decided
from telemetry.store.server.item_points import Itemised
from telemetry.store.server.points import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum
    from types import ModuleType

_INTRO: Final = """
`<prefix>` is `store.prefix` (`tatpar` by default). In VictoriaMetrics a metric is `<measurement>_<field>`. Integers stay integers, what is absent is an absent
field, enums are numbers (below). Fields whose names begin with `packed_` are for Tatpar alone. How the points lie in time, and what goes wrong with servers:
[the server store](../../telemetry/store/server/README.md).
"""
OF_BOTH: Final = (*points.BOTH_COUNTS, *points.BOTH_FLOATS, *points.RECEIVED, points.COMMIT)
OF_WAY: Final = points.WAY_COLUMNS
OF_REPORT: Final = (*points.RECEIVED, points.COMMIT, points.OFF_GRID, *points.REPORT_COUNTS, *points.REPORT_FLOATS, points.ITEMS)
MEASURED: Final[dict[Family, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Family.WINDOW: (("site", "probe", "path"), (*OF_BOTH, points.OFF_GRID, points.HISTOGRAMS)),
    Family.WINDOW_DIRECTION: (("site", "probe", "path", "direction"), OF_WAY),
    Family.ROLLUP: (
        ("site", "probe", "path"),
        (*OF_BOTH, "windows", points.VERSION, points.HISTOGRAMS, points.WINDOW_VALUES),
    ),
    Family.ROLLUP_DIRECTION: (("site", "probe", "path", "direction"), OF_WAY),
    Family.REPORT: (("site", "probe"), OF_REPORT),
}


def points_page() -> str:
    """Every measurement with its tags and fields, and the numbers of enums."""
    measured = [(family, *MEASURED[family]) for family in Family]
    said = words_below(Family) | words_below(Itemised) | words_below(Decided)
    parts = ["## Measured", _table(measured, said)]
    parts += ["## Live calls and rehearsals", _table(written(item_points, Itemised), said)]
    parts += ["## Decided", _table(written(decided, Decided), said)]
    numbers = {"state of a verdict": {**STATES, "moved or cancelled": VOIDED}, "state of an outcome": OUTCOMES, "reason": REASONS, "action": ACTIONS}
    parts += ["## Numbers of enums", table(["what", "numbers"], [[what, _numbers(which)] for what, which in numbers.items()])]
    return page("Points in a database server", "telemetry/store/server", _INTRO, *parts)


def _numbers(which: Mapping[object, int]) -> str:
    return ", ".join(f"{number} {str(name).replace('_', ' ')}" for name, number in which.items())


def _table(rows: Iterable[tuple[StrEnum, tuple[str, ...], tuple[str, ...]]], said: dict[str, str]) -> str:
    return table(
        ["measurement", "tags", "fields", "what"],
        [[code(f"<prefix>_{kind}"), ", ".join(tags), ", ".join(map(code, names)), said.get(kind.name, "")] for kind, tags, names in rows],
    )


def written(module: ModuleType, kinds: type[StrEnum]) -> list[tuple[StrEnum, tuple[str, ...], tuple[str, ...]]]:
    """Each measurement of a module, with the tags and fields that its source writes."""
    tree = ast.parse(inspect.getsource(module))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found = []
    for kind in kinds:
        makers = [one for one in functions.values() if any(_names(node, kinds.__name__, kind.name) for node in ast.walk(one))]
        makers += [functions[name] for name in (f"_{kind}",) if name in functions]
        assert makers, kind
        found.append((kind, *_tags_and_fields(makers)))
    return found


def _names(node: ast.AST, kinds: str, member: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == member and ast.unparse(node.value) == kinds


def _tags_and_fields(makers: list[ast.FunctionDef]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    tags: dict[str, None] = {}
    fields: dict[str, None] = {}
    for node in (inner for maker in makers for inner in ast.walk(maker)):
        if isinstance(node, ast.Dict):
            tags |= dict.fromkeys(key.value for key in node.keys if isinstance(key, ast.Constant))  # type: ignore[misc]
        elif isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "" for part in node.values)  # type: ignore[misc]
            tags |= dict.fromkeys(piece.partition("=")[0] for piece in text.split(",") if "=" in piece)
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
            if isinstance(name := node.elts[0].value, str):
                fields[name] = None
    return tuple(tags), tuple(fields)
