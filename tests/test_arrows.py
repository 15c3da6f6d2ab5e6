"""Imports run one way through the house, and an office's install needs no library of the hub."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOUSE: Final = Path(__file__).parent.parent
PROJECT: Final = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS: Final = frozenset(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
UPSTAIRS: Final = ROOMS - {"tatpar", "telemetry", "config"}
ALLOWED: Final[dict[str, frozenset[str]]] = {
    "tatpar": UPSTAIRS | {"telemetry", "config"},
    **dict.fromkeys(UPSTAIRS, frozenset({"telemetry", "config"})),
    **dict.fromkeys(("dashboards", "reports", "alerts"), frozenset({"telemetry", "config", "analytics"})),
    "lab": frozenset({"telemetry", "config", "probes"}),
    "telemetry": frozenset({"config"}),
    "config": frozenset(),
}
OUTSIDE_WORLD: Final = frozenset(
    [
        "aiofiles",
        "asyncio",
        "fcntl",
        "glob",
        "http",
        "io",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "requests",
        "select",
        "shelve",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uvicorn",
    ]
)
"""Standard modules that read, write, wait or look at the clock."""
READS_OR_WRITES: Final = frozenset(
    [
        "fromfile",
        "genfromtxt",
        "input",
        "load",
        "loadtxt",
        "memmap",
        "open",
        "print",
        "save",
        "savetxt",
        "savez",
        "savez_compressed",
        "tofile",
    ]
)


@dataclass(frozen=True)
class Import:
    """One imported module, and how."""

    module: str
    line: int
    types_only: bool
    on_call: bool
    """Inside a function: not part of importing the file."""

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


def file_of(module: str) -> Path | None:
    """The file of one of our own modules."""
    place = HOUSE.joinpath(*module.split("."))
    found = [p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()]
    return found[0] if found else None


def name_of(file: Path) -> str:
    parts = file.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files(room: str) -> list[Path]:
    return sorted((HOUSE / room).rglob("*.py"))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


@cache
def imports(file: Path) -> tuple[Import, ...]:
    return tuple(found_in(tree(file), types_only=False, on_call=False))


def found_in(node: ast.AST, *, types_only: bool, on_call: bool) -> Iterator[Import]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        for module in modules(node):
            yield Import(module, node.lineno, types_only, on_call)
        return
    on_call |= isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for statement in node.body:
            yield from found_in(statement, types_only=True, on_call=on_call)
        for statement in node.orelse:
            yield from found_in(statement, types_only=types_only, on_call=on_call)
        return
    for child in ast.iter_child_nodes(node):
        yield from found_in(child, types_only=types_only, on_call=on_call)


def modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    """What a statement imports; `from package import module` names the module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, f"line {node.lineno}: a relative import"
    base = node.module or ""
    inner = [f"{base}.{alias.name}" for alias in node.names]
    return [base, *(name for name in inner if base.partition(".")[0] in ROOMS and file_of(name))]


def with_imported(roots: Iterable[Path]) -> set[Path]:
    """The files that run when `roots` are imported."""
    found: set[Path] = set()
    waiting = list(roots)
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        waiting += packages_of(name_of(file))
        for imported in imports(file):
            if not imported.types_only and not imported.on_call:
                waiting += own_files(imported.module)
    return found


def packages_of(module: str) -> list[Path]:
    parts = module.split(".")
    packages = (file_of(".".join(parts[:n])) for n in range(1, len(parts)))
    return [file for file in packages if file]


def own_files(module: str) -> list[Path]:
    file = file_of(module) if module.partition(".")[0] in ROOMS else None
    return [file] if file else []


@cache
def base_libraries() -> set[str]:
    """Import names of what `pip install tatpar` brings, from pyproject.toml."""
    wanted = {re.split(r"[<>=;\[ ]", text)[0].lower() for text in PROJECT["project"]["dependencies"]}
    provided = packages_distributions()
    return {name for name, dists in provided.items() if {dist.lower() for dist in dists} & wanted}


