"""A deployment of so many linked offices: the built-in ones again and again under other names."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from config.load import DEFAULT_SITES, load_config

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config


def fleet(folder: Path, sites: int) -> Config:
    """Written into a folder and loaded from there."""
    with DEFAULT_SITES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    made = []
    for at in range(sites):
        row, turn = rows[at % len(rows)], at // len(rows)
        end = f"-{turn}" if turn else ""
        name = {"id": row["id"] + end, "name_en": row["name_en"] + end, "name_hi": row["name_hi"] + end}
        made.append({**row, **name, "status": "linked", "parent": ""})
    with (folder / "sites.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(made)
    (folder / "tatpar.toml").write_text("", encoding="utf-8")
    return load_config(folder / "tatpar.toml")
