"""A small deployment for the watch: five offices, two meetings, a real store and state, time as the test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from config.live import LiveConfig
from tatpar.watching.watch import Watch
from telemetry.clock import ManualClock
from telemetry.control import Presence
from telemetry.histogram import bin_of
from telemetry.messages import Clock, Direction, Envelope, RoundTrip, SelfReport, Stamps, StampSource, Stream
from telemetry.state.db import StateDb
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.windows import HOUR_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from telemetry.decisions import Flag, Verdict

SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,braj,27.18,78.02,linked
meerut,Meerut,मेरठ,west,28.98,77.71,linked
ballia,Ballia,बलिया,kashi,25.76,84.15,linked
unnao,Unnao,उन्नाव,awadh,26.55,80.49,linked
jhansi,Jhansi,झाँसी,kanpur,25.45,78.57,planned
"""
LINKED = ("agra", "meerut", "ballia", "unnao")
PATHS = ("main.state", "main.national")
MONDAY = int(datetime(2026, 11, 23, 6, 0, tzinfo=UTC).timestamp()) * SECOND_NS
"""11:30 at the offices."""
UNDERWAY_NS = 4_200_000_000
"""From a window's end until its row is committed: 3 s for late packets, then spread, transport and commit."""
EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T000000Z
SUMMARY:{uid}
DTSTART:{start:%Y%m%dT%H%M%SZ}
DURATION:PT{minutes}M
ATTENDEE;CUTYPE=GROUP:urn:tatpar:{who}
X-TATPAR-END:{end}
X-TATPAR-PROFILE:{profile}
END:VEVENT
"""


@dataclass(frozen=True)
class Line:
    """How an office's windows look; `up` and `down` are ratios lost, drawn at random."""

    up: float = 0.0
    down: float = 0.0
    jitter_ms: float = 2.0
    rtt_ms: float = 40.0
    pps: int = 10
    attributed: bool = True


SOUND = Line()


def stream(path: str, line: Line, rng: np.random.Generator) -> Stream:
    sent = line.pps * 15
    up_lost = int(rng.binomial(sent, line.up))
    down_lost = int(rng.binomial(sent - up_lost, line.down))
    lost = up_lost + down_lost
    attributed = line.attributed and lost < sent
    got = sent - lost
    rtt = line.rtt_ms
    return Stream(
        path=path,
        stamps=Stamps(t1=StampSource.KERNEL, t4=StampSource.KERNEL),
        rate_pps=float(line.pps),
        sent=sent,
        received=got,
        lost=lost,
        lost_unattributed=0 if attributed else lost,
        up=_direction(sent, up_lost if attributed else 0, line),
        down=_direction(sent - up_lost, down_lost if attributed else 0, line),
        rtt=RoundTrip(
            min_ms=rtt,
            mean_ms=rtt,
            p50_ms=rtt,
            p95_ms=rtt,
            p99_ms=rtt,
            max_ms=rtt,
            hist=(int(bin_of(rtt * 1e6)), got),
        )
        if got
        else None,
        stateful=line.attributed,
    )


def _direction(sent: int, lost: int, line: Line) -> Direction:
    return Direction(sent=sent, received=sent - lost, lost=lost, jitter_ms=line.jitter_ms)


@dataclass
class Meeting:
    uid: str
    start_ns: int
    minutes: int = 60
    who: str = "all"
    end: str = "state"
    profile: str = "video-720p"


