"""The shipper: carries what the journal has committed to the server, in a thread of its own.

It goes on from the cursor, which moves only when the server has the points for good; a crash in between, here or there,
writes the same points again, which changes nothing. Of several collectors on one journal exactly one ships; a dead one's place is free at once.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from telemetry.store.errors import StoreError
from telemetry.store.server import parcels
from telemetry.store.server.backoff import LONGEST_WAIT_S, Backoff
from telemetry.store.server.database import DeniedError, UnreachableError
from telemetry.store.server.unsettled import Sent, Unsettled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telemetry.store.server.cursor import Cursor, OnlyOne
    from telemetry.store.server.database import Database
    from telemetry.store.server.delivery import Delivery
    from telemetry.store.server.journal import Journal
    from telemetry.store.server.journal_reader import JournalReader
    from telemetry.store.server.lines import LineMaker
    from telemetry.store.server.mending import Mending
    from telemetry.store.server.shipping import Shipping

log: Final = logging.getLogger(__name__)
LOOK_S: Final = 0.5
"""How often it looks for what other processes committed, and whether the place of the shipper is free."""
CHECK_S: Final = 60.0
SETTLE_EVERY_S: Final = 5.0
SLOTS_PER_STEP: Final = 500
HOURS_PER_STEP: Final = 10


@dataclass(frozen=True, slots=True)
class Means:
    """What a shipper works with."""

    journal: Journal
    reader: JournalReader
    database: Database
    delivery: Delivery
    maker: LineMaker
    cursor: Cursor
    only_one: OnlyOne
    shipping: Shipping
    batch_reports: int
    mending: Mending
    now_ns: Callable[[], int]
    """Real time, for which slots are closed."""
    settles_s: float | None = None
    """In place of the database's own."""


