"""One-way delays of a window, made fit for differences: eras between clock steps, pairs of consecutive packets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from probes.metering.clock_jumps import AROUND, clock_jumps
from telemetry.arrays import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.metering.exchanges import Exchanges


@dataclass(frozen=True, slots=True)
class Samples:
    """One-way delays with whatever clock offset, ns, in sending order."""

    sequence: NDArray[np.int64]
    up_ns: NDArray[np.int64]
    down_ns: NDArray[np.int64]
    generation: NDArray[np.int64]
    """Own clock steps so far."""

    def __len__(self) -> int:
        return len(self.sequence)

    def part(self, which: slice | NDArray[np.bool_]) -> Samples:
        """The chosen ones."""
        return Samples(self.sequence[which], self.up_ns[which], self.down_ns[which], self.generation[which])

    def then(self, more: Samples) -> Samples:
        """These and then those."""
        return Samples(
            np.concatenate((self.sequence, more.sequence)),
            np.concatenate((self.up_ns, more.up_ns)),
            np.concatenate((self.down_ns, more.down_ns)),
            np.concatenate((self.generation, more.generation)),
        )


@dataclass(frozen=True, slots=True)
class OneWay:
    """One-way delays of one window."""

    samples: Samples
    era: NDArray[np.int64]
    """Per sample: changes where either clock was stepped; delays of two eras cannot be compared."""
    ipdv_up_ns: NDArray[np.int64]
    """D(i)-D(i-1) of packets consecutive in sending (RFC 3393), within an era."""
    ipdv_down_ns: NDArray[np.int64]
    steps: int
    """Eras that began in this window."""


def samples_of(exchanges: Exchanges, base: int) -> Samples:
    """Delays of exchanges in sending order; `base` is the sequence number of the frame's first packet."""
    return Samples(
        exchanges.index + base,
        exchanges.t2_ns - exchanges.t1_ns,
        exchanges.t4_ns - exchanges.t3_ns,
        exchanges.generation,
    )


_LOOK_AHEAD: Final = slice(0, AROUND)


class OneWayContext:
    """Remembers the last few delays of the window before, so that pairs and steps at its edge are seen."""

    def __init__(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        self._before = Samples(none, none, none, none)
        self._era = 0

    def take(self, window: Samples, ahead: Samples) -> OneWay:
        """Put a window's delays into eras; `ahead` are those that followed so far."""
        before = self._before
        skip = len(before)
        domain = before.then(window).then(ahead.part(_LOOK_AHEAD))
        edges = np.zeros(len(domain), dtype=np.int64)
        edges[_edges(domain)] = 1
        edges[: max(skip, 1)] = (
            0  # those were told with the window before; nothing comes before the very first
        )
        era = self._era + np.cumsum(edges)
        stop = skip + len(window)
        own = slice(max(skip - 1, 0), stop)
        pairs = (np.diff(domain.sequence[own]) == 1) & (np.diff(era[own]) == 0)
        result = OneWay(
            window,
            era[skip:stop],
            np.diff(domain.up_ns[own])[pairs],
            np.diff(domain.down_ns[own])[pairs],
            int(edges[:stop].sum()),
        )
        if stop:
            self._era = int(era[stop - 1])
            recent = slice(max(stop - AROUND, 0), stop)
            self._before = domain.part(recent).part(era[recent] == self._era)
        return result


def _edges(samples: Samples) -> NDArray[np.int64]:
    """Positions before which a clock was stepped: our own as told, the far end's as seen."""
    own = np.flatnonzero(np.diff(samples.generation)) + 1
    if not len(own):
        return clock_jumps(samples.up_ns, samples.down_ns)
    parts = [own]
    for begin, end in zip([0, *own.tolist()], [*own.tolist(), len(samples)], strict=True):
        parts.append(clock_jumps(samples.up_ns[begin:end], samples.down_ns[begin:end]) + begin)
    return np.concatenate(parts)
