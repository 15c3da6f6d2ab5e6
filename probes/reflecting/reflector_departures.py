"""Replies on their way out: T3, written last of all, the DSCP that a sender has asked for, and the sending itself."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING, Final

from probes.kernel.kernel_stamps import control_messages
from probes.reflecting.reflector_batch import OCTETS
from probes.reflecting.send_lag import SendLag
from probes.stamp.timestamps import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from probes.reflecting.reflector_batch import RequestBatch
    from probes.reflecting.reflector_counters import ReflectorCounters
    from probes.reflecting.reflector_sessions import ReflectorSession

_T3: Final = struct.Struct("!Q")
_T3_AT: Final = 4


class Departures:
    """The replies of the running batch."""

    def __init__(
        self,
        sock: socket.socket,
        batch: RequestBatch,
        field: Callable[[int, int], int],
        counters: ReflectorCounters,
    ) -> None:
        self._sock = sock
        self._batch = batch
        self._field = field
        self._counters = counters
        self.lag = SendLag()
        self.signed_lag = SendLag()
        """Signing takes its time between T3 and the sending."""
        self._t3_ns = 0
        self._t3_signed = False
        self.undated: list[tuple[int, int, ReflectorSession | None]] = []
        """Replies without T3: where each begins, its number and session."""
        self.marked: dict[int, int] = {}
        """Slots whose reply leaves with a traffic class of the sender's choice."""

    def calm(self) -> None:
        """Nothing waits: an observation that was begun may end."""
        self.lag.calm(self._sock)
        self.signed_lag.calm(self._sock)

    def observe(self, now_ns: int) -> None:
        """Ask the kernel when the next reply leaves."""
        self._t3_ns = 0
        self.lag.ask(self._sock, now_ns)

    def learn(self) -> None:
        """Take in what it said of the one that has left."""
        lag = self.signed_lag if self._t3_signed else self.lag
        lag.learn(self._sock, self._t3_ns)

    def signed_t3(self) -> int:
        """T3 as it stands on the wire, of a reply that is to be signed now."""
        self._t3_ns, self._t3_signed = time.time_ns(), True
        return self._field(*divmod(self._t3_ns + self.signed_lag.ns, SECOND_NS))

    def date(self) -> None:
        """Write T3 into the unsigned replies: last of all, so that as little as possible is left to do after it."""
        self._t3_ns, self._t3_signed = time.time_ns(), False
        t3, data = self._field(*divmod(self._t3_ns + self.lag.ns, SECOND_NS)), self._batch.data
        for at, number, session in self.undated:
            _T3.pack_into(data, at + _T3_AT, t3)
            if session is not None:
                session.previous = number, t3
        self.undated.clear()

    def send(self, slots: list[int]) -> None:
        """Send the replies, runs of neighbouring slots at once; one refused does not hold up the others."""
        if self.undated:
            self.date()
        if self.marked:
            slots = [slot for slot in slots if not self._sent_marked(slot)]
        fileno, index = self._sock.fileno(), 0
        while index < len(slots):
            first = slots[index]
            run = 1
            while index + run < len(slots) and slots[index + run] == first + run:
                run += 1
            went = self._batch.replies.send(fileno, first, run)
            self._counters.answered += went
            if not went:
                self._counters.send_failed += 1
                went = 1
            index += went

    def _sent_marked(self, slot: int) -> bool:
        """Send a reply with the DSCP that its sender asked for; False when it asked for none."""
        tos = self.marked.pop(slot, None)
        if tos is None:
            return False
        batch, (level, kind) = self._batch, self._batch.tos
        beside = [(level, kind, struct.pack("=i", tos))]
        if batch.info is not None:
            size = batch.info.size
            beside += control_messages(batch.reply_control[slot * size : (slot + 1) * size])
        at = slot * OCTETS
        try:
            reply = batch.data[at : at + int(batch.replies.lengths[slot])]
            self._sock.sendmsg([reply], beside, socket.MSG_DONTWAIT, batch.whence(slot))
            self._counters.answered += 1
        except OSError:
            self._counters.send_failed += 1
        return True
