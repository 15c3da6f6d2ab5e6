"""`python -m bench._accuracy.markdown FILE`: what `python -m bench accuracy --json` printed, as the tables of docs/accuracy.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from bench._accuracy.plan import COLUMNS, JITTER_DOWN, JITTER_UP, LOST, LOST_DOWN, LOST_UP, RTT_P50, RTT_P99

TOOLS: Final = ("ours", "irtt", "iperf3", "fping")
_TITLES: Final = {
    RTT_P50: "round trip, p50 (µs)",
    RTT_P99: "round trip, p99 (µs)",
    JITTER_UP: "jitter up (µs)",
    JITTER_DOWN: "jitter down (µs)",
    LOST_UP: "lost up (packets)",
    LOST_DOWN: "lost down (packets)",
    LOST: "lost both ways (packets)",
}


def tables(figures: dict[str, Any], prefix: str = "") -> str:
    """One table a column: scenarios down, tools across."""
    out = []
    for column in COLUMNS:
        rows = {
            name.partition(":")[0]: row
            for name, row in figures.items()
            if name.partition(": ")[2] == prefix + column
        }
        tools = [tool for tool in TOOLS if any(tool in row for row in rows.values())]
        if not rows:
            continue
        out += ["", f"| {_TITLES[column]} | {' | '.join(tools)} |", f"|---|{'---|' * len(tools)}"]
        out += [
            f"| {name} | {' | '.join(_cell(row, tool) for tool in tools)} |" for name, row in rows.items()
        ]
    return "\n".join(out[1:])


def _cell(row: dict[str, Any], tool: str) -> str:
    return f"{row[tool]:.3g}" if tool in row else "–"


def main() -> None:
    figures = msgspec.json.decode(Path(sys.argv[1]).read_bytes())
    print(tables(figures))
    print("\nAgainst all test packets of the span:\n")
    print(tables(figures, "span "))


if __name__ == "__main__":
    main()
