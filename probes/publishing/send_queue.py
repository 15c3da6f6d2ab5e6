"""Which report goes next: live ones first, then what is due again and what was never sent, in turn.

Pure book-keeping in memory, no clock and no disk of its own. Nothing here needs to survive a restart: what was
sent but not stored is then simply sent once more, and the hub drops the copy. Of the spool only ranges of seq
are kept, so that a month of backlog costs a few bytes.

    fresh ──▶ in flight ──PUBACK──▶ awaiting `stored` ──60 s, 120 s, …──▶ in flight again
      ▲            └─ refused, connection lost ─▶ due again ──────────────────┘
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from typing import Final

from probes.publishing.office_settings import Patience
from telemetry.intervals import IntervalSet
from telemetry.windows import SECOND_NS

LIVE_NS: Final = 60 * SECOND_NS
"""A report younger than this is live."""
WINDOW: Final = 1000
"""At most so many reports are sent and not yet stored before the backlog waits for the hub."""
HOPELESS_AFTER: Final = 5
"""A report sent so often no longer counts in the window: what the hub refuses must not hold up the rest."""


@dataclass(slots=True)
class _Sent:
    """A report that was sent at least once, or is being sent, or is due again."""

    attempts: int = 0
    sent_ns: int = 0
    """When the broker last took it."""
    due_ns: int | None = None
    """None while in flight."""


class SendQueue:
    """The order of sending for one probe. Times are monotonic ns."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience = patience or Patience()
        self._resend_ns = round(patience.resend_s * SECOND_NS)
        self._resend_cap_ns = round(patience.resend_cap_s * SECOND_NS)
        self._fresh: deque[tuple[int, int]] = deque()
        self._live: deque[tuple[int, int]] = deque()
        self._sent: dict[int, _Sent] = {}
        self._due: list[tuple[int, int]] = []
        self._in_flight: set[int] = set()
        self._launched = IntervalSet()
        self._hopeless = 0
        self._again_last = False

    def begin_again(self) -> None:
        """Forget everything."""
        self.__init__(self._patience)  # type: ignore[misc]

    def reconcile(self, held: IntervalSet) -> None:
        """Take up what the spool holds and we do not know of; forget what it no longer holds."""
        known = IntervalSet((seq, seq) for seq in self._sent)
        for seq, _ in self._live:
            known.add(seq)
        self._fresh = deque(hole for first, last in held for hole in known.holes(first, last))
        for seq in [seq for seq in self._sent if seq not in held]:
            self.gone(seq)

    @property
    def launched(self) -> IntervalSet:
        """Every seq that was given out to be sent, also those that are stored by now."""
        return IntervalSet(self._launched)

    @property
    def in_flight(self) -> int:
        """Published, PUBACK not yet here."""
        return len(self._in_flight)

    @property
    def awaiting(self) -> int:
        """Sent or in flight, not stored."""
        return len(self._sent)

    def add(self, seq: int, ready_ns: int) -> None:
        """A report just made; it may go from `ready_ns` on."""
        self._retire_live(ready_ns)
        if self._fresh and self._fresh[-1][1] == seq:  # the spool told of it before we were told
            first, last = self._fresh.pop()
            self._fresh.extend([(first, last - 1)] if first < last else [])
        self._live.append((seq, ready_ns))

    def next_live(self, now_ns: int) -> int | None:
        """The oldest live report that may go now; it is then in flight."""
        self._retire_live(now_ns)
        if self._live and self._live[0][1] <= now_ns:
            return self._launch(self._live.popleft()[0])
        return None

    def next_backlog(self, now_ns: int) -> int | None:
        """An older report, or one due again; it is then in flight."""
        due = self._peek_due(now_ns)
        fresh = bool(self._fresh) and self.awaiting - self._hopeless < WINDOW
        if due is not None and not (fresh and self._again_last):
            self._again_last = True
            heapq.heappop(self._due)
            return self._launch(due)
        if fresh:
            self._again_last = False
            return self._launch(self._next_fresh())
        return None

    def wake_ns(self, now_ns: int) -> int | None:
        """When something may be sent at the earliest; None when only an event can change that."""
        if self._fresh and self.awaiting - self._hopeless < WINDOW:
            return now_ns
        times = [self._live[0][1]] if self._live else []
        if self._peek_due(None) is not None:
            times.append(self._due[0][0])
        return min(times, default=None)

    def sent(self, seq: int, now_ns: int) -> None:
        """The broker has it and somebody was there to take it."""
        entry = self._landed(seq)
        if entry is not None:
            entry.attempts += 1
            entry.sent_ns = now_ns
            self._hopeless += entry.attempts == HOPELESS_AFTER
            wait_ns = self._resend_ns << min(entry.attempts - 1, HOPELESS_AFTER)
            self._schedule(seq, entry, now_ns + min(wait_ns, self._resend_cap_ns))

    def not_sent(self, seq: int, due_ns: int) -> None:
        """The broker refused it, or nobody was there; it is due again at `due_ns`."""
        entry = self._landed(seq)
        if entry is not None:
            self._schedule(seq, entry, due_ns)

    def connection_lost(self, now_ns: int) -> None:
        """Whatever was in flight is due again."""
        for seq in list(self._in_flight):
            self.not_sent(seq, now_ns)

    def was_sent(self, seq: int) -> bool:
        """Whether the broker has taken it before."""
        entry = self._sent.get(seq)
        return entry is not None and entry.attempts > 0

    def gone(self, seq: int) -> None:
        """It is no longer in the spool."""
        self._in_flight.discard(seq)
        self._forget(seq)

    def stored(self, through: int, missing: IntervalSet) -> None:
        """The hub has everything up to `through` but what is missing, which need not wait longer than 60 s again."""
        covered = IntervalSet(missing.holes(1, through))
        self._fresh = deque(hole for first, last in self._fresh for hole in covered.holes(first, last))
        self._live = deque(one for one in self._live if one[0] not in covered)
        for seq in [seq for seq in self._sent if seq <= through]:
            entry = self._sent[seq]
            if seq in covered:
                self.gone(seq)
            elif entry.due_ns is not None and 1 < entry.attempts < HOPELESS_AFTER:
                self._schedule(seq, entry, min(entry.due_ns, entry.sent_ns + self._resend_ns))

    def resend(self, now_ns: int) -> int:
        """Have everything that was sent and is not stored sent again without waiting; how many."""
        waiting = [(seq, entry) for seq, entry in self._sent.items() if entry.due_ns is not None]
        for seq, entry in waiting:
            self._schedule(seq, entry, now_ns)
        return len(waiting)

    def _launch(self, seq: int) -> int:
        entry = self._sent.setdefault(seq, _Sent())
        entry.due_ns = None
        self._in_flight.add(seq)
        self._launched.add(seq)
        return seq

    def _landed(self, seq: int) -> _Sent | None:
        """The entry of a report that was in flight; None when it was stored meanwhile."""
        if seq not in self._in_flight:
            return None
        self._in_flight.discard(seq)
        return self._sent.get(seq)

    def _schedule(self, seq: int, entry: _Sent, due_ns: int) -> None:
        entry.due_ns = due_ns
        heapq.heappush(self._due, (due_ns, seq))

    def _forget(self, seq: int) -> None:
        entry = self._sent.pop(seq, None)
        if entry is not None and entry.attempts >= HOPELESS_AFTER:
            self._hopeless -= 1

    def _peek_due(self, now_ns: int | None) -> int | None:
        """The seq that is due first (by `now_ns`, if given); entries that were overtaken are dropped on the way."""
        while self._due:
            due_ns, seq = self._due[0]
            entry = self._sent.get(seq)
            if entry is not None and entry.due_ns == due_ns:
                return seq if now_ns is None or due_ns <= now_ns else None
            heapq.heappop(self._due)
        return None

    def _retire_live(self, now_ns: int) -> None:
        """A live report that could not go for a minute is backlog."""
        while self._live and now_ns - self._live[0][1] >= LIVE_NS:
            self._add_fresh(self._live.popleft()[0])

    def _add_fresh(self, seq: int) -> None:
        if self._fresh and self._fresh[-1][1] == seq - 1:
            self._fresh[-1] = (self._fresh[-1][0], seq)
        else:
            self._fresh.append((seq, seq))

    def _next_fresh(self) -> int:
        first, last = self._fresh.popleft()
        if first < last:
            self._fresh.appendleft((first + 1, last))
        return first
