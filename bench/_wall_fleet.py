"""A deployment of so many linked offices for the wall, each at a place of its own, and the reports of one window of them."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from bench._store_data import reports
from config.load import DEFAULT_SITES
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.store.protocol import Received

SPREAD = 0.15
"""Degrees by which an office lies beside the one whose row it copies."""


def offices(folder: Path, count: int) -> tuple[str, ...]:
    """Write `sites.csv` and `tatpar.toml`; the ids."""
    with DEFAULT_SITES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rng = np.random.default_rng(count)
    made = []
    for at in range(count):
        row, turn = rows[at % len(rows)], at // len(rows)
        end = f"-{turn}" if turn else ""
        shift = rng.normal(0, SPREAD, 2) * bool(turn)
        place = {"lat": f"{float(row['lat']) + shift[0]:.4f}", "lon": f"{float(row['lon']) + shift[1]:.4f}"}
        name = {"id": row["id"] + end, "name_en": row["name_en"] + end, "name_hi": row["name_hi"] + end}
        made.append({**row, **name, **place, "status": "linked", "parent": ""})
    with (folder / "sites.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(made)
    (folder / "tatpar.toml").write_text("", encoding="utf-8")
    return tuple(row["id"] for row in made)


def window(sites: tuple[str, ...], start_ns: int, seq: int) -> list[Received]:
    """One report of each office for a window, as just received."""
    return [
        replace(
            one,
            envelope=structs.replace(one.envelope, start_ns=start_ns, seq=seq),
            received_ns=start_ns + 19 * SECOND_NS,
        )
        for one in reports(sites, 1, seed=seq)
    ]
