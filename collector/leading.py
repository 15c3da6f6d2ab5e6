"""Who does what only one may do: whoever works alone always, of several the one in the leader's seat."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from collector.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.seat import Seat

log = logging.getLogger(__name__)
LOOK_S: Final = 0.5
UNFIT_S: Final = 5.0
"""A leader that has no connection to the broker for so long leaves its seat to one that may have."""


class Leading:
    """Whether we lead, and since when: every duty of the leader looks here before it acts."""

    def __init__(self, seat: Seat | None = None) -> None:
        """None: we are alone."""
        self._seat = seat
        self._terms = 0 if seat else 1
        self._leads = seat is None
        self._fit_s = 0.0
        self.trouble = Trouble(
            "the leader's seat cannot be looked at", "nobody may lead; trying again", "leading"
        )

    @property
    def shared(self) -> bool:
        """Whether there may be others."""
        return self._seat is not None

    @property
    def term(self) -> int | None:
        """A number that is new each time that we begin to lead; None while we do not, or cannot be sure."""
        sure = self._leads and (self._seat is None or self._seat.is_ours)
        return self._terms if sure else None

    @property
    def now(self) -> bool:
        """Whether we lead."""
        return self.term is not None

    @property
    def terms(self) -> int:
        """How often we began to lead."""
        return self._terms

    async def run(self, fit: Callable[[], bool]) -> None:
        """Lead whenever nobody else does and we are fit to (have a broker), until cancelled."""
        try:
            while True:
                self.look(fit=fit())
                await asyncio.sleep(LOOK_S)
        finally:
            self.resign()

    def look(self, *, fit: bool) -> None:
        """Look at the seat once."""
        if self._seat is None:
            return
        now_s = asyncio.get_running_loop().time()
        if fit:
            self._fit_s = now_s
        elif not self._leads:
            return
        elif now_s - self._fit_s > UNFIT_S:
            self.resign()
            return
        try:
            self._note(leads=self._seat.hold())
        except OSError as error:
            self.trouble.failed(error)
        else:
            self.trouble.worked()

    def resign(self) -> None:
        """Leave the seat, if it is ours."""
        if self._seat is not None:
            self._seat.leave()
            self._note(leads=False)

    def _note(self, *, leads: bool) -> None:
        if leads and not self._leads:
            self._terms += 1
            log.info(
                "leading: plans, presence, `stored`, silence and upkeep are ours now",
                extra={"event": "leading.began"},
            )
        elif self._leads and not leads:
            log.info("not leading any more", extra={"event": "leading.over"})
        self._leads = leads
