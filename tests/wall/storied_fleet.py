"""The story in a real store and a real state database, and the wall served over them."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from config.live import LiveConfig
from dashboards.wall.app import create_app
from dashboards.wall.serve import address, listen, serve_on
from telemetry.alerting import Alert, AlertState, Kind, Post, Severity
from telemetry.control import Presence
from telemetry.decisions import (
    Action,
    Evidence,
    Factor,
    FactorKind,
    Flag,
    Forecast,
    Horizon,
    Incident,
    Outcome,
    OutcomeState,
    Reason,
    State,
)
from telemetry.rehearsing import HubResult, OfficeProgress, OfficeState, RehearsalState
from telemetry.state.db import StateDb
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS, window_start
from tests.wall.story import MIN_NS, NOW_NS, PATHS, STORY, envelope, since, verdict, windows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.meetings import Occurrence
    from dashboards.wall.sources import Failing
    from telemetry.decisions import Verdict


class StoryClock:
    """Runs with the machine's clock, but begins at the story's time."""

    def __init__(self) -> None:
        self._began = time.monotonic_ns()

    def now_ns(self) -> int:
        return NOW_NS + time.monotonic_ns() - self._began

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class StillClock(StoryClock):
    """Stands at the story's time: what is young or heard just now stays so, however long a busy machine takes."""

    def __init__(self) -> None:
        super().__init__()
        self._at_ns = NOW_NS

    def now_ns(self) -> int:
        """The same until it is moved on."""
        return self._at_ns

    def advance(self, step_ns: int) -> None:
        """Move it on."""
        self._at_ns += step_ns


@dataclass
class Fleet:
    """The databases of the story and the wall over them."""

    folder: Path
    live: LiveConfig
    store: SqliteStore
    state: StateDb
    reader: SqliteReader
    clock: StoryClock
    url: str = ""
    seq: int = 0
    lasting: str = ""
    over: str = ""
    failing: Failing | None = None

    @property
    def linked(self) -> list[str]:
        return [site.id for site in self.live.current.registry.linked()]

    def report(self, sites: list[str], up_loss: float = 0.0, rtt_ms: float = 21.0) -> None:
        """A live window of some offices arrives."""
        self.seq += 1
        start = window_start(self.clock.now_ns() - WINDOW_NS - 3 * SECOND_NS)
        now = self.clock.now_ns()
        self.store.append([Received(envelope(site, self.seq, start, up_loss, rtt_ms), now) for site in sites])

    def decide(
        self, site: str, state: State, chance: float, *reasons: Reason, action: Action | None = None
    ) -> None:
        """The verdict of an office for its next meeting becomes another."""
        at = next(o for o in self.occurrences() if site in o.meeting.invited and o.ends_ns > NOW_NS)
        usual = Action.RESTART_ROUTER if state is State.NOT_READY else Action.NONE
        made = structs.replace(
            verdict(site, at, self.clock.now_ns()),
            state=state,
            probability=chance,
            reasons=reasons,
            action=usual if action is None else action,
        )
        self.state.put_verdicts([made])

    def occurrences(self, days: tuple[int, int] = (0, 2)) -> list[Occurrence]:
        start = NOW_NS - (NOW_NS + 19_800 * SECOND_NS) % DAY_NS
        return self.live.current.calendar.occurrences(start + days[0] * DAY_NS, start + days[1] * DAY_NS)


def tell_story(fleet: Fleet) -> None:
    """Fill both databases."""
    for site in fleet.linked:
        silent = {"lalitpur": 36.7, "auraiya": 1.3}.get(site, 0.25)
        fleet.store.import_streams(windows_of(site, 27 if site == "rampur" else 2.2, since(silent)))
    while fleet.store.maintain(NOW_NS):
        pass
    state = fleet.state
    for site in fleet.linked:
        state.set_presence(site, "p1", Presence(online=True, since_ns=since(3000)), since(3000))
    state.set_presence("lalitpur", "p1", Presence(online=False, since_ns=since(36.7)), since(36.7))
    for role in ("collector", "watch", "alerts"):
        state.beat(role, NOW_NS, {"reports": 1})
    linked = set(fleet.linked)
    occurrences = fleet.occurrences()
    state.put_verdicts([verdict(s, at) for at in occurrences for s in at.meeting.invited if s in linked])
    state.put_flags(
        [
            Flag(
                site=s,
                path=PATHS[0],
                reason=r[0],
                since_ns=r[0].since_ns,
                seen_ns=NOW_NS,
                severe=st is State.NOT_READY,
            )
            for s, (st, _, r, _) in STORY.items()
            if r[0].since_ns is not None
        ],
        NOW_NS,
    )
    tell_past(fleet, linked)
    tell_forecasts(fleet, linked)


