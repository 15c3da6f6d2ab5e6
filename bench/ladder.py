"""What a look of the alerts costs with 10,000 offices: nothing changed, one office, a hundred, all of them at once.

Words are left out (`bench` of their own room); the state database is a real one, on the machine's temporary folder.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts.facts import Text
from alerts.service import Alerts
from config.live import LiveConfig
from telemetry.decisions import Reason, ReasonCode, State, Verdict
from telemetry.state.db import StateDb
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from config.config import Config

OFFICES: Final = 10_000
MEETINGS: Final = 3
START_NS: Final = 1_795_498_200 * SECOND_NS  # 2026-11-24 05:30 UTC
HOUR_NS: Final = 3600 * SECOND_NS


class _NoDelivery:
    def step(self, _config: Config, _now_ns: int) -> int:
        return 0


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """Milliseconds of single looks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        progress(f"{OFFICES:,} offices, {MEETINGS} meetings of all")
        live = _house(folder)
        with closing(StateDb(folder / "state.db")) as state:
            return {"offices": OFFICES, "verdicts": OFFICES * MEETINGS} | _looks(live, state, progress)


def _looks(live: LiveConfig, state: StateDb, progress: Callable[[str], None]) -> dict[str, object]:
    alerts = Alerts(live, state, delivery=_NoDelivery(), words=_no_words)
    sites = list(live.current.registry.by_id)
    now_ns = START_NS - 2 * HOUR_NS
    figures: dict[str, object] = {}

    def look(name: str, bad: Iterable[str], after_s: int, state_of: State = State.NOT_READY) -> None:
        nonlocal now_ns
        now_ns += after_s * SECOND_NS
        state.put_verdicts([one for site in bad for one in _verdicts(site, state_of, now_ns)])
        began = time.perf_counter()
        alerts.step(now_ns)
        figures[f"{name}_ms"] = 1000 * (time.perf_counter() - began)
        progress(f"{name}: {figures[f'{name}_ms']:.0f} ms")

    look("first", sites, 0, State.READY)
    look("nothing_new", (), 1)
    look("one_is_not_ready", sites[:1], 15)
    look("one_fires", (), 16)
    look("hundred_are_not_ready", sites[:100], 15)
    look("hundred_wait_for_others", (), 15)
    look("hundred_fire_and_are_told", (), 15)
    look("all_are_not_ready", sites, 15)
    look("all_wait_for_others", (), 15)
    look("all_fire_and_are_told", (), 15)
    look("all_stand", (), 15)
    look("all_stand_nothing_new", (), 1)
    return figures


def _house(folder: Path) -> LiveConfig:
    rows = (
        f"office-{number:05},Office {number},Office {number},awadh,27,80,linked,o{number}@office.example\n"
        for number in range(OFFICES)
    )
    head = "id,name_en,name_hi,region,lat,lon,status,contact_email\n"
    (folder / "sites.csv").write_text(head + "".join(rows), encoding="utf-8")
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:m{number}\r\nSUMMARY:Meeting\r\nDTSTART:20261124T{5 + 2 * number:02}3000Z\r\n"
        "DURATION:PT1H\r\nATTENDEE:all\r\nX-TATPAR-END:state\r\nEND:VEVENT\r\n"
        for number in range(MEETINGS)
    )
    calendar = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n{events}END:VCALENDAR\r\n"
    (folder / "meetings").mkdir()
    (folder / "meetings" / "all.ics").write_text(calendar, encoding="utf-8")
    (folder / "tatpar.toml").write_text("", encoding="utf-8")
    return LiveConfig(folder / "tatpar.toml")


def _verdicts(site: str, state: State, now_ns: int) -> Iterable[Verdict]:
    for number in range(MEETINGS):
        starts_ns = START_NS + 2 * number * HOUR_NS
        yield Verdict(
            site=site,
            meeting=f"m{number}",
            occurrence_ns=starts_ns,
            starts_ns=starts_ns,
            ends_ns=starts_ns + HOUR_NS,
            profile="video-720p",
            issued_ns=now_ns,
            state=state,
            probability=0.3,
            path="main.state",
            reasons=(Reason(code=ReasonCode.LOSS_UP, value=0.04, limit=0.01, unit="ratio"),),
        )


def _no_words(*_: object) -> Text:
    return Text(template="", variables=(), subject="", body="")
