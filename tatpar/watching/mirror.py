"""The mirror: what was decided, written as points beside the reports, so that Grafana can ask for it.

It reads the state database when that has changed, puts what is new into its book in one transaction with how far it has read, and writes
from the book to the server. At least once: a point keeps its series and time, so that writing it again changes nothing.
"""

from __future__ import annotations

import logging
import random
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from tatpar.watching import rollout
from tatpar.watching.mirror_book import MirrorBook, News
from telemetry.decisions import OutcomeState
from telemetry.store.errors import StoreError
from telemetry.store.server.backoff import Backoff
from telemetry.store.server.database import UnreachableError
from telemetry.store.server.decided import VOIDED, Point, PointMaker, day_tag, lane, meeting_tag
from telemetry.store.server.delivery import Delivery
from telemetry.store.server.quarantine import Quarantine
from telemetry.store.server.shipping import Shipping
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from config.live import LiveConfig
    from telemetry.decisions import Incident, Outcome, Verdict
    from telemetry.state.db import StateDb
    from telemetry.store.server.database import Database

log: Final = logging.getLogger(__name__)
TAKE_NS: Final = 2 * SECOND_NS
"""Verdicts that change more often than that are taken once. No shorter than a second: a series has one point a second."""
RECORDS_NS: Final = 60 * SECOND_NS
GRID_NS: Final = 300 * SECOND_NS
"""Presence and roll-out are written on this grid."""
MEMORY_NS: Final = 30 * DAY_NS
REACH_NS: Final = 4 * DAY_NS
"""Outcomes are looked at again for so long after the start (they are final a day after the end)."""
FIRST_REACH_NS: Final = 90 * DAY_NS
LONGEST_MEETING_NS: Final = DAY_NS
BATCH: Final = 5000
FORECASTS: Final = 2000


@contextmanager
def mirroring(live: LiveConfig, data_dir: Path, state: StateDb) -> Iterator[Mirror | None]:
    """The mirror that the settings ask for; None with an embedded store, where there is nothing to mirror to.

    Raises:
        StoreError: its book cannot be opened.
    """
    settings = live.current.settings.store
    if settings.kind == "sqlite" or not settings.decisions:
        yield None
        return
    from telemetry.store.server.connect import connect  # noqa: PLC0415 - only where there is a server

    with closing(Mirror(live, data_dir, state, connect(settings, data_dir))) as mirror:
        yield mirror