def tell_past(fleet: Fleet, linked: set[str]) -> None:
    """Two weeks of forecasts, and what came true."""
    rng = np.random.default_rng(4)
    for at in fleet.occurrences((-14, 0)):
        made = {s: verdict(s, at, at.starts_ns - 30 * MIN_NS) for s in at.meeting.invited if s in linked}
        fleet.state.issue_forecasts([Forecast(horizon=Horizon.T30M, verdict=v) for v in made.values()])
        if NOW_NS - at.starts_ns < 2 * DAY_NS:
            tell_moves(fleet, at, made)
        held = {s: rng.random() < (v.probability or 0.1) for s, v in made.items()}
        fleet.state.put_outcomes(
            [
                Outcome(
                    site=s,
                    meeting=at.meeting.uid,
                    occurrence_ns=at.recurrence_ns,
                    state=OutcomeState.HELD if held[s] else OutcomeState.FAILED,
                    windows=240,
                    broken=3 if held[s] else 61,
                    missing=0,
                    settled_ns=at.ends_ns + DAY_NS,
                    final=True,
                    lost=0 if held[s] or s > "m" else 40,
                )
                for s in made
            ]
        )


def tell_moves(fleet: Fleet, at: Occurrence, made: dict[str, Verdict]) -> None:
    """How yesterday's forecasts came to what they were half an hour before."""
    for horizon, minutes, share in (
        (Horizon.T24H, 1440, 0.0),
        (Horizon.T2H, 120, 0.5),
        (Horizon.T10M, 10, 1.0),
    ):
        issued = [
            structs.replace(
                v,
                issued_ns=at.starts_ns - minutes * MIN_NS,
                probability=0.92 + share * ((v.probability or 0.0) - 0.92),
                state=v.state if share == 1.0 else State.READY if share == 0.0 else v.state,
            )
            for v in made.values()
        ]
        fleet.state.issue_forecasts([Forecast(horizon=horizon, verdict=v) for v in issued])


def tell_forecasts(fleet: Fleet, linked: set[str]) -> None:
    """What was foreseen of the next meeting yesterday, and two hours before."""
    coming = next(at for at in fleet.occurrences() if at.starts_ns > NOW_NS)
    issued = [verdict(s, coming, NOW_NS - HOUR_NS) for s in coming.meeting.invited if s in linked]
    for horizon, chance in ((Horizon.T24H, 0.94), (Horizon.T2H, 0.9)):
        fleet.state.issue_forecasts(
            [
                Forecast(
                    horizon=horizon,
                    verdict=structs.replace(v, state=State.READY, probability=chance, reasons=()),
                )
                for v in issued
            ]
        )


def tell_incidents(fleet: Fleet) -> tuple[str, str]:
    """A provider's fault that lasts, told and not taken up; two that are over. The ids of the one that lasts and of one that was taken up."""
    sites = [site for site in fleet.live.current.registry.linked() if site.provider == "provider-b"]
    names = tuple(site.id for site in sites)
    lasting = shared("6925-1", Factor(kind=FactorKind.PROVIDER, name="provider-b"), names[:7], (18, None))
    awadh = tuple(site.id for site in fleet.live.current.registry.linked() if site.region == "awadh")
    over = shared("6924-2", Factor(kind=FactorKind.REGION, name="awadh"), awadh[:8], (27 * 60, 26 * 60 + 12))
    older = shared("6920-1", Factor(kind=FactorKind.END, name="state"), names, (5 * 1440, 5 * 1440 - 9))
    fleet.state.put_incidents([older, over, lasting])
    alerts = [alert_of("K7M2PQ", lasting), alert_of("B4XR9T", over)]
    posts = [
        Post(
            key=f"{one.id}/0/{step}/noc-duty",
            person="noc-duty",
            channel="mail",
            recipient="noc@example.org",
            subject="fault",
            body="fault",
            due_ns=at_ns,
            alert=one.id,
        )
        for one, step, at_ns in (
            (alerts[0], "raised", since(15.5)),
            (alerts[1], "raised", since(27 * 60 - 3)),
        )
    ]
    for one, post in zip(alerts, posts, strict=True):
        fleet.state.put_alerts([one], [post], post.due_ns)
        fleet.state.mark_sent(post.key, post.due_ns + 2 * SECOND_NS)
    note = "provider called, complaint 48213; fibre cut near Barabanki"
    taken = fleet.state.acknowledge("B4XR9T", "Asha Verma", note, since(27 * 60 - 9))
    assert over.until_ns is not None
    ended = structs.replace(taken, state=AlertState.RESOLVED, resolved_ns=over.until_ns)
    fleet.state.put_alerts([ended], [], over.until_ns)
    return lasting.id, over.id


