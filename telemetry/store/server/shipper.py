"""The shipper: carries what the journal has committed to the server, in a thread of its own.

It goes on from the cursor, which moves only after the server took the points; a crash in between writes the same
points again, which changes nothing. Of several collectors on one journal exactly one ships; a dead one's place is free at once.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from telemetry.store.errors import StoreError
from telemetry.store.server import parcels
from telemetry.store.server.database import AwayError, DeniedError

if TYPE_CHECKING:
    from telemetry.store.server.cursor import Cursor, OnlyOne
    from telemetry.store.server.database import Database
    from telemetry.store.server.delivery import Delivery
    from telemetry.store.server.journal import Journal
    from telemetry.store.server.journal_reader import JournalReader
    from telemetry.store.server.lines import LineMaker
    from telemetry.store.server.shipping import Shipping

log: Final = logging.getLogger(__name__)
LOOK_S: Final = 0.5
"""How often it looks for what other processes committed, and whether the place of the shipper is free."""
FIRST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 30.0
CHECK_S: Final = 60.0
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


class Shipper:
    """One shipper; `step` does a bounded piece, `start` and `stop` run it in a thread."""

    def __init__(self, means: Means) -> None:
        self._journal, self._reader, self._database = means.journal, means.reader, means.database
        self._delivery, self._maker, self._cursor = means.delivery, means.maker, means.cursor
        self._only_one, self._shipping, self._batch = means.only_one, means.shipping, means.batch_reports
        self._identity = means.reader.identity()
        self._checked = False
        self._wake, self._stop = Event(), Event()
        self._thread: Thread | None = None
        self._chance = random.Random()  # noqa: S311 - spreads retries

    @property
    def shipped(self) -> int:
        """Number of the last commit that the server has."""
        return self._cursor.read(self._identity, self._reader.last_commit())

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
        return done

    def _check(self) -> None:
        """Refuse to write to a server that would count points twice."""
        for problem in self._database.examine():
            if problem.grave:
                raise DeniedError(f"{self._database.where}: {problem.text}; {problem.remedy}")
            log.warning("report store %s: %s; %s", self._database.where, problem.text, problem.remedy)
        self._checked = True

    def _step_reports(self) -> int:
        parcel = parcels.reports(self._reader, self._maker, self.shipped, self._batch)
        if parcel.reports:
            self._delivery.send(parcel.lines)
            self._cursor.write(self._identity, parcel.last)
        return parcel.reports

    def _step_rollups(self) -> int:
        slots = self._reader.made_rollups(SLOTS_PER_STEP)
        if slots:
            self._delivery.send(parcels.rollups(self._reader, self._maker, slots))
            self._journal.rollups_shipped(slots)
        return len(slots)

    def _step_hours(self) -> int:
        hours = self._reader.changed_hours(HOURS_PER_STEP)
        for hour in hours:
            self._delivery.send(parcels.hour(self._reader, self._database, self._maker, hour))
            self._journal.hours_shipped([hour])
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
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            pause_s: float | None = None
            try:
                if not self._only_one.take():
                    self._stop.wait(LOOK_S)
                    continue
                done = self.step()
            except AwayError as error:
                self._failed(error)
                pause_s = max(self._chance.uniform(0, wait_s), error.retry_after_s or 0.0)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            except DeniedError as error:
                self._failed(error)
                pause_s = self._chance.uniform(0.5, 1) * LONGEST_WAIT_S
            except StoreError as error:
                self._failed(error)
                pause_s = self._chance.uniform(0, wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            except (
                Exception
            ) as error:  # the thread must outlive a fault in one batch: nothing else would ship again
                log.exception("shipping failed")
                self._failed(error)
                pause_s = LONGEST_WAIT_S
            else:
                self._shipping.well()
                wait_s = FIRST_WAIT_S
                if not done:
                    self._wake.wait(LOOK_S)
                    self._wake.clear()
            if pause_s is not None:
                self._shipping.count("retries")
                self._stop.wait(pause_s)

    def _failed(self, error: Exception) -> None:
        self._checked = False  # another server, or the same with other flags, may answer next
        self._shipping.trouble(str(error))
