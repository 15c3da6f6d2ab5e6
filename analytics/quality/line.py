"""An estimate of a call's audio quality on a line, from what the probes measured of it; docs/quality.md says its limits.

Nobody listens here: this is what ITU-T's E-model expects of a call with the codec that the operator names, on a line
that delays and loses as the probe's packets were delayed and lost.

* One-way delay, mouth to ear = round trip / 2 + jitter buffer + packetisation. Which half of a round trip is the slow
  one is not known, as few clocks vouch for it.
* Loss = lost on the way + discarded by the jitter buffer for being late. Loss of unknown direction counts in both.
* Bursts: the least burst ratio that the longest run of losses allows.
* Beyond the model's ranges (20 % loss, 500 ms, a burst ratio of 8) it is asked for its range's end and the answer is marked `at_most`: the
  model only falls there, so the true figure is no better. Nothing is extrapolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.quality.impairments import BURSTS, DELAY, LOSS
from analytics.quality.late import late_share
from analytics.quality.mos import opinion
from analytics.quality.rating import Scale
from analytics.quality.wider_bands import FULLBAND_STRETCH, WIDEBAND_STRETCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.quality.codecs import Codec

_PDV: Final = ("pdv_p50_ms", "pdv_p99_ms", "pdv_p999_ms")
_COUNTS: Final = ("lost", "longest_loss_run")
COLUMNS: Final[tuple[str, ...]] = (
    "sent",
    "lost_unattributed",
    "rtt_p50_ms",
    "down_sent",
    *(f"{way}_{name}" for way in ("up", "down") for name in (*_COUNTS, *_PDV)),
)
"""What `audio_quality` reads of a window (names of `telemetry.store.columns`)."""
SLOT_COLUMNS: Final[tuple[str, ...]] = (
    "rtt_p50_ms",
    *(f"{way}_{name}" for way in ("up", "down") for name in _PDV),
)
"""What it takes from a whole roll-up, for each of its windows."""
SLOT_WINDOW_VALUES: Final[tuple[str, ...]] = ("sent", "lost", "up_lost", "down_lost")
"""What a roll-up keeps of each window for it."""
_STRETCH: Final = {
    Scale.NARROWBAND: 1.0,
    Scale.WIDEBAND: WIDEBAND_STRETCH,
    Scale.FULLBAND: FULLBAND_STRETCH,
}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What is assumed of the meeting's devices."""

    codec: Codec
    jitter_buffer_ms: float
    packet_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class HeardQuality:
    """One direction, of one shape. NaN: not measured, or not known of this direction."""

    mos: NDArray[np.float64]
    """On the codec's scale, never below 1."""
    at_most: NDArray[np.bool_]
    """Worse than the model's ranges reach: `mos` is an upper bound."""
    loss_ratio: NDArray[np.float64]
    """Lost on the way or too late."""
    late_ratio: NDArray[np.float64]
    """Of those that came, too late for the jitter buffer; NaN where the delay variation is unknown (taken as 0)."""
    delay_ms: NDArray[np.float64]
    """Mouth to ear."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioQuality:
    """What the others hear of the office (`up`), and what the office hears (`down`)."""

    scale: Scale
    proxy: bool
    """The codec's constants are those of another one."""
    up: HeardQuality
    down: HeardQuality

    @property
    def worse(self) -> NDArray[np.float64]:
        """MOS of the worse direction, of those that are known."""
        return np.asarray(np.fmin(self.up.mos, self.down.mos))


def audio_quality(values: Mapping[str, NDArray[np.floating]], endpoints: Endpoints) -> AudioQuality:
    """The estimate for windows; of roll-ups, `rollup_windows` makes them.

    Args:
        values: the columns of `COLUMNS`, of one shape as (S, P, W); NaN where nothing was measured.
        endpoints: codec, jitter buffer and packet length.
    """
    one_way = np.asarray(values["rtt_p50_ms"], dtype=np.float64) / 2
    delay = one_way + endpoints.jitter_buffer_ms + endpoints.packet_ms
    return AudioQuality(
        scale=endpoints.codec.scale,
        proxy=endpoints.codec.proxy,
        up=_heard(values, "up", delay, endpoints),
        down=_heard(values, "down", delay, endpoints),
    )