def foreign(file: Path, *, also_on_call: bool = False) -> Iterator[Import]:
    """What a file imports that is neither ours, nor Python's, nor the base install's."""
    at_hand = base_libraries() | ROOMS | sys.stdlib_module_names
    for imported in imports(file):
        if not imported.types_only and (also_on_call or not imported.on_call) and imported.top not in at_hand:
            yield imported


def said(file: Path, imported: Import) -> str:
    return f"{file.relative_to(HOUSE)}:{imported.line} imports {imported.module}"


def test_rooms_are_those_of_the_design() -> None:
    """A new top-level folder needs a place in the order of the house."""
    assert ALLOWED.keys() == ROOMS


def test_imports_run_one_way() -> None:
    """A room imports only rooms below it, or the few on its floor that are named; nobody imports the front door."""
    wrong = [
        said(file, imported)
        for room, allowed in ALLOWED.items()
        for file in files(room)
        for imported in imports(file)
        if imported.top in ROOMS - allowed - {room}
    ]
    assert not wrong, "\n".join(wrong)


def test_the_front_door_is_imported_by_nobody() -> None:
    """No module outside `tatpar` imports it, not even a benchmark."""
    wrong = [
        said(file, imported)
        for room in [*(ROOMS - {"tatpar"}), "bench"]
        for file in files(room)
        for imported in imports(file)
        if imported.top == "tatpar"
    ]
    assert not wrong, "\n".join(wrong)


def test_analytics_does_no_io() -> None:
    """Neither analytics nor what it imports of ours touches files, sockets, processes or the clock."""
    below = with_imported(files("analytics"))
    wrong = [
        said(file, imported)
        for file in below
        for imported in imports(file)
        if imported.top in OUTSIDE_WORLD and not imported.types_only
    ]
    assert not wrong, "\n".join(wrong)


def test_analytics_calls_nothing_that_reads_or_writes() -> None:
    """No `open`, `print`, `numpy.load` and the like in analytics."""
    wrong = [
        f"{file.relative_to(HOUSE)}:{node.lineno} calls {ast.unparse(node.func)}"
        for file in files("analytics")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in READS_OR_WRITES
    ]
    assert not wrong, "\n".join(wrong)


def test_probes_need_only_the_base_install() -> None:
    """Whatever of ours runs at an office, down to telemetry and config, imports no library of the hub."""
    at_the_office = [HOUSE / "tatpar" / "commands" / f"{name}.py" for name in ("probe", "reflect")]
    roots = [
        found
        for file in at_the_office
        for imported in imports(file)
        if not imported.types_only
        for found in own_files(imported.module)
    ]
    wrong = [
        said(file, imported)
        for file in with_imported([*files("probes"), *at_the_office, *roots])
        for imported in foreign(file)
    ]
    assert not wrong, "\n".join(wrong)
    lazily = [said(file, i) for file in files("probes") for i in foreign(file, also_on_call=True)]
    assert not lazily, "\n".join(lazily)


def test_every_command_is_there_in_the_base_install() -> None:
    """`tatpar COMMAND --help` imports no library of the hub, whatever the command."""
    front = [file for file in files("tatpar") if file.parent.name == "commands"]
    wrong = [
        said(file, imported)
        for file in with_imported([*front, HOUSE / "tatpar" / "__main__.py"])
        for imported in foreign(file)
    ]
    assert not wrong, "\n".join(wrong)


def test_hub_libraries_are_seen(tmp_path: Path) -> None:
    """The finder itself sees an import at the top, in a function and in a try, and tells types apart."""
    file = tmp_path / "sample.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nimport scipy.stats\n"
        "try:\n    import babel\nexcept ImportError:\n    pass\n"
        "if TYPE_CHECKING:\n    import jinja2\n"
        "def f():\n    from starlette.routing import Route\n",
        encoding="utf-8",
    )
    assert [i.module for i in foreign(file)] == ["scipy.stats", "babel"]
    assert [i.module for i in foreign(file, also_on_call=True)] == [
        "scipy.stats",
        "babel",
        "starlette.routing",
    ]
    assert {"numpy", "msgspec", "click", "psutil", "paho"} <= base_libraries()
