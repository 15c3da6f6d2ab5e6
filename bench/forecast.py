"""The forecast on two grounds, same model and settings: (a) public traces, real noise; (b) the lab's known faults.

`--ground traces|lab` runs one of them; `--traces DIR` scores other traces (CSV with the columns epoch;rtt;cp) by a model
that is fitted to the shipped ones only. Intervals are block-bootstrap, 90 %, of whole traces or whole days.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench._forecast import lab, traces
from bench._traces import told_in_one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ground", choices=("both", "traces", "lab"), default="both")
    parser.add_argument(
        "--traces", type=Path, metavar="DIR", help="score these traces instead of the shipped ones"
    )


def run(progress: Callable[[str], None], options: argparse.Namespace) -> dict[str, object]:
    """Figures of both grounds, or of the one that was asked for."""
    figures: dict[str, object] = {}
    if options.ground != "lab":
        with told_in_one_line():
            found = traces.run(progress, options.traces)
        figures |= {f"traces_{name}": value for name, value in found.items()}
    if options.ground != "traces":
        figures |= {f"lab_{name}": value for name, value in lab.run(progress).items()}
    return figures
