"""A call that is encrypted down to its headers: what packet sizes and times still tell. Estimates, and marked so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from probes.call.figures import Figures, FlowWindow, Media
from probes.call.video_frames import PAUSE_NS, frames_by_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.call.packets import Datagrams
    from probes.call.rtp_flow import FlowName

VIDEO_OCTETS: Final = 306
"""A datagram longer than this (with its UDP header) is picture; sound fits into less (Sharma et al., their code)."""
TOLERANCE: Final = 2
"""Octets by which packets of one frame differ (there, section 4)."""
LOOKBACK: Final = 2
"""Packets looked back at: the authors use 3 for Meet, 2 for Teams, 1 for Webex."""
LEAST_PICTURE_PER_S: Final = 20.0
LEAST_SOUND_PER_S: Final = 15.0
"""Fewer packets than a call sends: something else."""
LIVELY: Final = 20
LIVELY_NS: Final = 10**9
"""So many packets within a second raise the flag of a live call."""
MOST_HELD: Final = 400_000


class OpaqueFlow:
    """Datagrams between two ends that are neither RTP nor signalling."""

    def __init__(self, name: FlowName) -> None:
        self.name = name
        self.last_ns = 0
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._holding = 0
        self._overhead = 40 if ":" in name.source.address else 20
        self._recent: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._whole_ns: int | None = None
        self._closed_ns: int | None = None

    def take(self, packets: Datagrams, which: NDArray[np.intp]) -> bool:
        """Take in packets of this flow; says whether it is as lively as a call."""
        time_ns = packets.time_ns[which]
        self.last_ns = int(time_ns[-1])
        self._recent = np.concatenate([self._recent, time_ns])[-LIVELY:]
        if self._holding < MOST_HELD:
            self._parts.append((time_ns, packets.length[which]))
            self._holding += len(which)
        return len(self._recent) == LIVELY and self.last_ns - int(self._recent[0]) <= LIVELY_NS

    @property
    def first_held_ns(self) -> int | None:
        """The first packet whose window is not closed."""
        return int(self._parts[0][0][0]) if self._parts else None

    def close(self, start_ns: int, until_ns: int) -> list[FlowWindow]:
        """Picture and sound of the window that ends at `until_ns`; nothing when it is no call."""
        if not self._parts:
            return []
        time_ns = np.concatenate([part[0] for part in self._parts])
        length = np.concatenate([part[1] for part in self._parts])
        inside = int(np.searchsorted(time_ns, until_ns))
        self._parts = [(time_ns[inside:], length[inside:])] if inside < len(time_ns) else []
        self._holding = len(time_ns) - inside
        if not inside:
            return []
        ran_on = self._closed_ns is not None and int(time_ns[0]) - self._closed_ns <= PAUSE_NS
        begin = start_ns if ran_on else int(time_ns[0])
        end = until_ns if self._holding else int(time_ns[inside - 1])
        self._closed_ns = int(time_ns[inside - 1])
        if end <= begin:
            return []
        time_ns, length = time_ns[:inside], length[:inside]
        picture = length - self._overhead > VIDEO_OCTETS
        windows = []
        if picture.sum() * 1e9 / (end - begin) >= LEAST_PICTURE_PER_S:
            figures = self._picture(time_ns[picture], length[picture], end - begin)
            windows.append(self._window(start_ns, Media.VIDEO, figures))
        if (~picture).sum() * 1e9 / (end - begin) >= LEAST_SOUND_PER_S:
            sound = Figures(
                packets=int((~picture).sum()), octets=int(length[~picture].sum()), active_ns=end - begin
            )
            windows.append(self._window(start_ns, Media.AUDIO, sound))
        return windows

    def _picture(self, time_ns: NDArray[np.int64], length: NDArray[np.int64], active_ns: int) -> Figures:
        frames = frames_by_size(time_ns, length, lookback=LOOKBACK, tolerance=TOLERANCE)
        frozen = frames.freezes_ns(self._whole_ns)
        self._whole_ns = int(frames.whole_ns[-1])
        return Figures(
            packets=len(time_ns),
            octets=int(length.sum()),
            active_ns=active_ns,
            frames=len(frames.whole_ns),
            freezes=len(frozen),
            longest_freeze_ms=float(frozen.max() / 1e6) if len(frozen) else None,
        )

    def _window(self, start_ns: int, media: Media, figures: Figures) -> FlowWindow:
        return FlowWindow(
            start_ns=start_ns,
            flow=self.name.text,
            media=media,
            way=self.name.way,
            figures=figures,
            estimated=True,
        )
