"""A house whose time is handed in: what the analysis says is written down, the alerts look, and who got what and when is a list.

    house.at("10:15").not_ready("agra").run("10:16")
    assert house.told == ["10:15:15 site:agra raised not_ready agra"]

State database, configuration, calendar, ladder, machine, words and outbox are the real ones; only the sending is left out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from msgspec import structs

from alerts.service import Alerts
from alerts.words import render
from config.live import LiveConfig
from telemetry.decisions import (
    Action,
    Evidence,
    Factor,
    FactorKind,
    Flag,
    Incident,
    Reason,
    ReasonCode,
    State,
    Verdict,
)
from telemetry.state.db import StateDb
from telemetry.state.heard import HEARD_UNTIL
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.facts import Facts, Form, Text
    from config.config import Config
    from config.meetings import Occurrence
    from telemetry.alerting import Alert

PEOPLE = """id,name,role,about,language,email,phone,channels,quiet,per_hour,meetings
ravi,Ravi,regional,region:braj,hi,ravi@office.example,,,none,,
noc-desk,NOC desk,noc,all,en,noc@office.example,,,none,,
"""
SITE = "{id},{name},{name},{region},27,78,{status},en,provider-b,{id}@office.example,{name} keeper\n"
SITES = "id,name_en,name_hi,region,lat,lon,status,language,provider,contact_email,contact_name\n"
EVENT = """BEGIN:VEVENT
UID:{uid}
SUMMARY:{uid}
DTSTART{start}
DURATION:PT{minutes}M
ATTENDEE:{who}
X-TATPAR-END:{end}
{more}END:VEVENT
"""
DAY = "2026-11-24"


class PerfectDelivery:
    """Every message is out as soon as it is due."""

    def __init__(self, state: StateDb) -> None:
        self._state = state

    def step(self, _config: Config, now_ns: int) -> int:
        rows = self._state.due(now_ns)
        for row in rows:
            self._state.mark_sent(row.key, now_ns)
        return len(rows)


class House:
    """One deployment; local times are `HH:MM[:SS]` of its day, or with a date before them."""

    def __init__(
        self,
        folder: Path,
        *,
        offices: tuple[str, ...] = ("agra", "etah", "mathura"),
        planned: tuple[str, ...] = (),
        people: str = PEOPLE,
        settings: str = "",
        zone: str = "Asia/Kolkata",
        day: str = DAY,
        meeting: str = "11:00",
    ) -> None:
        self.folder, self.zone, self.day = folder, ZoneInfo(zone), day
        self._settings = settings
        rows = [(one, "linked") for one in offices] + [(one, "planned") for one in planned]
        text = "".join(
            SITE.format(id=one, name=one.title(), region="braj", status=status) for one, status in rows
        )
        (folder / "sites.csv").write_text(SITES + text, encoding="utf-8")
        (folder / "people.csv").write_text(people, encoding="utf-8")
        self.now_ns = self._ns("00:00")
        if meeting:
            self.meets("review", meeting)
        self.configure(settings)
        self.live = LiveConfig(folder / "tatpar.toml")
        self.state = self._opened()
        self.facts: list[tuple[Facts, str, Form]] = []
        self.alerts = self.service()

    def service(self) -> Alerts:
        """A process that begins."""
        return Alerts(self.live, self.state, delivery=PerfectDelivery(self.state), words=self._words)

    def restart(self) -> Self:
        """The alerts process dies and begins again, knowing what is in the state database alone."""
        self.alerts.close()
        self.alerts = self.service()
        return self

    def forget(self) -> Self:
        """A new state database with nothing in it."""
        self.state.close()
        for file in self.folder.glob("state.db*"):
            file.unlink()
        self.state = self._opened()
        return self

    def _opened(self) -> StateDb:
        state = StateDb(self.folder / "state.db")
        state._connection.execute("PRAGMA synchronous=OFF")  # weeks in seconds; no power fails here
        return state

    def close(self) -> None:
        self.state.close()

    def configure(self, settings: str) -> Self:
        text = f'[deployment]\ntimezone = "{self.zone.key}"\n[alerts]\nsmtp_host = "mail.example"\n{settings}'
        (self.folder / "tatpar.toml").write_text(text, encoding="utf-8")
        return self

    def meets(
        self,
        uid: str,
        start: str,
        *,
        minutes: int = 60,
        who: str = "all",
        end: str = "state",
        more: str = "",
    ) -> Self:
        """A meeting (written anew when it is there already)."""
        at = self._time(start)
        begin = f";TZID={self.zone.key}:{at:%Y%m%dT%H%M%S}"
        event = EVENT.format(uid=uid, start=begin, minutes=minutes, who=who, end=end, more=more)
        folder = self.folder / "meetings"
        folder.mkdir(exist_ok=True)
        text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//tests//EN\n{event}END:VCALENDAR\n"
        (folder / f"{uid}.ics").write_text(text.replace("\n", "\r\n"), encoding="utf-8")
        return self

    def works(self, *rows: str) -> Self:
        text = "who,kind,from,until,announced,note\n" + "".join(f"{row}\n" for row in rows)
        (self.folder / "works.csv").write_text(text, encoding="utf-8")
        return self

    # ── what the analysis says ──
    def at(self, time: str) -> Self:
        """It is now so late; nobody looks in between."""
        self.now_ns = self._ns(time)
        return self

    def not_ready(
        self, *sites: str, meeting: str = "review", severe: bool = False, **changes: object
    ) -> Self:
        """The analysis says so of these offices; a severe one with a flag beside it."""
        for site in sites:
            self._put(site, meeting, State.NOT_READY, **changes)
        if severe:
            reason = Reason(code=ReasonCode.LOSS_UP, value=0.4, limit=0.01, unit="ratio")
            flags = [one for one in self.state.open_flags() if one.site not in sites]
            flags += [self._flag(site, reason, "main.state", self.now_ns) for site in sites]
            self.state.put_flags(flags, self.now_ns)
        return self

    def at_risk(self, *sites: str, meeting: str = "review") -> Self:
        for site in sites:
            self._put(site, meeting, State.AT_RISK, probability=0.8)
        return self

    def unknown(self, *sites: str, meeting: str = "review") -> Self:
        for site in sites:
            self._put(site, meeting, State.UNKNOWN, probability=None, reasons=())
        return self

    def dark(self, *sites: str, meeting: str = "review") -> Self:
        reason = Reason(code=ReasonCode.DARK, value=130.0, unit="s", since_ns=self.now_ns - 130 * SECOND_NS)
        for site in sites:
            self._put(
                site, meeting, State.NOT_READY, probability=None, reasons=(reason,), action=Action.CHECK_POWER
            )
        return self

    def ready(self, *sites: str, meeting: str = "review") -> Self:
        for site in sites:
            self._put(site, meeting, State.READY, probability=0.97, reasons=())
        return self.heard(*sites)

    def silent(self, *sites: str, since: str) -> Self:
        """Nothing is heard of them, no meeting in mind."""
        since_ns = self._ns(since)
        reason = Reason(code=ReasonCode.DARK, value=130.0, unit="s", since_ns=since_ns)
        flags = [one for one in self.state.open_flags() if one.site not in sites]
        flags += [self._flag(site, reason, "", since_ns) for site in sites]
        self.state.put_flags(flags, self.now_ns)
        return self

    def heard(self, *sites: str) -> Self:
        """Their flags are gone."""
        self.state.put_flags([one for one in self.state.open_flags() if one.site not in sites], self.now_ns)
        return self

    def hears(self, until: str = "") -> Self:
        """The watch has heard and judged the offices until then (until now)."""
        until_ns = self._ns(until) if until else self.now_ns
        self.state.beat("watch", self.now_ns, {HEARD_UNTIL: until_ns})
        return self

    def incident(self, kind: FactorKind, name: str, *sites: str, until: str = "", was: str = "") -> Self:
        """`was`: the id of the one that is found to be this now."""
        made = Incident(
            id=was or f"{kind.value}-{name}",
            factor=Factor(kind, name),
            since_ns=self.now_ns - 30 * SECOND_NS,
            told_ns=self.now_ns,
            seen_ns=self.now_ns,
            sites=sites,
            evidence=Evidence(
                members=len(sites), suffer=len(sites), others=50, others_suffer=0, log_odds=40.0
            ),
            until_ns=(self.now_ns if until == "now" else self._ns(until)) if until else None,
        )
        self.state.put_incidents([made])
        return self

    def _flag(self, site: str, reason: Reason, path: str, since_ns: int) -> Flag:
        return Flag(site=site, path=path, reason=reason, since_ns=since_ns, seen_ns=self.now_ns, severe=True)

    def _put(self, site: str, meeting: str, state: State, **changes: object) -> None:
        occurrence = self._occurrence(meeting)
        made = Verdict(
            site=site,
            meeting=meeting,
            occurrence_ns=occurrence.recurrence_ns,
            starts_ns=occurrence.starts_ns,
            ends_ns=occurrence.ends_ns,
            profile="video-720p",
            issued_ns=self.now_ns,
            state=state,
            probability=0.3,
            path="main.state",
            reasons=(Reason(code=ReasonCode.LOSS_UP, value=0.041, limit=0.01, unit="ratio"),),
            action=Action.RESTART_ROUTER,
        )
        self.state.put_verdicts([structs.replace(made, **changes)])

    def _occurrence(self, meeting: str) -> Occurrence:
        """The one that runs or comes next."""
        self.live.refresh()
        week_ns = 8 * 86_400 * SECOND_NS
        found = self.live.current.calendar.occurrences(self.now_ns, self.now_ns + week_ns)
        return next(one for one in found if one.meeting.uid == meeting)

    # ── the alerts at work ──
    def run(self, until: str, every_s: float = 15) -> Self:
        """The alerts look now, and again every so often up to a time."""
        until_ns = self._ns(until)
        while self.now_ns < until_ns:
            self.look()
            self.now_ns = min(self.now_ns + int(every_s * SECOND_NS), until_ns)
        return self.look()

    def look(self) -> Self:
        """One look."""
        self.alerts.step(self.now_ns)
        return self

    def takes_up(self, who: str, about: str = "") -> Self:
        """Somebody acknowledges the alerts that are open of a site or incident (all, when none is named)."""
        for alert in self.open:
            if about in {"", alert.site, alert.incident}:
                self.state.acknowledge(alert.id, who, "", self.now_ns)
        return self

    @property
    def open(self) -> list[Alert]:
        return self.state.open_alerts()

    @property
    def told(self) -> list[str]:
        """Who got what and when: `10:15:15 site:agra raised not_ready agra`, in the order in which it was decided."""
        rows = self.state._rows("SELECT due_ns, person, body FROM outbox ORDER BY id")
        return [f"{self._clock(due_ns)} {person} {body}" for due_ns, person, body in rows]

    def told_of(self, person: str) -> list[str]:
        return [line for line in self.told if line.split()[-4] == person]

    def _words(self, facts: Facts, config: Config, language: str, form: Form) -> Text:
        text = render(facts, config, language, form)  # there are words for everything that is decided
        self.facts.append((facts, language, form))
        about = facts.site or f"{len(facts.sites)}-offices"
        return structs.replace(text, subject="", body=f"{facts.step.value} {facts.kind.value} {about}")

    def _time(self, text: str) -> datetime:
        date, _, clock = text.rpartition(" ")
        return datetime.fromisoformat(f"{date or self.day} {clock}").replace(tzinfo=self.zone)

    def _ns(self, text: str) -> int:
        return int(self._time(text).timestamp()) * SECOND_NS

    def _clock(self, at_ns: int) -> str:
        at = datetime.fromtimestamp(at_ns / SECOND_NS, self.zone)
        days = (at.date() - datetime.fromisoformat(self.day).date()) // timedelta(days=1)
        return (f"+{days}d " if days else "") + f"{at:%H:%M:%S}"