class Mirror:
    """One mirror; only the watch that holds the lease has it at work."""

    def __init__(
        self,
        live: LiveConfig,
        data_dir: Path,
        state: StateDb,
        database: Database,
        *,
        settles_s: float | None = None,
    ) -> None:
        self._live, self._state, self._database = live, state, database
        self._book = MirrorBook(data_dir / "mirror.db")
        self._maker = PointMaker(live.current.settings.store.prefix)
        self._counts = Shipping(database.where)
        self._delivery = Delivery(database, self._counts, Quarantine(data_dir / "mirror.rejected"))
        self._settles_s = database.settles_s if settles_s is None else settles_s
        self._backoff = Backoff(random.Random())  # noqa: S311 - spreads retries
        self._revision = self._records_revision = -1
        self._next_ns = dict.fromkeys(("take", "records", "forget"), 0)
        self._sent: list[tuple[float, int]] = []
        self._incarnation = ""
        self._not_before_s = 0.0
        self._failed = False
        self._points = self._waiting = 0

    def close(self) -> None:
        """Let go of the book and the connections; what waits is written next time."""
        self._book.close()
        self._database.close()

    def detail(self) -> dict[str, object]:
        """Counters for the heartbeat."""
        return {
            "mirror_points": self._points,
            "mirror_waiting": self._waiting,
            "mirror_rejected": self._counts.figures()["rejected_points"],
        }

    def step(self, now_ns: int) -> int:
        """Take what is new, and write what waits; how many points were written.

        Raises:
            StateError, StoreError: state database or book cannot be used. A server that is away is no error: it is told once.
        """
        self.take(now_ns)
        self._waiting = self._book.length()
        if time.monotonic() < self._not_before_s:
            return 0
        try:
            written = self._write()
        except StoreError as error:
            self._trouble(error)
            return 0
        self._backoff.worked()
        if self._failed:
            log.info("decisions are written again", extra={"event": "mirror.recovered"})
            self._failed = False
        return written

    def take(self, now_ns: int) -> int:
        """Put what is new into the book; how many points that were."""
        if not self._due("take", TAKE_NS, now_ns):
            return 0
        taken = self._take_grid(now_ns)
        revision = self._state.revision()
        if revision != self._revision:
            taken += self._book.put(
                [*self._verdicts(now_ns), *self._incidents(now_ns), *self._rehearsals(now_ns)]
            )
            self._revision = revision
        if revision != self._records_revision and self._due("records", RECORDS_NS, now_ns):
            taken += self._take_forecasts() + self._take_outcomes(now_ns)
            self._records_revision = revision
        if self._due("forget", HOUR_NS, now_ns):
            self._book.forget(now_ns)
        return taken

    def _due(self, what: str, every_ns: int, now_ns: int) -> bool:
        if now_ns < self._next_ns[what]:
            return False
        self._next_ns[what] = now_ns + every_ns
        return True

    def _verdicts(self, now_ns: int) -> list[News]:
        """Verdicts of what is not over, the counts of each occurrence, beginnings, and what no longer holds."""
        found = self._coming(now_ns)
        news = [
            News(f"v|{_key(v)}", self._maker.verdict(v, now_ns), v.ends_ns + DAY_NS)
            for v in found  # a day longer: voided ones are looked for among them
        ]
        groups: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
        for verdict in found:
            groups[verdict.meeting, verdict.occurrence_ns].append(verdict)
        for (uid, occurrence_ns), group in groups.items():
            one, key = group[0], f"{uid}|{occurrence_ns}"
            news.append(News(f"m|{key}", self._maker.meeting(group, now_ns), one.ends_ns + DAY_NS))
            if one.starts_ns <= now_ns:
                about = f"{meeting_tag(uid)}-{day_tag(occurrence_ns)}"
                event = self._maker.began("meeting", about, one.starts_ns, len(group), lane(occurrence_ns))
                news.append(News(f"b|{key}|{one.starts_ns}", event, one.ends_ns + DAY_NS))
        return news + self._voided({one.key for one in news}, now_ns)

    def _coming(self, now_ns: int) -> list[Verdict]:
        """The verdicts of what is not over, by the start."""
        horizon_ns = int(self._live.current.settings.watch.forecast_days * DAY_NS)
        found = self._state.verdicts(now_ns - LONGEST_MEETING_NS, now_ns + horizon_ns + DAY_NS)
        return [verdict for verdict in found if verdict.ends_ns > now_ns]

    def _voided(self, known: set[str], now_ns: int) -> list[News]:
        """What was told of occurrences that lie ahead and nobody says any more."""
        gone = [
            told
            for told in self._book.told("v", now_ns)
            if told.key not in known and told.ends_s * SECOND_NS > now_ns
        ]
        return [
            News(
                told.key,
                Point(
                    told.series,
                    (("state", VOIDED), ("starts_s", told.starts_s), ("ends_s", told.ends_s)),
                    now_ns // SECOND_NS * 1000 + told.lane,
                ),
                told.ends_s * SECOND_NS + DAY_NS,
            )
            for told in gone
        ]

    def _incidents(self, now_ns: int) -> Iterable[News]:
        for incident in self._state.incidents(now_ns - DAY_NS, now_ns + DAY_NS):
            until_ns = now_ns + MEMORY_NS
            yield News(f"i|{incident.id}", self._maker.incident(incident, now_ns), until_ns)
            yield from self._struck(incident, now_ns, until_ns)
            about, offices = str(incident.factor), len(incident.sites)
            at_ns = int(incident.since_ns)
            if not self._book.told(f"e|{incident.id}", now_ns):  # offices are those when it was first told
                yield News(
                    f"e|{incident.id}|begin", self._maker.began("incident", about, at_ns, offices), until_ns
                )
            if incident.until_ns is not None:
                end = self._maker.began("incident_end", about, incident.until_ns, offices)
                yield News(f"f|{incident.id}|end", end, until_ns)

    def _rehearsals(self, now_ns: int) -> Iterable[News]:
        """How far those of the last day are, and when the load began."""
        for record in self._state.rehearsals_since(now_ns - DAY_NS):
            request, until_ns = record.request, now_ns + MEMORY_NS
            yield News(f"r|{request.id}", self._maker.rehearsed(record, now_ns), until_ns)
            if record.starts_ns:
                about = f"{meeting_tag(request.meeting)}-{day_tag(request.recurrence_ns)}"
                offices, at = len(record.offices), lane(request.recurrence_ns)
                event = self._maker.began("rehearsal", about, record.starts_ns[0], offices, at)
                yield News(f"q|{request.id}|begin", event, until_ns)

    def _struck(self, incident: Incident, now_ns: int, until_ns: int) -> Iterable[News]:
        """Its offices, and those that were and are no longer."""
        kind = f"j|{incident.id}|"
        before = {told.key.removeprefix(kind) for told in self._book.told(kind[:-1], now_ns)}
        for site in sorted(before.union(incident.sites)):
            point = self._maker.struck(incident, site, now_ns, is_struck=site in incident.sites)
            yield News(f"{kind}{site}", point, until_ns)

    def _take_forecasts(self) -> int:
        """Forecasts behind the last one that was read, by their number."""
        taken = 0
        while rows := self._state.forecasts_after(self._book.mark("forecast"), FORECASTS):
            news = [
                News(
                    f"p|{_key(f.verdict)}|{f.horizon.value}|{f.verdict.issued_ns}",
                    self._maker.forecast(f),
                    f.verdict.ends_ns + DAY_NS,
                )
                for _, f in rows
            ]
            taken += self._book.put(news, {"forecast": rows[-1][0]})
        return taken

    def _take_outcomes(self, now_ns: int) -> int:
        """Outcomes that are new or changed, and scores where they are final."""
        last_ns = self._book.mark("outcomes") or now_ns - FIRST_REACH_NS + REACH_NS
        from_ns = min(last_ns, now_ns) - REACH_NS
        found = self._state.outcomes(from_ns, now_ns + 1)
        news = [
            News(f"o|{_key(o)}", self._maker.outcome(o, now_ns), now_ns + MEMORY_NS) for o in found
        ] + self._scores(from_ns, now_ns, found)
        return self._book.put(news, {"outcomes": now_ns})

    def _scores(self, from_ns: int, now_ns: int, outcomes: list[Outcome]) -> list[News]:
        final = {_key(o): o for o in outcomes if o.final and o.state is not OutcomeState.UNSETTLED}
        if not final:
            return []
        news = []
        for forecast in self._state.forecasts(from_ns, now_ns + 1):
            outcome = final.get(_key(forecast.verdict))
            point = self._maker.score(forecast, outcome) if outcome else None
            if point is not None:
                key = f"s|{_key(forecast.verdict)}|{forecast.horizon.value}"
                news.append(News(key, point, now_ns + MEMORY_NS))
        return news

    def _take_grid(self, now_ns: int) -> int:
        """Presence, roll-out and limits, once each five minutes."""
        at_ns = now_ns // GRID_NS * GRID_NS
        if self._book.mark("grid") >= at_ns:
            return 0
        points, marks = self._standing(at_ns), {"grid": at_ns}
        config = self._live.current
        counts = rollout.standing(config, self._online())
        rollout.noted(self._book, counts, at_ns)
        points += [self._maker.rollout(region, row, at_ns) for region, row in counts.items()]
        if (
            self._book.mark("course") < at_ns // HOUR_NS * HOUR_NS
        ):  # once an hour: a line of weeks does not move faster
            points += rollout.course(self._book, self._maker, config, counts, at_ns)
            marks["course"] = at_ns // HOUR_NS * HOUR_NS
        return self._book.put([News("", point, 0) for point in points], marks)

    def _online(self) -> set[str]:
        return {site for (site, _), said in self._state.presence().items() if said.online}

    def _standing(self, at_ns: int) -> list[Point]:
        """Who is on line and what is expected of each at its next meeting; the profiles' limits."""
        online = self._online()
        ahead: dict[str, Verdict] = {}
        for verdict in self._coming(at_ns):  # by their start
            ahead.setdefault(verdict.site, verdict)
        points = [
            self._maker.presence(site, online=site.id in online, ahead=ahead.get(site.id), at_ns=at_ns)
            for site in self._live.current.registry.sites
        ]
        return points + [self._maker.limit(one, at_ns) for one in self._live.current.profiles.values()]

    def _write(self) -> int:
        """Write what waits; let go of what the server cannot lose any more."""
        self._settle()
        sent = self._sent[-1][1] if self._sent else 0
        written = 0
        while rows := self._book.waiting(sent, BATCH):
            if not self._sent:
                self._incarnation = self._database.incarnation()
            self._delivery.send([line for _, line in rows])
            sent = rows[-1][0]
            self._sent.append((time.monotonic(), sent))
            written += len(rows)
        self._points += written
        self._settle()
        self._waiting = self._book.length()
        return written

    def _settle(self) -> None:
        old = [number for at, number in self._sent if time.monotonic() - at >= self._settles_s]
        if not old:
            return
        if self._database.incarnation() != self._incarnation:
            self._sent.clear()  # the process that took them may have lost them: all that waits is written again
            return
        self._book.written(old[-1])
        self._sent = [(at, number) for at, number in self._sent if number > old[-1]]

    def _trouble(self, error: StoreError) -> None:
        if isinstance(error, UnreachableError):
            self._sent.clear()
        self._not_before_s = time.monotonic() + self._backoff.pause_s(error)
        if not self._failed:
            extra = {"event": "mirror.failed", "reason": str(error)}
            log.warning("decisions wait in mirror.db, none is lost: %s", error, extra=extra)
        self._failed = True


def _key(of: Verdict | Outcome) -> str:
    return f"{of.site}|{of.meeting}|{of.occurrence_ns}"
