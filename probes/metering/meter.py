"""The meter: one session's packets of one window become a `Stream`; what runs on across windows is kept here."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from probes.metering.delay_figures import round_trip, variation
from probes.metering.exchanges import match, refused
from probes.metering.jitter_state import JitterState
from probes.metering.loss_direction import attribute, longest_run, unknown
from probes.metering.one_way import OneWayContext, samples_of
from probes.metering.reflector_numbers import ReflectorNumbers
from probes.metering.reply_history import ReplyHistory
from probes.metering.stamp_sources import stamp_sources
from probes.metering.tally import tally
from probes.metering.worst_interval import worst_interval
from telemetry.arrays import np
from telemetry.messages import Direction, Stream
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from probes.metering.delay_figures import VariationFigures
    from probes.metering.exchanges import Exchanges, FrameRecords
    from probes.metering.loss_direction import Attribution
    from probes.metering.tally import Tally

_WINDOW_S: Final = WINDOW_NS / SECOND_NS


@dataclass(frozen=True, slots=True)
class _Loss:
    """What was lost in a window: when packets were sent, which are missing, and which way they went."""

    sent_ns: NDArray[np.int64]
    lost: NDArray[np.bool_]
    direction: Attribution


class Meter:
    """Measures one session, window by window.

    Args:
        path: the path's name in reports.
        overhead: octets of IP and UDP header: 28, or 48 with IPv6.
        payload: octets of UDP payload sent.
    """

    def __init__(self, path: str, *, overhead: int, payload: int) -> None:
        self._path = path
        self._overhead = overhead
        self._octets = overhead + payload
        self._numbers = ReflectorNumbers()
        self._history = ReplyHistory()
        self._one_way = OneWayContext()
        self._jitter_up = JitterState()
        self._jitter_down = JitterState()
        self.foreign = 0
        """Replies that answered nothing that we sent."""

    def close(self, records: FrameRecords) -> Stream:
        """Measure one frame. Frames come in order, each once, with at least one packet sent."""
        sent = records.sent
        matched = match(records)
        self.foreign += matched.foreign
        counted, restarts = self._count(matched, len(sent))
        loss = self._loss(sent, counted)
        up, down, steps = self._variation(counted, int(sent["sequence"][0]))
        delays = counted.distinct.part(counted.distinct.usable)
        lost = int(np.count_nonzero(loss.lost))
        worst_lost, worst_sent = worst_interval(loss.sent_ns, loss.lost)
        return Stream(
            path=self._path,
            stamps=stamp_sources(delays),
            rate_pps=len(sent) * 1e6 / max(int(sent["interval_us"].sum(dtype=np.int64)), 1),
            sent=len(sent),
            received=len(sent) - lost,
            lost=lost,
            lost_unattributed=lost - loss.direction.up - loss.direction.down,
            longest_loss_run=longest_run(loss.lost),
            worst_200ms_lost=worst_lost,
            worst_200ms_sent=worst_sent,
            up=self._up(loss, counted, up),
            down=self._down(loss, counted, down),
            rtt=round_trip(delays.rtt_ns),
            straddled=int(np.count_nonzero(counted.distinct.straddles)) + steps,
            reflector_restarts=restarts,
            stateful=self._numbers.stateful,
        )

    def _count(self, matched: Exchanges, packets: int) -> tuple[Tally, int]:
        """Tally of the window, and how many restarts of the reflector it saw."""
        mine = matched.index < packets
        window, ahead = matched.part(mine), matched.part(~mine)
        ranks, restarts = self._numbers.follow(window.rows, window.t3_ns)
        later = copy.copy(self._numbers)  # those ahead are followed for good with their own window
        ahead_ranks, _ = later.follow(ahead.rows, ahead.t3_ns)
        return tally(window, ranks, ahead, ahead_ranks, numbered=self._numbers.stateful), restarts

    def _loss(self, sent: NDArray[np.void], counted: Tally) -> _Loss:
        base = int(sent["sequence"][0])
        lost = np.ones(len(sent), dtype=np.bool_)
        lost[counted.distinct.index] = False
        never_left = refused(sent) & lost
        direction = unknown(never_left)
        if self._numbers.stateful and lost.any():
            direction = attribute(self._history.around(counted, base), lost, never_left)
        self._history.add(counted, base)
        return _Loss(_times(sent), lost, direction)

    def _variation(self, counted: Tally, base: int) -> tuple[VariationFigures, VariationFigures, int]:
        """Jitter, IPDV and PDV of both directions, and how many clock steps cut them."""
        fit = counted.distinct.usable & (counted.distinct.t2_ns != 0)
        distinct, ahead = counted.distinct.part(fit), counted.ahead
        ahead = ahead.part(ahead.usable & (ahead.t2_ns != 0))
        one_way = self._one_way.take(samples_of(distinct, base), samples_of(ahead, base))
        delays, era = one_way.samples, one_way.era
        place = np.cumsum(fit) - 1  # of each distinct packet among those that fit
        up_order = place[counted.up_order[fit[counted.up_order]]]
        down_order = place[counted.down_order[fit[counted.down_order]]]
        up_jitter = self._jitter_up.run(delays.up_ns[up_order], distinct.t2_ns[up_order], era[up_order])
        down_jitter = self._jitter_down.run(
            delays.down_ns[down_order], distinct.t4_ns[down_order], era[down_order]
        )
        return (
            variation(up_jitter, delays.up_ns, era, one_way.ipdv_up_ns),
            variation(down_jitter, delays.down_ns, era, one_way.ipdv_down_ns),
            one_way.steps,
        )

    def _up(self, loss: _Loss, counted: Tally, delay: VariationFigures) -> Direction:
        direction = loss.direction
        lumps = [(x.first, x.last, x.up) for x in direction.lumps if x.up]
        worst_lost, worst_sent = worst_interval(loss.sent_ns, direction.up_lost, lumps=lumps)
        received = len(counted.rank) + direction.down
        return Direction(
            sent=len(loss.lost),
            received=received,
            lost=direction.up,
            duplicated=counted.up_copies,
            reordered=counted.up_reordered,
            longest_loss_run=direction.up_run,
            worst_200ms_lost=worst_lost,
            worst_200ms_sent=worst_sent,
            bitrate_bps=(received + counted.up_copies) * self._octets * 8 / _WINDOW_S,
            dscp=_usual_dscp(counted.distinct.rows["dscp_told"]),
            **delay,
        )

    def _down(self, loss: _Loss, counted: Tally, delay: VariationFigures) -> Direction:
        direction = loss.direction
        lumps = [(x.first, x.last, x.down) for x in direction.lumps if x.down]
        worst_lost, worst_sent = worst_interval(
            loss.sent_ns, direction.down_lost, sent=~loss.lost | direction.down_lost, lumps=lumps
        )
        received = len(counted.rank)
        return Direction(
            sent=received + direction.down,
            received=received,
            lost=direction.down,
            duplicated=counted.down_copies,
            reordered=counted.down_reordered,
            longest_loss_run=direction.down_run,
            worst_200ms_lost=worst_lost,
            worst_200ms_sent=max(worst_sent, worst_lost),
            bitrate_bps=(counted.octets + counted.arrivals * self._overhead) * 8 / _WINDOW_S,
            dscp=_usual_dscp(counted.distinct.rows["dscp_back"]),
            **delay,
        )


def _usual_dscp(told: NDArray[np.uint8]) -> int | None:
    """With which DSCP most packets arrived, of those of which it is known."""
    known = told[told > 0]
    return int(np.bincount(known).argmax()) - 1 if len(known) else None


def _times(sent: NDArray[np.void]) -> NDArray[np.int64]:
    """Times of sending, never falling: by plan, where the clock was stepped in the window."""
    t1: NDArray[np.int64] = sent["t1_ns"]
    if int(sent["generation"][0]) == int(sent["generation"][-1]) and bool((np.diff(t1) >= 0).all()):
        return t1
    planned: NDArray[np.int64] = np.cumsum(sent["interval_us"].astype(np.int64) * 1000)
    return planned
