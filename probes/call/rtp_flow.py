"""One RTP flow in one direction: from candidate to proof, its packets at hand, and its windows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.call.clock_rate import found_rate_hz, is_video, static_rate_hz
from probes.call.columns import Columns
from probes.call.figures import Figures, FlowWindow, Media, Way
from probes.call.jitter_run import JitterRun
from probes.call.losses import Losses, Toll
from probes.call.sequence import unwrapped_sequence, unwrapped_timestamp
from probes.call.video_frames import PAUSE_NS, Frames, rtp_frames
from telemetry.metrics.burst_gap import burst_gap
from telemetry.metrics.loss_pattern import loss_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.call.packets import Datagrams, End

PROOF_PACKETS: Final = 8
"""So many packets whose numbers follow each other prove a flow to be RTP."""
DOUBT_PACKETS: Final = 24
"""A candidate that has proved nothing after so many is something else."""
NEAR: Final = 16
"""Numbers so close to the one before follow it."""
JUMP: Final = 500
MOST_PACKETS_PER_S: Final = 20_000
"""A larger step than this rate explains is a sender that began anew, not loss."""
MOST_STRAYS: Final = 16
"""In one batch; a batch with more is not of this flow."""
MOST_HELD: Final = 400_000
"""Packets of one flow between two closings: over 20,000 a second. More are not kept, and the window says nothing."""
_EXTENDED_FROM: Final = 1 << 20
"""Room below the first number for packets that it overtook."""


class Standing(Enum):
    """What is known of a flow."""

    CANDIDATE = 0
    PROVED = 1
    REFUSED = 2


@dataclass(frozen=True, slots=True)
class FlowName:
    """Who is at the ends of a flow, and which way it goes."""

    text: str
    source: End
    destination: End
    ssrc: int
    way: Way


@dataclass(frozen=True, slots=True)
class Closed:
    """A window of a flow, and what the flow's total needs beside it."""

    window: FlowWindow
    toll: Toll
    media: Columns
    """Its packets of the main payload type."""
    jitter_samples: int
    first_ns: int


