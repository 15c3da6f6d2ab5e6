"""A flow's windows added up to the whole of it, for a capture file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.call.as_tshark import AsTshark
from probes.call.figures import Figures, FlowWindow, Media
from telemetry.metrics.burst_gap import burst_gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.call.rtp_flow import Closed, FlowName

MOST_NUMBERS: Final = 50_000_000
"""Of a flow with more packets no densities are given for the whole, only for its windows."""


@dataclass(slots=True)
class FlowTotal:
    """The account of one flow from its first window to its last."""

    name: FlowName
    windows: list[FlowWindow] = field(default_factory=list)
    first_ns: int = 0
    as_tshark: AsTshark = field(default_factory=AsTshark)
    _lost: list[NDArray[np.int64]] = field(default_factory=list)
    """Places of the lost among all that were expected."""
    _expected: int = 0
    _jitter_sum_ms: float = 0.0
    _jitter_samples: int = 0
    _mended: int = 0

    def add(self, closed: Closed) -> None:
        """One more window of an RTP flow."""
        self.add_window(closed.window, closed.first_ns)
        toll = closed.toll
        self._lost.append(self._expected + np.flatnonzero(toll.lost))
        self._expected += len(toll.lost)
        self._mended += toll.came_late
        if closed.window.figures.rate_hz:
            media = closed.media
            self.as_tshark.add(media.time_ns, media.stamp, media.marker, closed.window.figures.rate_hz)
        mean = closed.window.figures.jitter_ms
        if mean is not None:
            self._jitter_sum_ms += mean * closed.jitter_samples
            self._jitter_samples += closed.jitter_samples

    def add_window(self, window: FlowWindow, first_ns: int) -> None:
        """One more window of a flow that has no numbers."""
        if not self.windows:
            self.first_ns = first_ns
        self.windows.append(window)

    @property
    def media(self) -> Media:
        """What it carried at the end, when most was known of it."""
        return self.windows[-1].media

    def figures(self) -> Figures:
        """Of the whole flow; `lost` is without what came after its window had been closed."""
        each = [window.figures for window in self.windows]
        frames = [one.frames for one in each if one.frames is not None]
        lost = np.concatenate(self._lost) if self._lost else np.zeros(0, dtype=np.int64)
        density = None
        if 0 < self._expected <= MOST_NUMBERS:
            mask = np.zeros(self._expected, dtype=bool)
            mask[lost] = True
            density = burst_gap(mask)
        last = each[-1]
        timed = self.media is not Media.REPAIR
        return Figures(
            packets=sum(one.packets for one in each),
            octets=sum(one.octets for one in each),
            active_ns=sum(one.active_ns for one in each),
            expected=self._expected,
            lost=len(lost) - self._mended,
            duplicated=sum(one.duplicated for one in each),
            reordered=sum(one.reordered for one in each),
            longest_loss_run=max(one.longest_loss_run for one in each),
            burst_density=density.burst_density if density else None,
            gap_density=density.gap_density if density else None,
            jitter_ms=self._jitter_sum_ms / self._jitter_samples if self._jitter_samples and timed else None,
            jitter_max_ms=max((j for one in each if (j := one.jitter_max_ms) is not None), default=None),
            frames=sum(frames) if frames and timed else None,
            freezes=sum(one.freezes for one in each),
            longest_freeze_ms=max(
                (f for one in each if (f := one.longest_freeze_ms) is not None), default=None
            ),
            rate_hz=last.rate_hz,
            payload_type=last.payload_type,
        )
