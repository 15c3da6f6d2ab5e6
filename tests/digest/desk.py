"""A meeting of five offices, what was said and done about them, and time as the test hands it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from config.live import LiveConfig
from tatpar.reporting.digesting import Digests
from telemetry.alerting import Alert, AlertState, Kind, Severity
from telemetry.decisions import (
    Action,
    Forecast,
    Horizon,
    Outcome,
    OutcomeState,
    Reason,
    ReasonCode,
    State,
    Verdict,
)
from telemetry.state.db import StateDb
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from config.meetings import Occurrence

ZONE = ZoneInfo("Asia/Kolkata")
SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,braj,27.18,78.01,linked
etah,Etah,एटा,braj,27.56,78.66,linked
mathura,Mathura,मथुरा,braj,27.49,77.67,linked
hathras,Hathras,हाथरस,braj,27.60,78.05,linked
kannauj,Kannauj,कन्नौज,kanpur,27.06,79.92,planned
"""
PEOPLE = """id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings
meena,मीना गुप्ता,organiser,all,hi,meena@hq.example,,,none,,review
john,John Mathew,organiser,all,en,john@hq.example,,,none,1,review
asha,Asha Verma,noc,all,en,asha@noc.example,,,none,,
"""
EVENT = """BEGIN:VEVENT
UID:{uid}
SUMMARY:समीक्षा बैठक
X-TATPAR-TITLE-EN:{title}
DTSTART;TZID=Asia/Kolkata:{start:%Y%m%dT%H%M%S}
DURATION:PT{minutes}M
ATTENDEE:all
X-TATPAR-END:state
{more}END:VEVENT
"""


def ns(clock: str) -> int:
    """A time of 24 November 2026 at the offices, ns since the Unix epoch; `+1 HH:MM` is the next day."""
    day, _, clock = clock.rpartition(" ")
    at = datetime.fromisoformat(f"2026-11-24 {clock}").replace(tzinfo=ZONE)
    return (int(at.timestamp()) + 86_400 * int(day or 0)) * SECOND_NS


