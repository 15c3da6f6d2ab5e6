"""The files of a report: page, PDF, and a CSV of each table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports.csv_files import csv_of
from reports.weekly_document import document, tables

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from config.config import Config
    from reports.gather import WeekFigures

FORMS: Final = ("html", "pdf", "csv")


def write(  # noqa: PLR0913, PLR0917 - what, for whom, where
    figures: WeekFigures,
    config: Config,
    language: str,
    made_ns: int,
    folder: Path,
    forms: Collection[str] = FORMS,
) -> list[Path]:
    """Write them, each whole or not at all; their paths, the page first.

    Raises:
        OSError: a file cannot be written.
    """
    from reports.paper import html, pdf  # noqa: PLC0415 - plots and fonts take a second to load

    name = stem(figures)
    drawn = document(figures, config, language, made_ns)
    found: dict[Path, bytes] = {}
    if "html" in forms:
        found[folder / f"{name}-{language}.html"] = html(drawn).encode()
    if "pdf" in forms:
        found[folder / f"{name}-{language}.pdf"] = pdf(drawn)
    if "csv" in forms:
        for table in tables(figures, config):
            found[folder / f"{name}-csv" / f"{table.name}.csv"] = csv_of(table).encode()
    for path, content in found.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")
        beside.write_bytes(content)
        beside.replace(path)
    return list(found)


def stem(figures: WeekFigures) -> str:
    """How the files of a week are called."""
    return "-".join(part for part in ("readiness", str(figures.week), figures.region) if part)