def shared(
    incident: str, factor: Factor, sites: tuple[str, ...], minutes: tuple[float, float | None]
) -> Incident:
    """A shared fault of so many minutes ago, until so many minutes ago."""
    began, ended = minutes
    told_ns = since(began - 2)
    evidence = Evidence(members=len(sites) + 1, suffer=len(sites), others=48, others_suffer=1, log_odds=14.0)
    return Incident(
        id=incident,
        factor=factor,
        since_ns=since(began),
        told_ns=told_ns,
        seen_ns=told_ns if ended is None else since(ended),
        sites=sites,
        evidence=evidence,
        until_ns=None if ended is None else since(ended),
    )


def alert_of(alert_id: str, incident: Incident) -> Alert:
    """The alert that a shared fault has become, told to one person."""
    return Alert(
        id=alert_id,
        kind=Kind.SHARED,
        state=AlertState.FIRING,
        severity=Severity.WARNING,
        incident=incident.id,
        factor=incident.factor,
        sites=incident.sites,
        since_ns=incident.since_ns,
        pending_ns=incident.told_ns,
        fired_ns=incident.told_ns,
        rung=1,
        rung_ns=incident.told_ns,
        told=("noc-duty",),
    )


@contextmanager
def served(fleet: Fleet, port: int = 0) -> Iterator[str]:
    """The wall over a fleet, in a thread of its own; gives its address."""
    listener = listen("127.0.0.1", port)
    app = create_app(fleet.live, fleet.reader, fleet.state, fleet.clock, failing=fleet.failing)
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve_on(app, listener))

    def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run, name="wall-under-test")
    thread.start()
    try:
        yield address(listener).rstrip("/")
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(60)
        assert not thread.is_alive()
        loop.close()
        listener.close()


@contextmanager
def made_fleet(
    folder: Path, config: Path | None = None, *, story: bool = True, clock: StoryClock | None = None
) -> Iterator[Fleet]:
    """A fleet in a folder, with its story or empty; its time stands still unless it is given a clock that runs."""
    store = SqliteStore(folder / "reports.db")
    state = StateDb(folder / "state.db")
    reader = SqliteReader(folder / "reports.db")
    fleet = Fleet(folder, LiveConfig(config), store, state, reader, clock or StillClock())
    if story:
        tell_story(fleet)
    yield fleet
    fleet.reader.close()
    state.close()
    store.close()


def tell_rehearsal(fleet: Fleet, asked: str, *, done: bool = False) -> None:
    """How far an asked rehearsal is: three offices are through, two are on the line, the others wait; or all are done."""
    record = fleet.state.rehearsal(asked)
    assert record is not None
    invited = [s for s in fleet.linked if s in coming_morning(fleet).meeting.invited]
    held = OfficeState.HELD if done else OfficeState.WAITING
    top = "video-720p" if done else ""
    told = {
        "rampur": (OfficeState.BROKE, "video-360p", "video-720p"),
        "lalitpur": (OfficeState.SILENT, "", ""),
        "agra": (OfficeState.HELD, "video-720p", "video-720p"),
        "basti": (OfficeState.HELD if done else OfficeState.RUNNING, "video-360p", "video-360p"),
        "deoria": (OfficeState.HELD if done else OfficeState.RUNNING, "audio", "audio"),
    }
    why = {"rampur": "up loss", "lalitpur": "no-answer"}
    offices = [
        OfficeProgress(
            site=s,
            probe="p1",
            stage=1,
            state=told.get(s, (held,))[0],
            rung_up=up,
            rung_down=down,
            why=why.get(s, ""),
        )
        for s in invited
        for up, down in [told.get(s, (held, top, top))[1:]]
    ]
    now_ns = fleet.clock.now_ns()
    fleet.state.put_rehearsal(
        structs.replace(
            record,
            state=RehearsalState.DONE if done else RehearsalState.RUNNING,
            begun_ns=now_ns,
            ended_ns=now_ns if done else None,
            starts_ns=(now_ns, now_ns + 40 * SECOND_NS),
            offices=tuple(offices),
            hub=HubResult(took_up_bps=61.0e6, took_down_bps=58.0e6) if done else None,
        )
    )


def coming_morning(fleet: Fleet) -> Occurrence:
    """The meeting that comes next in the story."""
    return next(at for at in fleet.occurrences() if at.starts_ns > NOW_NS)
