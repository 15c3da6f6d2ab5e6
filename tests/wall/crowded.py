"""Crowds: a day on which many short meetings lie near each other, and a fleet of thousands of offices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CROWD = [("0900", 15), ("0910", 15), ("0920", 15), ("0930", 30), ("0945", 15), ("1000", 600)]
CROWD += [("1700", 15), ("1710", 15), ("1730", 30), ("1930", 20), ("1945", 15), ("2330", 25)]


def write_crowd(folder: Path, meetings: Sequence[tuple[str, int]] = CROWD) -> None:
    """Daily meetings of all offices: start as HHMM and length in minutes."""
    write_meetings(
        folder, [(f"crowd-{n}", start, minutes, "all") for n, (start, minutes) in enumerate(meetings)]
    )


def write_meetings(folder: Path, meetings: Sequence[tuple[str, str, int, str]]) -> None:
    """An .ics file of daily meetings: name, start as HHMM, length in minutes, who is invited; long titles."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tatpar//Crowd//EN"]
    lines += ["BEGIN:VTIMEZONE", "TZID:Asia/Kolkata", "BEGIN:STANDARD", "DTSTART:19700101T000000"]
    lines += ["TZOFFSETFROM:+0530", "TZOFFSETTO:+0530", "TZNAME:IST", "END:STANDARD", "END:VTIMEZONE"]
    for name, start, minutes, invited in meetings:
        lines += ["BEGIN:VEVENT", f"UID:{name}@test.example", "DTSTAMP:20261101T000000Z"]
        lines += [f"SUMMARY:ज़िला क्षेत्रीय समीक्षा बैठक {name}", f"X-TATPAR-TITLE-EN:District by district {name}"]
        lines += [
            f"DTSTART;TZID=Asia/Kolkata:20261101T{start}00",
            f"DURATION:PT{minutes}M",
            "RRULE:FREQ=DAILY",
        ]
        lines += [f"ATTENDEE;CUTYPE=GROUP:urn:tatpar:{invited}"]
        lines += ["X-TATPAR-END:state", "X-TATPAR-PROFILE:video-360p", "END:VEVENT"]
    (folder / "99-crowd.ics").write_bytes("\r\n".join([*lines, "END:VCALENDAR", ""]).encode())


def write_fleet(folder: Path, offices: int, regions: int = 60, linked: float = 0.9) -> None:
    """Overwrite sites.csv with so many offices, spread over the state, in so many regions more than the settings have."""
    rng = np.random.default_rng(offices)
    head = (folder / "sites.csv").read_text(encoding="utf-8").split("\n", 1)[0]
    lines = [head]
    middles = rng.uniform((24.5, 77.5), (30.0, 83.5), (regions, 2))
    for n in range(offices):
        region = n % regions
        lat, lon = middles[region] + rng.normal(0, 0.35, 2)
        status = "linked" if rng.random() < linked else "planned"
        lines.append(
            f"block-{n:04},Block {n:04},विकास खंड {n:04},area-{region:02},{lat:.3f},{lon:.3f},{status},,block,provider-{'abcd'[n % 4]},hi,,,,,"
        )
    settings = folder / "tatpar.toml"
    tables = "".join(
        f'\n[[regions]]\nid = "area-{n:02}"\nname_en = "Area {n}"\nname_hi = "मंडल {n}"\n'
        for n in range(regions)
    )
    settings.write_text(settings.read_text(encoding="utf-8") + tables, encoding="utf-8")
    (folder / "sites.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