@dataclass
class Desk:
    """One deployment and the digests of its watch."""

    folder: Path
    settings: str = ""
    events: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "sites.csv").write_text(SITES, encoding="utf-8")
        self.people(PEOPLE)
        self.configure("")
        self.meets("review", "11:00")
        self.live = LiveConfig(self.folder / "tatpar.toml")
        self.state = StateDb(self.folder / "state.db")
        self.digests = Digests(self.state)

    def configure(self, settings: str, alerts: str = "") -> None:
        text = f'[alerts]\nsmtp_host = "127.0.0.1"\n{alerts}\n{settings}'
        (self.folder / "tatpar.toml").write_text(text, encoding="utf-8")

    def people(self, text: str) -> None:
        (self.folder / "people.csv").write_text(text, encoding="utf-8")

    def meets(self, uid: str, clock: str, minutes: int = 60, more: str = "") -> None:
        start = datetime.fromtimestamp(ns(clock) / SECOND_NS, ZONE)
        self.events[uid] = EVENT.format(uid=uid, title=uid.title(), start=start, minutes=minutes, more=more)
        self._write()

    def cancels(self, uid: str) -> None:
        del self.events[uid]
        self._write()

    def _write(self) -> None:
        text = (
            f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\n{''.join(self.events.values())}END:VCALENDAR\n"
        )
        (self.folder / "meetings").mkdir(exist_ok=True)
        (self.folder / "meetings" / "all.ics").write_text(text.replace("\n", "\r\n"), encoding="utf-8")

    def occurrence(self, uid: str = "review") -> Occurrence:
        self.live.refresh()
        there = self.live.current.calendar.occurrences(ns("-1 00:00"), ns("+2 00:00"))
        return next(one for one in there if one.meeting.uid == uid)

    def look(self, clock: str) -> int:
        """One round at a time; how many messages it put into the outbox."""
        self.live.refresh()
        return self.digests.round(self.live.current, ns(clock))

    def restart(self) -> None:
        self.digests = Digests(self.state)

    # ── what is known ──
    def verdict(
        self, site: str, state: State, probability: float | None = None, uid: str = "review", **changes: Any
    ) -> Verdict:
        one = self.occurrence(uid)
        fields: dict[str, Any] = {
            "site": site,
            "meeting": uid,
            "occurrence_ns": one.recurrence_ns,
            "starts_ns": one.starts_ns,
            "ends_ns": one.ends_ns,
            "profile": "video-720p",
            "issued_ns": one.starts_ns - 3600 * SECOND_NS,
            "state": state,
            "probability": probability,
            "path": "main.state",
        }
        return Verdict(**{**fields, **changes})

    def says(self, uid: str = "review") -> None:
        """What the analysis says of the four linked offices, and what is being done."""
        loss = Reason(code=ReasonCode.LOSS_UP, value=0.041, limit=0.01, unit="ratio")
        dark = Reason(code=ReasonCode.DARK, value=900.0, unit="s", since_ns=ns("09:40"))
        self.state.put_verdicts(
            [
                self.verdict("agra", State.READY, 0.97, uid),
                self.verdict("etah", State.AT_RISK, 0.72, uid, reasons=(loss,), action=Action.WATCH),
                self.verdict(
                    "mathura", State.NOT_READY, 0.31, uid, reasons=(loss,), action=Action.RESTART_ROUTER
                ),
                self.verdict(
                    "hathras", State.NOT_READY, None, uid, reasons=(dark,), action=Action.CHECK_POWER
                ),
            ]
        )
        told = self.alert("K7M2PQ", "mathura", uid, told=("asha",))
        self.state.put_alerts([told, self.alert("B3X9RT", "hathras", uid)], [], ns("09:50"))
        self.state.acknowledge("B3X9RT", "asha", "power is back at noon", ns("09:55"))

    def alert(self, alert_id: str, site: str, uid: str, **changes: Any) -> Alert:
        one = self.occurrence(uid)
        return Alert(
            id=alert_id,
            kind=Kind.NOT_READY,
            state=AlertState.FIRING,
            severity=Severity.WARNING,
            site=site,
            meeting=uid,
            occurrence_ns=one.recurrence_ns,
            starts_ns=one.starts_ns,
            ends_ns=one.ends_ns,
            since_ns=ns("09:40"),
            pending_ns=ns("09:41"),
            fired_ns=ns("09:42"),
            **changes,
        )

    def forecasts(self, uid: str = "review") -> None:
        """Half an hour before: right of agra and mathura, wrong of etah, nothing of hathras."""
        said = {"agra": (State.READY, 0.97), "etah": (State.READY, 0.93), "mathura": (State.NOT_READY, 0.31)}
        self.state.issue_forecasts(
            [
                Forecast(horizon=Horizon.T30M, verdict=self.verdict(site, *words, uid))
                for site, words in said.items()
            ]
        )

    def failed_as(self, site: str, *, windows: int, **counts: int) -> None:
        """One office did not hold the review, by these windows."""
        one = self.occurrence("review")
        made = Outcome(
            site=site,
            meeting="review",
            occurrence_ns=one.recurrence_ns,
            state=OutcomeState.FAILED,
            windows=windows,
            settled_ns=one.ends_ns + 90 * SECOND_NS,
            **counts,  # type: ignore[arg-type]
        )
        self.state.put_outcomes([made])

    def came_out(self, *, final: bool = False, uid: str = "review", **states: OutcomeState) -> None:
        one = self.occurrence(uid)
        self.state.put_outcomes(
            [
                Outcome(
                    site=site,
                    meeting=uid,
                    occurrence_ns=one.recurrence_ns,
                    state=state,
                    windows=240,
                    broken=60 if state is OutcomeState.FAILED else 0,
                    missing=24 if state is OutcomeState.FAILED else 0,
                    settled_ns=one.ends_ns + 90 * SECOND_NS,
                    final=final,
                )
                for site, state in states.items()
            ]
        )

    # ── what was sent ──
    @property
    def sent(self) -> list[str]:
        """`to: subject`, in the order in which it was decided."""
        return [f"{row.recipient}: {row.subject}" for row in reversed(self.state.outbox(1000))]

    def body(self, recipient: str, side: str) -> str:
        (found,) = [
            row for row in self.state.outbox(1000) if row.recipient == recipient and f"/{side}/" in row.key
        ]
        return found.body