class RtpFlow:
    """Packets of one SSRC between two ends."""

    def __init__(self, name: FlowName) -> None:
        self.name = name
        self.standing = Standing.CANDIDATE
        self.media: Media | None = None
        self.strays = 0
        """Packets whose numbers fit nowhere."""
        self.overflowed = False
        self.last_ns = 0
        self.rate_hz: int | None = None
        self.stamps: NDArray[np.uint32] = np.zeros(0, dtype=np.uint32)
        """Time stamps of the last closed window, each once, as they stand in the packets."""
        self._elsewhere: np.uint16 | None = None
        """Number of the last stray."""
        self._held: list[Columns] = []
        self._holding = 0
        self._seen = 0
        self._near = 0
        self._count = 0
        self._extended: int | None = None
        self._stamp = 0
        self._losses = Losses()
        self._jitter = JitterRun()
        self._frame_stamp: int | None = None
        self._frame_whole_ns: int | None = None
        self._closed_ns: int | None = None
        """Last packet of the windows closed so far."""
        self._top = 0

    def take(self, packets: Datagrams, which: NDArray[np.intp]) -> NDArray[np.intp] | None:
        """Take in packets of this flow; those from a new beginning of its sender on are returned."""
        which, again = self._in_place(packets, which)
        if len(which):
            self._append(packets, which)
        return again

    def _in_place(
        self, packets: Datagrams, which: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
        """What continues this flow, and what begins it anew (as RFC 3550 A.1: two numbers in order elsewhere).

        A single packet whose number neither loss nor order explains is a stray, and left out.
        """
        for _ in range(MOST_STRAYS):
            at = self._first_wild(packets, which)
            if at is None:
                self._elsewhere = None
                return which, None
            number = packets.sequence[which[at]]
            follower = packets.sequence[which[at + 1]] if at + 1 < len(which) else None
            if _follows(number, self._elsewhere) or (follower is not None and _follows(follower, number)):
                return which[:at], which[at:]
            self.strays += 1
            self._elsewhere = number
            which = np.delete(which, at)
            if not len(which):
                return which, None
        self.strays += len(which)
        return which[:0], None

    def _first_wild(self, packets: Datagrams, which: NDArray[np.intp]) -> int | None:
        if self._extended is None:
            before, before_ns = int(packets.sequence[which[0]]), int(packets.time_ns[which[0]])
        else:
            before, before_ns = self._extended & 0xFFFF, self.last_ns
        steps = np.diff(packets.sequence[which], prepend=np.uint16(before)).astype(np.int16).astype(np.int64)
        elapsed = np.diff(packets.time_ns[which], prepend=before_ns)
        wild = (np.abs(steps) > JUMP) & (np.abs(steps) > elapsed * (MOST_PACKETS_PER_S / 1e9))
        at = np.flatnonzero(wild)
        return int(at[0]) if len(at) else None

    def _append(self, packets: Datagrams, which: NDArray[np.intp]) -> None:
        time_ns = packets.time_ns[which]
        sequence = packets.sequence[which]
        if self._extended is None:
            self._extended = _EXTENDED_FROM + int(sequence[0])
            self._stamp = (1 << 33) + int(packets.timestamp[which[0]])
        extended = unwrapped_sequence(sequence, self._extended)
        stamp = unwrapped_timestamp(packets.timestamp[which], self._stamp)
        if self.standing is Standing.CANDIDATE:
            self._judge(np.diff(extended, prepend=self._extended))
        self._extended, self._stamp = int(extended[-1]), int(stamp[-1])
        self.last_ns = max(self.last_ns, int(time_ns[-1]))
        if self._holding + len(which) > MOST_HELD:
            self.overflowed = True
            return
        self._holding += len(which)
        self._held.append(
            Columns(
                time_ns,
                packets.length[which],
                extended,
                stamp,
                packets.payload_type[which],
                packets.marker[which],
            )
        )

    @property
    def holds(self) -> bool:
        """Packets are at hand whose window is not closed."""
        return bool(self._held)

    @property
    def first_held_ns(self) -> int | None:
        """The first packet whose window is not closed; a candidate's wait for nothing."""
        return int(self._held[0].time_ns[0]) if self._held and self.standing is Standing.PROVED else None

    def _judge(self, steps: NDArray[np.int64]) -> None:
        self._near += int(((steps > 0) & (steps <= NEAR)).sum())
        self._count += len(steps)
        if self._near >= PROOF_PACKETS and self._near >= 0.7 * self._count:
            self.standing = Standing.PROVED
        elif self._count >= DOUBT_PACKETS:
            self.standing = Standing.REFUSED

    def close(self, start_ns: int, until_ns: int) -> Closed | None:
        """The window that ends at `until_ns`; None when no packet arrived within it."""
        if not self._held:
            return None
        held = Columns.joined(self._held)
        inside = int(np.searchsorted(held.time_ns, until_ns))
        if not inside:
            self._held = [held]
            return None
        if self.overflowed:
            self._forget()
            return None
        toll = self._losses.close(held.extended, inside, min(self._seen, len(held)))
        now, later = held[:inside], held[inside:]
        self._held, self._holding = ([later] if len(later) else []), len(later)
        self._seen = len(later)
        return self._measured(start_ns, until_ns, now, toll, continues=len(later) > 0)

    def _forget(self) -> None:
        """Too much came to be kept: begin anew, and say nothing of what was."""
        self._held, self._holding, self._seen, self.overflowed = [], 0, 0, False
        self._losses, self._extended, self._closed_ns = Losses(), None, None
        self._jitter.forget()

    def _measured(self, start_ns: int, until_ns: int, now: Columns, toll: Toll, *, continues: bool) -> Closed:
        main = int(np.bincount(now.payload_type).argmax())
        media = now if (now.payload_type == main).all() else now[now.payload_type == main]
        kind = self._recognise(main, media)
        jitter = (
            self._jitter.advance(media.time_ns, media.stamp, self.rate_hz)
            if self.rate_hz and kind is not Media.REPAIR
            else None
        )
        frames = self._frames(media) if kind is Media.VIDEO else None
        usual_ns = (frames and frames.frame_ns) or _usual_gap_ns(now.time_ns)
        active_ns = self._active_ns(start_ns, until_ns, now.time_ns, usual_ns, continues=continues)
        frozen = self._frozen_ns(frames, media)
        reordered = self._reordered(now.extended)
        self._closed_ns = int(now.time_ns[-1])
        density = burst_gap(toll.lost) if len(toll.lost) else None
        figures = Figures(
            expected=len(toll.lost),
            lost=int(toll.lost.sum()),
            duplicated=toll.duplicated,
            longest_loss_run=_longest_run(toll.lost),
            burst_density=density.burst_density if density else None,
            gap_density=density.gap_density if density else None,
            packets=len(now),
            octets=int(now.length.sum()),
            active_ns=active_ns,
            reordered=reordered,
            jitter_ms=jitter.sum_ms / jitter.samples if jitter else None,
            jitter_max_ms=jitter.max_ms if jitter else None,
            frames=len(frames.whole_ns) if frames else None,
            freezes=0 if frozen is None else len(frozen),
            longest_freeze_ms=float(frozen.max() / 1e6) if frozen is not None and len(frozen) else None,
            rate_hz=self.rate_hz,
            payload_type=main,
        )
        window = FlowWindow(
            start_ns=start_ns, flow=self.name.text, media=kind, way=self.name.way, figures=figures
        )
        return Closed(window, toll, media, jitter.samples if jitter else 0, int(now.time_ns[0]))

    def _recognise(self, main: int, media: Columns) -> Media:
        """What the flow is, by the packets of its main payload type: its clock's rate, its stamps, sound or picture."""
        self.rate_hz = found_rate_hz(media.time_ns, media.stamp) or self.rate_hz or static_rate_hz(main)
        stamps = np.unique(media.stamp)
        self.stamps = stamps.astype(np.uint32)
        if self.media is not Media.REPAIR:
            per_stamp = len(media) / len(stamps)
            video = is_video(main, self.rate_hz, float(media.length.mean()), per_stamp)
            self.media = Media.VIDEO if video else Media.AUDIO
        return self.media

    def _frozen_ns(self, frames: Frames | None, media: Columns) -> NDArray[np.int64] | None:
        """How long each freeze of the picture lasted; None without a picture. Remembers the last whole frame."""
        if frames is None:
            return None
        frozen = frames.freezes_ns(self._frame_whole_ns)
        if len(frames.whole_ns):
            self._frame_stamp, self._frame_whole_ns = int(media.stamp.max()), int(frames.whole_ns[-1])
        return frozen

    def _frames(self, media: Columns) -> Frames:
        return rtp_frames(media.time_ns, media.stamp, self.rate_hz, self._frame_stamp)

    def _active_ns(
        self, start_ns: int, until_ns: int, time_ns: NDArray[np.int64], usual_ns: int, *, continues: bool
    ) -> int:
        """From the window's start, or the flow's, to its end, or the flow's, the last packet's own time with it."""
        first, last = int(time_ns[0]), int(time_ns[-1])
        ran_on = self._closed_ns is not None and first - self._closed_ns <= PAUSE_NS
        begin = start_ns if ran_on else first
        end = until_ns if continues else min(until_ns, last + usual_ns)
        return max(end - begin, 0)

    def _reordered(self, extended: NDArray[np.int64]) -> int:
        """First copies that came after a higher number (RFC 4737)."""
        firsts = extended[np.sort(np.unique(extended, return_index=True)[1])]
        highest = np.maximum(np.maximum.accumulate(firsts), self._top)
        self._top = int(highest[-1])
        return int((firsts < highest).sum())


def _usual_gap_ns(time_ns: NDArray[np.int64]) -> int:
    return int(np.median(np.diff(time_ns))) if len(time_ns) > 1 else 0


def _longest_run(lost: NDArray[np.bool_]) -> int:
    first, last = loss_runs(lost)
    return int((last - first + 1).max(initial=0))


def _follows(number: np.uint16, before: np.uint16 | None) -> bool:
    return before is not None and 0 < ((int(number) - int(before)) & 0xFFFF) <= NEAR
