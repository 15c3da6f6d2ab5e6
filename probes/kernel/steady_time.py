"""Time for one rehearsal: the real time of its beginning, carried on by a clock that nobody sets and nobody slews.

The kernel stamps packets by real time only, and real time may be set (a step) or slewed (chronyd: by up to 8 %) while
a load runs. After each read of a socket the two clocks are compared, and its stamps are brought over:

    real - steady  ─────────┬ ┐            a step of more than `STEP_NS` was made between two looks: a stamp belongs to
                      look  │ │ look       the side on which it lies in time; if on both or on neither, it is not sure
                            └ ┴──────────
                   ───╲                    a slew: in proportion between two looks
                       ╲_________________

CLOCK_MONOTONIC_RAW is the bare oscillator; the rate that the clock's discipline has learned of it is added once, at the
beginning, so that two ends with good clocks do not drift apart.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from probes.kernel.clock_discipline import learned_ppm
from telemetry.windows import MS_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

STEP_NS: Final = 1 * MS_NS
"""The clock was set when it is off by more than this between two looks; less is spread over the time between them."""
ALIKE_NS: Final = 20_000
"""Two comparisons that differ by no more are the same: what remains is the time between reading one clock and the other."""
SLACK_NS: Final = 200_000
"""So much the two clocks may disagree on the order of a stamp and a look."""
_READINGS: Final = 5


class Translated(NamedTuple):
    """Stamps in steady time (ns), shape (n,), and of which of them that is sure."""

    at_ns: NDArray[np.int64]
    sure: NDArray[np.bool_]


@dataclass(slots=True)
class _Era:
    """A stretch between steps, in steady time: the look before it began, the look after it ended, real minus steady."""

    from_ns: int
    until_ns: int
    offset_ns: int


class SteadyTime:
    """One flow's clock. Not for several threads."""

    def __init__(self, ppm: Callable[[], float] = learned_ppm) -> None:
        """`ppm`: by how much the oscillator is slow."""
        self._raw = _raw_clock()
        self._rate = ppm() / 1e6
        self._raw_began_ns = self._raw()
        self._began_ns = time.time_ns()
        self._eras = [_Era(self._began_ns, 1 << 62, self._compared()[0])]
        self._before_ns = self._eras[0].offset_ns
        self._looks_ns = (self._began_ns, self.now_ns())
        self._emptied_ns = self._since_ns = self._began_ns
        """Nothing that is read from now on, or was read before the last look, has been stamped before."""
        self.steps = 0
        """How often real time was set since the beginning."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, if nobody had touched the clock since the beginning."""
        passed = self._raw() - self._raw_began_ns
        return self._began_ns + passed + int(passed * self._rate)

    def look(self, *, emptied: bool = True) -> None:
        """Compare the clocks; after each read, which may have emptied the socket."""
        era = self._eras[-1]
        offset, change = era.offset_ns, 0
        if abs(time.time_ns() - self.now_ns() - offset) > ALIKE_NS:
            compared, doubt = self._compared()
            change = compared - offset if abs(compared - offset) > ALIKE_NS + doubt else 0
        now = self.now_ns()
        if abs(change) > STEP_NS:
            era.until_ns = now
            self._eras = [one for one in self._eras if one.until_ns > self._emptied_ns]
            self._eras.append(_Era(self._looks_ns[1], 1 << 62, offset + change))
            self.steps += 1
            offset += change
        else:
            era.offset_ns += change
        self._before_ns = offset
        self._since_ns = self._emptied_ns
        if emptied:  # by a read after the look before this one
            self._emptied_ns = self._looks_ns[1]
        self._looks_ns = (self._looks_ns[1], now)

    def of_stamps(self, stamps_ns: NDArray[np.int64]) -> Translated:
        """Kernel stamps that were read just before the last look."""
        eras, since, now = self._eras, self._since_ns - SLACK_NS, self._looks_ns[1] + SLACK_NS
        if len(eras) == 1 or eras[-2].until_ns < since:
            return Translated(self._slewed(stamps_ns), np.ones(len(stamps_ns), dtype=np.bool_))
        at_ns, fits = stamps_ns - eras[-1].offset_ns, np.zeros(len(stamps_ns), dtype=np.int64)
        for era in eras:
            one = stamps_ns - era.offset_ns
            inside = (max(era.from_ns, since) <= one) & (one <= min(era.until_ns, now))
            at_ns = np.where(inside, one, at_ns)
            fits += inside
        return Translated(at_ns, fits == 1)

    def _slewed(self, stamps_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """By the offset as it was at each stamp, between the last two looks."""
        change = self._eras[-1].offset_ns - self._before_ns
        at_ns = stamps_ns - self._before_ns
        if not change:
            return at_ns
        from_ns, until_ns = self._looks_ns
        share = np.clip((at_ns - from_ns) / max(until_ns - from_ns + change, 1), 0.0, 1.0)
        moved: NDArray[np.int64] = at_ns - np.rint(share * change).astype(np.int64)
        return moved

    def _compared(self) -> tuple[int, int]:
        """Real minus steady time, and by how much that may be off: the closest of a few readings."""
        best = (0, 1 << 62)
        for _ in range(_READINGS):
            before = self.now_ns()
            real = time.time_ns()
            after = self.now_ns()
            best = min(best, (real - (before + after) // 2, after - before), key=lambda pair: pair[1])
        return best


def _raw_clock() -> Callable[[], int]:
    clock = getattr(time, "CLOCK_MONOTONIC_RAW", None)  # Linux and macOS have it
    return time.monotonic_ns if clock is None else lambda: time.clock_gettime_ns(clock)