@dataclass
class Town:
    """The deployment. `play` lets time pass; the watch looks twice a second of it unless told otherwise."""

    folder: Path
    now_ns: int = MONDAY
    t0: int = MONDAY
    lines: dict[str, Line] = field(default_factory=dict)
    begun: dict[int, dict[str, Line]] = field(default_factory=dict)
    offline: set[str] = field(default_factory=set)
    seq: int = 0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    sites: str = SITES
    linked: tuple[str, ...] = LINKED

    def __post_init__(self) -> None:
        (self.folder / "sites.csv").write_text(self.sites, encoding="utf-8")
        (self.folder / "tatpar.toml").write_text('[files]\nmeetings = "meetings"\n', encoding="utf-8")
        self.meet(Meeting("review", self.now_ns + HOUR_NS))
        self.live = LiveConfig(self.folder / "tatpar.toml")
        self.store = SqliteStore(self.folder / "reports.db")
        self.reader = SqliteReader(self.folder / "reports.db")
        self.state = StateDb(self.folder / "state.db")
        self.clock = ManualClock(self.now_ns)
        self.watch = self.another_watch()

    def meet(self, *meetings: Meeting) -> None:
        """Make these the whole calendar."""
        events = "".join(
            EVENT.format(
                uid=m.uid,
                start=datetime.fromtimestamp(m.start_ns // SECOND_NS, UTC),
                minutes=m.minutes,
                who=m.who,
                end=m.end,
                profile=m.profile,
            )
            for m in meetings
        )
        text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\n{events}END:VCALENDAR\n"
        (self.folder / "meetings").mkdir(exist_ok=True)
        (self.folder / "meetings" / "all.ics").write_text(text.replace("\n", "\r\n"), encoding="utf-8")

    def meeting(
        self, uid: str, hours: float, who: str = "all", minutes: int = 60, profile: str = "video-720p"
    ) -> Meeting:
        """A meeting that starts so many hours after the town began."""
        return Meeting(uid, MONDAY + round(hours * HOUR_NS), minutes=minutes, who=who, profile=profile)

    def break_line(self, site: str, **changes: float | bool) -> None:
        """From the next window on the office's line is like this: `up`, `down` lost, `jitter_ms`, `rtt_ms`, `pps`."""
        self.lines[site] = Line(**changes)  # type: ignore[arg-type]

    def heal(self, site: str) -> None:
        self.lines.pop(site, None)

    def another_watch(self) -> Watch:
        return Watch(self.live, self.reader, self.state, self.clock)

    def restart(self) -> None:
        """A new watch, which knows nothing but what is stored; the old one's lease has run out."""
        self.state.release_lease("watch", self.watch._lease.holder)
        self.watch = self.another_watch()

    def close(self) -> None:
        self.reader.close()
        self.store.close()
        self.state.close()

    def envelope(self, site: str, start_ns: int) -> Envelope:
        self.seq += 1
        line = self.begun.get(start_ns, self.lines).get(site, SOUND)
        return Envelope(
            site=site,
            probe="p1",
            epoch="00000000deadbeef",
            seq=self.seq,
            boot="b1",
            mono_ns=start_ns,
            start_ns=start_ns,
            clock=Clock(),
            self_report=SelfReport(),
            items=tuple(stream(path, line, self.rng) for path in PATHS),
        )

    def received(
        self, start_ns: int, received_ns: int, sites: tuple[str, ...] | None = None
    ) -> list[Received]:
        """One window of every office that is on line."""
        return [
            Received(envelope=self.envelope(site, start_ns), received_ns=received_ns)
            for site in sites or self.linked
            if site not in self.offline
        ]

    def report(self, start_ns: int, received_ns: int, sites: tuple[str, ...] | None = None) -> None:
        """Every office that is on line reports one window."""
        self.store.append(self.received(start_ns, received_ns, sites))

    def remember(self, from_ns: int, until_ns: int, sites: tuple[str, ...]) -> None:
        """Reports of a past span, arrived in time, folded into roll-ups."""
        starts = range(from_ns, until_ns, WINDOW_NS)
        self.store.append([one for at in starts for one in self.received(at, at + 20 * SECOND_NS, sites)])
        while self.store.maintain(self.now_ns):
            pass

    def play(self, seconds: float, until: Callable[[], bool] | None = None, step_s: float = 0.5) -> float:
        """Let time pass; returns the seconds after which `until` was true, or all of them.

        A window is as its line was at the window's start: a fault that begins within a window shows only in
        the next one, which is the worst case.
        """
        end_ns = self.now_ns + round(seconds * SECOND_NS)
        start_ns = self.now_ns
        while self.now_ns < end_ns:
            at_ns = self.now_ns - UNDERWAY_NS
            if self.now_ns % WINDOW_NS == 0:
                self.begun[self.now_ns] = dict(self.lines)
            self.now_ns += round(step_s * SECOND_NS)
            self.clock.advance(self.now_ns - self.clock.now_ns())
            if at_ns // WINDOW_NS != (self.now_ns - UNDERWAY_NS) // WINDOW_NS:
                window = ((self.now_ns - UNDERWAY_NS) // WINDOW_NS - 1) * WINDOW_NS
                self.report(window, self.now_ns)
            self.watch.step(self.now_ns)
            if until is not None and until():
                break
        return (self.now_ns - start_ns) / SECOND_NS

    def presence(self, site: str, *, online: bool) -> None:
        self.state.set_presence(site, "p1", Presence(online=online, since_ns=self.now_ns), self.now_ns)

    def verdict(self, site: str, meeting: str = "review") -> Verdict:
        found = [v for v in self.state.verdicts(0, 2**62) if (v.site, v.meeting) == (site, meeting)]
        assert len(found) == 1, found
        return found[0]

    def flags(self) -> dict[tuple[str, str], Flag]:
        """Open flags by office and reason, the worst path of each."""
        return {(flag.site, flag.reason.code.value): flag for flag in self.state.open_flags()}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Four linked offices and a planned one; a meeting with all to the state's headquarters in an hour."""
    made = Town(tmp_path)
    yield made
    made.close()