def rollup_windows(
    slots: Mapping[str, NDArray[np.floating]], windows: Mapping[str, NDArray[np.floating]]
) -> dict[str, NDArray[np.float64]]:
    """What `audio_quality` reads of the windows of roll-ups, (..., 20).

    Losses are each window's own; delay and its variation are those of the five minutes. Runs of losses are not kept by
    window, so bursts do not count.

    Args:
        slots: `SLOT_COLUMNS`, (...).
        windows: `SLOT_WINDOW_VALUES`, (..., 20).
    """
    sent, lost, up, down = (np.asarray(windows[name], dtype=np.float64) for name in SLOT_WINDOW_VALUES)
    unknown = np.maximum(lost - up - down, 0)
    out = {"sent": sent, "lost_unattributed": unknown, "down_sent": sent - up - unknown}
    out |= {"up_lost": up, "down_lost": down}
    out |= {f"{way}_longest_loss_run": np.full(sent.shape, np.nan) for way in ("up", "down")}
    for name in SLOT_COLUMNS:
        out[name] = np.broadcast_to(np.asarray(slots[name], dtype=np.float64)[..., None], sent.shape)
    return out


def _heard(
    values: Mapping[str, NDArray[np.floating]], way: str, delay: NDArray[np.float64], endpoints: Endpoints
) -> HeardQuality:
    def column(name: str) -> NDArray[np.float64]:
        return np.asarray(values[name], dtype=np.float64)

    # What may have been lost on the way back had set out on it: `down_sent` counts only what is known to have.
    unknown = column("lost_unattributed")
    sent = column("sent") if way == "up" else column("down_sent") + unknown
    lost = np.minimum(column(f"{way}_lost") + unknown, sent)
    loss = np.divide(lost, sent, out=np.full(sent.shape, np.nan), where=sent > 0)
    late = late_share(endpoints.jitter_buffer_ms, [column(f"{way}_{name}") for name in _PDV])
    total = 1 - (1 - loss) * (1 - np.nan_to_num(late))
    bursts = least_burst_ratio(lost, column(f"{way}_longest_loss_run"), loss)
    # Without any answer the delay is unknown; the least that it can be keeps the figure an upper bound.
    least = endpoints.jitter_buffer_ms + endpoints.packet_ms
    silent = np.isnan(delay) & (loss >= LOSS.high / 100)
    mouth_to_ear = np.where(silent, least, delay)
    with np.errstate(invalid="ignore"):
        at_most = silent | (mouth_to_ear > DELAY.high) | (total * 100 > LOSS.high) | (bursts > BURSTS.high)
    rating = endpoints.codec.rate(
        np.minimum(mouth_to_ear, DELAY.high),
        np.minimum(total * 100, LOSS.high),
        np.minimum(bursts, BURSTS.high),
    )
    mos = opinion(rating.r / _STRETCH[rating.scale])
    return HeardQuality(
        mos=mos, at_most=at_most & ~np.isnan(mos), loss_ratio=total, late_ratio=late, delay_ms=delay
    )


def least_burst_ratio(
    lost: NDArray[np.float64], longest_run: NDArray[np.float64], loss_ratio: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The least BurstR (G.107 7.5) of so many losses with such a longest run: 1 at least, and more than the model's 8 where one run holds most of them.

    The most runs there can be is one of the longest and single losses besides; BurstR = mean length of runs times
    (1 - loss).
    """
    longest = np.clip(np.nan_to_num(longest_run), 1, np.maximum(lost, 1))
    mean_run = lost / np.maximum(lost - longest + 1, 1)
    ratio = mean_run * (1 - loss_ratio)
    return np.maximum(np.where(lost > 0, ratio, 1.0), BURSTS.low)
