"""A registry of so many linked offices, whose ids are all of one length, so that a report can be written over in place."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from config.load import DEFAULT_SITES

if TYPE_CHECKING:
    from pathlib import Path

MEETING: Final = "fleet@tatpar.example"
AHEAD: Final = timedelta(minutes=30)
_DIGITS: Final = 6


def office(index: int) -> str:
    """The id of one emulated office."""
    return f"o{index:0{_DIGITS}d}"


def write_deployment(folder: Path, offices: int) -> Path:
    """`tatpar.toml`, `sites.csv` and one meeting, in half an hour, to which everyone is invited; the settings' path."""
    _write_sites(folder / "sites.csv", offices)
    begin = datetime.now(UTC).replace(second=0, microsecond=0) + AHEAD
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tatpar//bench//EN",
        "BEGIN:VEVENT",
        f"UID:{MEETING}",
        f"DTSTAMP:{begin:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{begin:%Y%m%dT%H%M%SZ}",
        "DURATION:PT1H",
        "SUMMARY:Everyone",
        "ATTENDEE;CUTYPE=GROUP:urn:tatpar:all",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    (folder / "meetings").mkdir()
    (folder / "meetings" / "everyone.ics").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    settings = folder / "tatpar.toml"
    settings.write_text("", encoding="utf-8")
    return settings


def _write_sites(path: Path, offices: int) -> None:
    """The built-in offices again and again under other names."""
    with DEFAULT_SITES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        for index in range(offices):
            row, turn = rows[index % len(rows)], index // len(rows)
            names = {key: f"{row[key]} {turn}" for key in ("name_en", "name_hi")}
            own = {"id": office(index), "status": "linked", "parent": "", "contact_email": ""}
            writer.writerow({**row, **names, **own})