class Shipper:
    """One shipper; `step` does a bounded piece, `start` and `stop` run it in a thread."""

    def __init__(self, means: Means) -> None:
        self._journal, self._reader, self._database = means.journal, means.reader, means.database
        self._delivery, self._maker, self._cursor = means.delivery, means.maker, means.cursor
        self._only_one, self._shipping, self._batch = means.only_one, means.shipping, means.batch_reports
        self._mending, self._now_ns = means.mending, means.now_ns
        self.lost: Mapping[str, int] = {}
        """What the server says it has thrown away since it started, by reason."""
        self._looked_s = self._settled_s = float("-inf")
        self._identity = means.reader.identity()
        self._checked = False
        self._incarnation: str | None = None
        self._unsettled = Unsettled()
        self._settles_s = means.database.settles_s if means.settles_s is None else means.settles_s
        self._wake, self._stop = Event(), Event()
        self._thread: Thread | None = None
        self.elsewhere = False
        """Another process on this journal ships: what waits, and how the server fares, is for it to say."""
        self._chance = random.Random()  # noqa: S311 - spreads retries

    @property
    def shipped(self) -> int:
        """Number of the last commit that the server has and cannot lose any more."""
        return self._cursor.read(self._identity, self._reader.last_commit())

    @property
    def sent(self) -> int:
        """Number of the last commit that the server took."""
        return max(self.shipped, self._unsettled.commit or 0)

    def step(self) -> int:
        """Ship a batch of each kind that waits; how many reports, slots and hours that were. Only while holding the place.

        Raises:
            StoreError: the server did not take it; nothing is lost, the same comes again.
        """
        if not self._checked:
            self._check()
        done = self._step_reports() + self._step_rollups() + self._step_hours()
        if self._maker.oversized:
            self._shipping.count("oversized_values", self._maker.oversized)
            self._maker.oversized = 0
        self._settle()
        self._look()
        return done + self._mending.step(self._now_ns())

    def _check(self) -> None:
        """Refuse to write to a server that would count points twice; notice one that was started anew."""
        for problem in self._database.examine():
            if problem.grave:
                raise DeniedError(f"{self._database.where}: {problem.text}; {problem.remedy}")
            extra = {"event": "store-server.examined", "reason": problem.text}
            log.warning(
                "report store %s: %s; %s", self._database.where, problem.text, problem.remedy, extra=extra
            )
        self._is_the_same()
        self._checked = True

    def _is_the_same(self) -> bool:
        """Whether the server process is still the one that took what is unsettled; what a dead one took is sent again."""
        now = self._database.incarnation()
        before, self._incarnation = self._incarnation, now
        if before is None or before == now:
            return True
        if len(self._unsettled):
            extra = {"event": "store-server.started-anew"}
            log.warning(
                "report store %s was started anew: the last minute is sent again",
                self._database.where,
                extra=extra,
            )
        self._unsettled.forget()
        return False

    def _settle(self) -> None:
        """Tell the journal what the server has for good."""
        oldest_s = self._unsettled.oldest_s()
        now_s = time.monotonic()
        until_s = now_s - self._settles_s
        is_early = now_s - self._settled_s < min(SETTLE_EVERY_S, self._settles_s)
        if oldest_s is None or oldest_s > until_s or is_early:
            return
        self._settled_s = now_s
        if not self._is_the_same():
            return
        for sent in self._unsettled.safe(until_s):
            if sent.commit is not None:
                self._cursor.write(self._identity, sent.commit)
            if sent.slots:
                self._journal.rollups_shipped(sent.slots)
            if sent.hours:
                self._journal.hours_shipped(sent.hours)

    def _look(self) -> None:
        """Now and then: has the server thrown points away that it said it had taken."""
        if time.monotonic() - self._looked_s < CHECK_S:
            return
        self._looked_s = time.monotonic()
        lost = self._database.lost()
        for reason, number in lost.items():
            more = number - self.lost.get(reason, 0)
            if more > 0:
                extra = {"event": "store-server.threw-away", "points": more, "reason": reason}
                log.error(
                    "report store %s threw %d points away: %s",
                    self._database.where,
                    more,
                    reason,
                    extra=extra,
                )
        self.lost = lost

    def _step_reports(self) -> int:
        parcel = parcels.reports(self._reader, self._maker, self.sent, self._batch)
        if parcel.reports:
            self._delivery.send(parcel.lines)
            self._unsettled.add(Sent(time.monotonic(), commit=parcel.last))
        return parcel.reports

    def _step_rollups(self) -> int:
        out = self._unsettled.slots
        slots = [made for made in self._reader.made_rollups(SLOTS_PER_STEP + len(out)) if made not in out]
        if slots:
            self._delivery.send(parcels.rollups(self._reader, self._maker, slots))
            self._unsettled.add(Sent(time.monotonic(), slots=tuple(slots)))
        return len(slots)

    def _step_hours(self) -> int:
        out = self._unsettled.hours
        hours = [hour for hour in self._reader.changed_hours(HOURS_PER_STEP + len(out)) if hour not in out]
        for hour in hours:
            self._delivery.send(parcels.hour(self._reader, self._database, self._maker, hour))
            self._unsettled.add(Sent(time.monotonic(), hours=(hour,)))
        return len(hours)

    def start(self) -> None:
        """Ship from now on."""
        self._thread = Thread(target=self._run, name="tatpar-shipper", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._wake.set()

    def stop(self, wait_s: float = 10.0) -> None:
        """Finish the request that is under way and stop; what waits stays in the journal."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(wait_s)
        self._only_one.leave()

    def _run(self) -> None:
        backoff = Backoff(self._chance)
        while not self._stop.is_set():
            try:
                self.elsewhere = not self._only_one.take()
                if self.elsewhere:
                    self._stop.wait(LOOK_S)
                    continue
                done = self.step()
            except StoreError as error:
                self._failed(error)
                self._stop.wait(backoff.pause_s(error))
            except (
                Exception
            ) as error:  # the thread must outlive a fault in one batch: nothing else would ship again
                log.exception("shipping failed", extra={"event": "store-server.fault"})
                self._failed(error)
                self._stop.wait(LONGEST_WAIT_S)
            else:
                backoff.worked()
                self._shipping.well()
                if not done:
                    self._wake.wait(LOOK_S)
                    self._wake.clear()

    def _failed(self, error: Exception) -> None:
        self._shipping.count("retries")
        self._checked = False  # another server, or the same with other flags, may answer next
        self._shipping.trouble(str(error))
        if isinstance(
            error, UnreachableError
        ):  # it may be back within the second of its first start: no sign tells
            self._unsettled.forget()
