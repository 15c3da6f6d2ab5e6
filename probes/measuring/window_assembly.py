"""From the measuring process's messages to closed windows. Pure bookkeeping: no sockets, no clock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probes.kernel.clock_state import clock_of
from probes.measuring.measuring_messages import (
    REPLY_TAG,
    SENT_TAG,
    STAMPED_TAG,
    Damaged,
    Ended,
    Opened,
    Progress,
    decode_event,
)
from probes.measuring.record_pool import RecordPool
from probes.measuring.session import ClosedWindow
from telemetry.messages import SelfReport
from telemetry.windows import LATE_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from probes.measuring.measuring_messages import Event
    from probes.metering.exchanges import FrameRecords
    from probes.metering.meter import Meter
    from telemetry.messages import Stream


@dataclass(slots=True)
class _Frame:
    opened: Opened
    ended_mono_ns: int | None = None
    """When the next one began."""
    cpu_ratio: float | None = None
    clock_steps: int = 0
    fault: str | None = None
    damaged: bool = False
    """Records are missing: what it would report could be false."""


@dataclass(slots=True)
class _Running:
    """A session as numbered for the measuring process."""

    office: str
    path: str
    ssid: int
    meter: Meter
    drops: int = 0
    closed_after: int | None = None
    """Last frame that it may have sent in; None while it runs."""


class WindowAssembly:
    """Takes in messages, knows which frames are complete, and measures them."""

    def __init__(self) -> None:
        self._pool = RecordPool()
        self._frames: dict[int, _Frame] = {}
        self._current = 0
        self._progress_ns = 0
        self._running: dict[int, _Running] = {}
        self._fault: str | None = None
        self.foreign = 0
        """Replies that answered nothing that was sent."""
        self.not_authentic = 0
        """Replies of signed sessions that were not signed with their key."""

    def add_session(self, number: int, office: str, path: str, ssid: int, meter: Meter) -> None:
        """Expect records of a session under this number."""
        self._running[number] = _Running(office, path, ssid, meter)

    def remove_session(self, number: int) -> None:
        """Expect no further packets; those sent are still measured. It may send until its order is read, so in the next frame too."""
        if number in self._running:
            self._running[number].closed_after = self._current + 1

    def note_fault(self, text: str) -> None:
        """Something befell the measuring process: the windows at hand carry it."""
        for frame in self._frames.values():
            frame.fault = frame.fault or text
        self._fault = text

    def take(self, message: bytes) -> Event | None:
        """Take in one message; returns the event, if it was one."""
        tag, body = message[:1], memoryview(message)[1:]
        if tag == SENT_TAG:
            self._pool.add_sent(body)
        elif tag == STAMPED_TAG:
            self._pool.add_stamped(body)
        elif tag == REPLY_TAG:
            self._pool.add_replies(body)
        else:
            event = decode_event(body)
            self._note(event)
            return event
        return None

    def _note(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress_ns = event.mono_ns
        elif isinstance(event, Opened):
            before = self._frames.get(self._current)
            if before is not None:
                before.ended_mono_ns = event.opened_mono_ns
            self._current = event.frame
            self._frames[event.frame] = _Frame(event, fault=self._fault)
            self._fault = None
        elif isinstance(event, Ended) and event.frame in self._frames:
            frame = self._frames[event.frame]
            frame.cpu_ratio, frame.clock_steps = event.cpu_ratio, event.clock_steps
            self.not_authentic += event.not_authentic
        elif isinstance(event, Damaged):
            for number, frame in self._frames.items():
                if event.first_frame <= number <= event.last_frame:
                    frame.damaged = True
                    frame.fault = f"records lost: the agent was too busy to read ({event.messages} messages)"

    def complete(self) -> list[int]:
        """Frames whose last packet has had its 3 s and whose replies are all here."""
        return [
            number
            for number, frame in self._frames.items()
            if frame.ended_mono_ns is not None and self._progress_ns >= frame.ended_mono_ns + LATE_NS
        ]

    def close(self, number: int, offices: Sequence[str]) -> Iterator[ClosedWindow]:
        """Measure a complete frame: one window per office, given ones and those that sent. Yields in between."""
        frame = self._frames.pop(number)
        ssids = {n: running.ssid for n, running in self._running.items()}
        yield from self._windows(frame, self._pool.close(number, ssids), offices)
        self._forget(number)

    def abort(self, offices: Sequence[str]) -> Iterator[ClosedWindow]:
        """Close every frame at hand early: what was sent in the last 3 s counts as not sent, the rest is measured."""
        for number, frame in sorted(self._frames.items()):
            offset = frame.opened.start_ns - frame.opened.mono_ns
            ssids = {n: running.ssid for n, running in self._running.items()}
            until = self._progress_ns + offset - LATE_NS
            yield from self._windows(frame, self._pool.close(number, ssids, until), offices)
        self._frames.clear()
        self._running.clear()
        self._pool = RecordPool()
        self._current = 0

    def _windows(
        self, frame: _Frame, records: dict[int, FrameRecords], offices: Sequence[str]
    ) -> Iterator[ClosedWindow]:
        by_office: dict[str, list[int]] = defaultdict(list)
        for number in records:
            by_office[self._running[number].office].append(number)
        for office in dict.fromkeys((*offices, *by_office)):
            mine = {number: records[number] for number in by_office.get(office, ())}
            streams = () if frame.damaged else self._streams(mine)
            yield ClosedWindow(
                office=office,
                start_ns=frame.opened.start_ns,
                mono_ns=frame.opened.mono_ns,
                clock=clock_of(frame.opened.discipline),
                self_report=self._self_report(frame, mine),
                streams=streams,
                fault=frame.fault,
            )

    def _streams(self, records: dict[int, FrameRecords]) -> tuple[Stream, ...]:
        streams: dict[str, Stream] = {}
        for number, one in records.items():
            running = self._running[number]
            before = running.meter.foreign
            stream = running.meter.close(one)
            self.foreign += running.meter.foreign - before
            kept = streams.get(stream.path)
            # A session opened anew within a window leaves two: the longer one speaks for the window.
            if kept is None or stream.sent > kept.sent:
                streams[stream.path] = stream
        return tuple(streams.values())

    def _self_report(self, frame: _Frame, records: dict[int, FrameRecords]) -> SelfReport:
        late = skipped = late_max = drops = 0
        for number, one in records.items():
            n, worst = _lateness(one.sent)
            late, late_max = late + n, max(late_max, worst)
            skipped += int(one.sent["skipped"].sum(dtype="int64"))
            running = self._running[number]
            seen = int(one.replies["drops"].max(initial=0))
            drops += max(seen - running.drops, 0)
            running.drops = max(running.drops, seen)
        return SelfReport(
            late_sends=late + skipped,
            late_max_ms=late_max / 1e3 if records else None,
            cpu_ratio=frame.cpu_ratio,
            rx_drops=drops,
            clock_steps=frame.clock_steps,
        )

    def _forget(self, number: int) -> None:
        gone = [
            n for n, r in self._running.items() if r.closed_after is not None and number >= r.closed_after
        ]
        for session in gone:
            del self._running[session]


LATE_US = 5_000


def _lateness(sent: NDArray[np.void]) -> tuple[int, int]:
    """Packets that left more than 5 ms after their time, and the worst lateness, µs."""
    late = sent["late_us"]
    return int((late > LATE_US).sum()), int(late.max(initial=0))
