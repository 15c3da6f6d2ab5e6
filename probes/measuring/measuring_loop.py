"""The measuring process: sends every session's packets on time, reads stamps and replies, and does nothing else.

Pacing is by absolute monotonic times. Being late never causes a burst: slots that passed are skipped and counted.
The process sleeps until the next packet is due and sends what is due within `COALESCE_NS` in the same go; since the
kernel stamps packets both ways, it need not wake up for what arrives.
"""

from __future__ import annotations

import gc
import heapq
import time
from typing import TYPE_CHECKING, Final

from probes.measuring.clock_watch import ClockWatch
from probes.measuring.frames import FrameClock
from probes.measuring.measuring_messages import (
    MAX_MESSAGE,
    REPLY_TAG,
    SENT_TAG,
    STAMPED_TAG,
    Close,
    Damaged,
    Moved,
    Open,
    Pace,
    Progress,
    Trouble,
    decode_orders,
    encode_event,
)
from probes.measuring.outlet import Outlet
from probes.measuring.record_layout import REPLY_STRUCT, SENT_STRUCT, STAMPED_STRUCT, SentFlag
from probes.measuring.reply_reader import ReplyReader
from probes.measuring.session_sender import SessionSender, connect
from telemetry.clock import SystemClock
from telemetry.sources import StampSource
from telemetry.windows import LATE_NS, MS_NS, SECOND_NS

if TYPE_CHECKING:
    import socket

    from probes.measuring.measuring_messages import Event, Order

COALESCE_NS: Final = 1 * MS_NS
"""A packet may leave so much before its time when the process is awake anyway."""
READ_EVERY_NS: Final = 100 * MS_NS
READ_EVERY_USER_NS: Final = 1 * MS_NS
"""Without kernel stamps the time of reading is the stamp."""
FLUSH_EVERY_NS: Final = 250 * MS_NS
LOOK_EVERY_NS: Final = 2 * SECOND_NS
SILENT_NS: Final = 5 * SECOND_NS
"""A session that hears nothing for so long is looked into: has our own address changed?"""
_RECORDS: Final = MAX_MESSAGE // SENT_STRUCT.size


