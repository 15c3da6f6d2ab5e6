"""`python -m bench NAME [--json]`: run one benchmark and print its figures.

A benchmark is a module `bench.NAME` with `run(progress) -> dict[str, object]`; `progress(text)` says what is
going on; with `arguments(parser)` it takes options of its own, and then `run(progress, options)`; one that can fail has
`failed(figures)`, and the status is then 1. Ratios are measured against a named alternative in the same run; absolute times on a shared machine
mean little.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from typing import TYPE_CHECKING

import bench

if TYPE_CHECKING:
    from types import ModuleType


def names() -> list[str]:
    """The benchmarks that are there."""
    return sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_"))


def main() -> int:
    """Run one benchmark; status 2 when there is none of that name, 130 when stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Benchmarks: " + ", ".join(names()), add_help=False
    )
    parser.add_argument("name", nargs="?")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    arguments, own = parser.parse_known_args()
    if arguments.name is None and {"-h", "--help"} & set(own):
        parser.print_help()
        return 0
    if arguments.name not in names():
        print(f"bench: no benchmark {arguments.name!r}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    module = importlib.import_module(f"bench.{arguments.name}")
    options = _options(module, own)
    try:
        figures = module.run(_progress, *options)
    except KeyboardInterrupt:
        print("bench: stopped; what it had started is ended", file=sys.stderr)
        return 130
    if arguments.json:
        print(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        width = max(map(len, figures), default=0)
        for key, value in figures.items():
            print(f"{key:<{width}}  {value:.4g}" if isinstance(value, float) else f"{key:<{width}}  {value}")
    return int("failed" in vars(module) and module.failed(figures))


def _progress(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def _options(module: ModuleType, own: list[str]) -> tuple[argparse.Namespace, ...]:
    """What a benchmark that takes options was told; nothing for one that takes none."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {module.__name__.replace('.', ' ')}", description=module.__doc__
    )
    takes = hasattr(module, "arguments")
    if takes:
        module.arguments(parser)
    told = parser.parse_args(own)
    return (told,) if takes else ()


if __name__ == "__main__":
    sys.exit(main())
