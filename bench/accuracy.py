"""Our probe, irtt, iperf3 -u and fping through the same link at the same time: how far is each from the truth of its own packets?

As root: the link is a pair of network namespaces (`lab.tun.link`). Each scenario is one state of the link; all tools measure for 15 s,
at 50 packets/s and 200 octets, and what they say is held against the link's log of the same packets, each figure by the tool's own
definition. Rounds go through all scenarios in turn; the medians over the rounds count. iperf3 knows no round trips, fping no
direction and no jitter. Half a minute a scenario: four minutes for a round, 25 for all (`--quick`: one round).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench._accuracy import doubt
from bench._accuracy.fping import Fping
from bench._accuracy.iperf3 import Iperf3
from bench._accuracy.irtt import Irtt
from bench._accuracy.ours import Ours
from bench._accuracy.rounds import once
from bench._accuracy.scenarios import SCENARIOS
from bench._accuracy.table import Row, rows
from lab.errors import LabError
from lab.tun.link import TunLink

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from bench._accuracy.rounds import Told, Tool

ROUNDS: Final = 6
_PROGRAMS: Final = ("irtt", "iperf3", "fping")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="one round instead of six")
    parser.add_argument("--rounds", type=int, metavar="N", help="so many rounds")
    parser.add_argument(
        "--only", nargs="+", choices=[one.name for one in SCENARIOS], metavar="SCENARIO", help="only these"
    )


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Errors by scenario and column, µs and packets; `met`: ours is the smallest, or below what the log can tell."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return {"missing": f"apt-get install {' '.join(missing)}"}
    scenarios = [one for one in SCENARIOS if not options.only or one.name in options.only]
    count = options.rounds or (1 if options.quick else ROUNDS)
    told: dict[str, list[dict[str, Told]]] = {one.name: [] for one in scenarios}
    try:
        with tempfile.TemporaryDirectory(prefix="bench-accuracy-") as folder, TunLink(Path(folder)) as link:
            resolution = doubt.measure(link)
            tools: list[Tool] = [kind(link, Path(folder)) for kind in (Ours, Irtt, Iperf3, Fping)]
            for tool in tools:
                tool.start()
            for number in range(count):
                for scenario in scenarios:
                    progress(f"round {number + 1} of {count}: {scenario.name}")
                    told[scenario.name].append(once(link, tools, scenario))
            counts = link.counts()
    except LabError as error:
        return {"missing": str(error)}
    return _figures(told, resolution, count) | {
        "link_unsent": counts.up.unsent + counts.down.unsent,
        "link_unstamped": sum(w.unstamped_in + w.unstamped_out for w in (counts.up, counts.down)),
    }


def _figures(
    told: dict[str, list[dict[str, Told]]], resolution: dict[str, float], count: int
) -> dict[str, object]:
    # Both leaving stamps of a round trip carry this doubt; those of coming in are the socket's own.
    resolution_us = 2 * resolution["leaving_p99_us"] + 2 * resolution["coming_p99_us"]
    figures: dict[str, object] = {"rounds": count, "resolution_us": resolution_us}
    figures |= {f"log_{name}": value for name, value in resolution.items()}
    for name, rounds in told.items():
        figures |= {f"{name}: {column}": row for column, row in rows(rounds, resolution_us).items()}
    return figures


def failed(figures: dict[str, object]) -> bool:
    """Whether it could not run, or the target is missed in some column."""
    return "missing" in figures or any(
        isinstance(row, Row) and row.get("met") is False for row in figures.values()
    )