class MeasuringLoop:
    """Runs until its owner closes the other end of `owner`."""

    def __init__(self, owner: socket.socket) -> None:
        self._owner = owner
        self._outlet = Outlet(owner)
        self._watch = ClockWatch(SystemClock())
        self._reader = ReplyReader(self._hand_over_replies, self._hand_over_stamps)
        self._frames = FrameClock(self._watch, self._tell, lambda: self._reader.not_authentic)
        self._senders: dict[int, SessionSender] = {}
        self._leaving: dict[int, tuple[int, SessionSender]] = {}
        """Closed sessions whose replies may still come, with the time to let go of them."""
        self._replacing: list[Open] = []
        """Sessions that begin with the next frame."""
        self._schedule: list[tuple[int, int]] = []
        self._sent = bytearray(_RECORDS * SENT_STRUCT.size)
        self._sent_at = 0
        self._read_due_ns = 0
        self._flush_due_ns = 0
        self._look_due_ns = 0
        self._read_every_ns = READ_EVERY_NS
        self.running = True

    def run(self) -> None:
        """Measure until told to stop, or until the owner is gone."""
        gc.collect()
        gc.freeze()
        gc.disable()  # nothing here makes cycles
        try:
            while self.running:
                self._send_due()
                now = time.monotonic_ns()
                if now >= self._read_due_ns:
                    self._keep_house(now)
                self._sleep()
        except ConnectionError:
            pass  # the owner is gone, and with it the reason to measure
        finally:
            for sender in [*self._senders.values(), *(s for _, s in self._leaving.values())]:
                sender.close()

    def _sleep(self) -> None:
        until = self._read_due_ns
        if self._schedule and self._schedule[0][0] < until:
            until = self._schedule[0][0]
        wait = until - time.monotonic_ns()
        if wait > 0:
            time.sleep(wait / SECOND_NS)

    # -- sending

    def _send_due(self) -> None:
        schedule, senders, watch, frames = self._schedule, self._senders, self._watch, self._frames
        while schedule:
            due, number = schedule[0]
            now = time.monotonic_ns()
            if due > now + COALESCE_NS:
                return
            sender = senders.get(number)
            if sender is None or sender.due_ns != due:  # closed, or paced anew
                heapq.heappop(schedule)
                continue
            late, skipped, interval = now - due, 0, sender.interval_ns
            if late > interval:
                skipped = late // interval
            sender.due_ns = due + (skipped + 1) * interval
            heapq.heapreplace(schedule, (sender.due_ns, number))
            real = time.time_ns()
            if watch.suspects(real, now) and watch.stepped():
                self._read(now, ambiguous=True)
            if not frames.start_ns <= real < frames.end_ns:
                self._open_frame(real)
            sequence = sender.sequence
            flags = (SentFlag.PTP if sender.ptp else 0) | (0 if sender.send(real) else SentFlag.REFUSED)
            SENT_STRUCT.pack_into(
                self._sent, self._sent_at, sequence, real, number, frames.number, interval // 1000,
                min(late // 1000, 0xFFFF_FFFF) if late > 0 else 0, min(skipped, 0xFFFF_FFFF),
                watch.generation & 0xFFFF, flags,
            )  # fmt: skip
            self._sent_at += SENT_STRUCT.size
            if self._sent_at == len(self._sent):
                self._hand_over_sent()

    def _open_frame(self, real_ns: int) -> None:
        self._hand_over_sent()
        self._frames.open(real_ns)
        replacing, self._replacing = self._replacing, []
        now = time.monotonic_ns()
        for order in replacing:
            self._close(order.replaces, now)
            self._open(order, now)
        for sender in self._senders.values():
            sender.set_error_estimate(self._frames.error_estimate)

    # -- ten times a second

    def _keep_house(self, now: int) -> None:
        self._read_due_ns = now + self._read_every_ns
        if self._watch.stepped():
            self._read(now, ambiguous=True)
        real = time.time_ns()
        if not self._frames.covers(real):
            self._open_frame(real)
        self._read(now, ambiguous=False)
        if now < self._flush_due_ns:
            return
        self._flush_due_ns = now + FLUSH_EVERY_NS
        self._hand_over_sent()
        self._own_up_to_damage()
        self._tell(Progress(mono_ns=now))
        self._outlet.flush()
        self._take_orders(now)
        self._let_go(now)
        if now >= self._look_due_ns:
            self._look_due_ns = now + LOOK_EVERY_NS
            self._look_at_silent(now)

    def _read(self, now: int, *, ambiguous: bool) -> None:
        """Read all sockets. What is read in the go in which the clock stepped may be from before or after."""
        senders = list(self._senders.values())
        senders.extend(sender for _, sender in self._leaving.values())
        self._reader.read_stamps(senders)
        self._reader.read(senders, now, self._watch.generation, ambiguous=ambiguous)

    # -- handing over

    def _tell(self, event: Event) -> None:
        self._outlet.put(encode_event(event))

    def _hand_over_sent(self) -> None:
        if self._sent_at:
            self._outlet.put(SENT_TAG + self._sent[: self._sent_at], self._frames.number)
            self._sent_at = 0

    def _hand_over_replies(self, records: bytes) -> None:
        self._hand_over(REPLY_TAG, records, REPLY_STRUCT.size)

    def _hand_over_stamps(self, records: bytes) -> None:
        self._hand_over(STAMPED_TAG, records, STAMPED_STRUCT.size)

    def _hand_over(self, tag: bytes, records: bytes, size: int) -> None:
        step = MAX_MESSAGE // size * size
        for at in range(0, len(records), step):
            self._outlet.put(tag + records[at : at + step], self._frames.number)

    def _own_up_to_damage(self) -> None:
        damaged = self._outlet.damaged
        if damaged is not None:
            self._tell(Damaged(*damaged, messages=self._outlet.dropped))
            self._outlet.forget_damage()

    # -- orders

    def _take_orders(self, now: int) -> None:
        while True:
            try:
                message = self._owner.recv(1 << 17)
            except (BlockingIOError, InterruptedError):
                return
            if not message:
                raise ConnectionResetError("the owner closed the connection")
            for order in decode_orders(message):
                self._obey(order, now)

    def _obey(self, order: Order, now: int) -> None:
        if isinstance(order, Open) and order.replaces in self._senders:
            self._replacing.append(order)
        elif isinstance(order, Open):
            self._open(order, now)
        elif isinstance(order, Pace):
            self._pace(order, now)
        elif isinstance(order, Close):
            self._close(order.number, now)

    def _open(self, order: Open, now: int) -> None:
        sender = SessionSender(order, self._frames.error_estimate)
        sender.heard_ns = now
        self._senders[order.number] = sender
        self._get_socket(sender, now)
        sender.due_ns = now + round(order.phase * sender.interval_ns)
        heapq.heappush(self._schedule, (sender.due_ns, sender.number))

    def _close(self, number: int | None, now: int) -> None:
        """Send no more; also when the session was only waiting for its turn."""
        self._replacing = [order for order in self._replacing if order.number != number]
        sender = None if number is None else self._senders.pop(number, None)
        if sender is not None:
            self._leaving[sender.number] = (now + LATE_NS, sender)

    def _pace(self, order: Pace, now: int) -> None:
        sender = self._senders.get(order.number)
        if sender is None:
            return
        phase = (sender.due_ns - now) / sender.interval_ns
        sender.interval_ns = round(SECOND_NS / order.rate_pps)
        sender.due_ns = now + round(min(max(phase, 0.0), 1.0) * sender.interval_ns)
        heapq.heappush(self._schedule, (sender.due_ns, sender.number))

    def _let_go(self, now: int) -> None:
        for number in [n for n, (until, _) in self._leaving.items() if now >= until]:
            self._leaving.pop(number)[1].close()

    # -- sockets

    def _get_socket(self, sender: SessionSender, now: int) -> None:
        trouble = ""
        try:
            sender.open()
        except OSError as error:
            trouble = error.strerror or str(error)
            sender.retry_ns = now + SECOND_NS
        if trouble != sender.trouble:
            sender.trouble = trouble
            self._tell(Trouble(sender.number, trouble))
        if sender.stamps is StampSource.USER:
            self._read_every_ns = READ_EVERY_USER_NS

    def _look_at_silent(self, now: int) -> None:
        """Sessions without a socket try again; those that hear nothing ask whether our own address has changed."""
        for sender in self._senders.values():
            if sender.fileno < 0:
                if now >= sender.retry_ns:
                    self._get_socket(sender, now)
            elif now - sender.heard_ns > SILENT_NS and self._has_moved(sender):
                sender.heard_ns = now  # ask once; the owner answers with a new session
                self._tell(Moved(sender.number))

    @staticmethod
    def _has_moved(sender: SessionSender) -> bool:
        try:
            with connect(sender.address, sender.port) as trial:
                return bool(trial.getsockname()[0] != sender.source)
        except OSError:
            return False
