"""Traces as a ground of the forecast: what broke slot by slot, what is asked, and what came true.

The event: in the hour that begins `lead` after the forecast, more than 10 % of the samples are lost or lie over 15 ms
above the line's own floor, the 2nd percentile of the 7 days before the forecast. Each slot is judged by the floor of its
own time, as a deployment would have judged it then. Every trace is a track of its own: no trace tells of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analytics.forecast.hourly import hourly
from analytics.forecast.track import Asks, Track
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemetry.traces import Trace

LEADS_NS: Final = (HOUR_NS // 2, 2 * HOUR_NS, 24 * HOUR_NS)
SLOTS_NS: Final = tuple(minutes * MINUTE_NS for minutes in (4, 5, 6, 10, 12, 15, 20, 30, 60))
"""Widths of a slot, each a part of the hour. The RIPE Atlas probes send every four minutes; what is sampled more often is put together."""
FILLED: Final = 0.9
"""So great a part of the usual hour's slots must hold a sample."""
FLOOR_NS: Final = 7 * DAY_NS
FLOOR_PERCENTILE: Final = 2.0
OVER_MS: Final = 15.0
FAILS_SHARE: Final = 0.10
FIRST_NS: Final = DAY_NS
"""Of a past shorter than a day nothing is asked: there is no clock hour to compare with."""
WORST_STRAIN: Final = 10.0
RHYTHM_HOURS: Final = 24
LEAST_SHARE: Final = 0.5
"""Of an hour with a smaller part of the usual number of samples, what came true is not known."""
QUIET_HOURS: Final = 24
"""So many hours of which none failed are a quiet past: nothing then tells of what comes."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One trace as a track of one line; M asks and whether the line held; `lead_ns` (M,)."""

    name: str
    track: Track
    asks: Asks
    held: NDArray[np.bool_]
    lead_ns: NDArray[np.int64]


class Rhythm(NamedTuple):
    """How often a trace is sampled: the shortest slots that are filled, and how many samples an hour has; hours without any do not count."""

    slot_ns: int
    per_hour: float


def ground(trace: Trace, over_ms: float = OVER_MS) -> Ground:
    """Ask every full hour, from a day after the first sample on, at each lead; judged so many ms over the floor."""
    first_ns = -(-(int(trace.time_ns[0]) + FIRST_NS) // HOUR_NS) * HOUR_NS
    now_ns = np.arange(first_ns, int(trace.time_ns[-1]), HOUR_NS, dtype=np.int64)
    floor_ms = _floors(trace, now_ns)
    limit_ms, beat = floor_ms + over_ms, rhythm(trace)
    parts = [(_held(trace, now_ns, limit_ms, lead, beat), lead) for lead in LEADS_NS]
    known = [np.isfinite(share) for share, _ in parts]
    now = np.concatenate([now_ns[each] for each in known])
    lead_ns = np.repeat(np.array(LEADS_NS, dtype=np.int64), [int(each.sum()) for each in known])
    share = np.concatenate([part[each] for (part, _), each in zip(parts, known, strict=True)])
    asks = Asks(np.zeros(len(now), dtype=np.int64), now, now + lead_ns, now + lead_ns + HOUR_NS)
    track = _track(trace, _floor_of_samples(trace, now_ns, floor_ms), over_ms, beat.slot_ns)
    return Ground(trace.name, track, asks, share <= FAILS_SHARE, lead_ns)


def rhythm(trace: Trace) -> Rhythm:
    """The rhythm of a trace, from its first `RHYTHM_HOURS` with samples: on a trace without gaps they end before anything is asked."""
    first, per_hour = (
        each[:RHYTHM_HOURS]
        for each in np.unique(trace.time_ns // HOUR_NS, return_index=True, return_counts=True)[1:]
    )
    time_ns = trace.time_ns[: first[-1] + per_hour[-1]]
    for slot_ns in SLOTS_NS:
        filled = np.unique(np.unique(time_ns // slot_ns) * slot_ns // HOUR_NS, return_counts=True)[1]
        if np.median(filled) >= FILLED * HOUR_NS / slot_ns:
            break
    return Rhythm(slot_ns, float(np.median(per_hour)))


def after_quiet(track: Track, asks: Asks) -> NDArray[np.bool_]:
    """(M,) whether none of the `QUIET_HOURS` full hours before each ask failed: what fails then comes unannounced."""
    hours = hourly(track)
    failed = np.zeros((len(hours.failed), hours.failed.shape[1] + 1), dtype=np.int64)
    np.cumsum(hours.failed, axis=1, out=failed[:, 1:])
    end = np.clip(asks.now_ns // HOUR_NS - hours.first_hour, 0, hours.failed.shape[1])
    begin = np.maximum(end - QUIET_HOURS, 0)
    return np.asarray(failed[asks.line, end] == failed[asks.line, begin])


def _floors(trace: Trace, now_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """The floor as of each time; NaN where every sample of the week was lost."""
    first = np.searchsorted(trace.time_ns, now_ns - FLOOR_NS)
    last = np.searchsorted(trace.time_ns, now_ns)
    weeks = [trace.rtt_ms[a:b] for a, b in zip(first, last, strict=True)]
    answered = [week[np.isfinite(week)] for week in weeks]
    return np.array([np.percentile(each, FLOOR_PERCENTILE) if len(each) else np.nan for each in answered])


def _held(
    trace: Trace, now_ns: NDArray[np.int64], limit_ms: NDArray[np.float64], lead_ns: int, beat: Rhythm
) -> NDArray[np.float64]:
    """Share of the asked hour's samples that broke; NaN where that is not known."""
    first = np.searchsorted(trace.time_ns, now_ns + lead_ns)
    last = np.searchsorted(trace.time_ns, now_ns + lead_ns + HOUR_NS)
    over = now_ns + lead_ns + HOUR_NS <= trace.time_ns[-1]
    least = max(LEAST_SHARE * beat.per_hour, 1.0)
    share = [
        float(np.mean(~(trace.rtt_ms[a:b] <= limit))) if b - a >= least else np.nan
        for a, b, limit in zip(first, last, limit_ms, strict=True)
    ]
    return np.where(over, share, np.nan)


def _track(trace: Trace, floor_ms: NDArray[np.float64], over_ms: float, slot_ns: int) -> Track:
    """The slots of a trace, each sample judged by its `floor_ms` (T,)."""
    first_slot = int(trace.time_ns[0]) // slot_ns
    slot = trace.time_ns // slot_ns - first_slot
    slots = int(slot[-1]) + 1
    broke = ~(trace.rtt_ms <= floor_ms + over_ms)
    lost = np.isnan(trace.rtt_ms)
    strain = np.where(lost, _strain_of_loss(trace), (trace.rtt_ms - floor_ms) / over_ms)
    strain = np.clip(strain, 0.0, WORST_STRAIN)
    count = np.bincount(slot, minlength=slots)
    with np.errstate(invalid="ignore"):
        share = np.bincount(slot, broke, minlength=slots) / count
        mean = np.bincount(slot, np.nan_to_num(strain, nan=1.0), minlength=slots) / count
    ends = (first_slot + 1 + np.arange(slots, dtype=np.int64)) * slot_ns
    none = np.zeros((1, slots), dtype=bool)
    return Track(
        first_slot=first_slot,
        slot_ns=slot_ns,
        broke=share[None].astype(np.float32),
        measured=(count > 0)[None].astype(np.float32),
        silent_until_ns=np.zeros((1, slots), dtype=np.int64),
        strain=mean[None].astype(np.float32),
        arrived_ns=ends[None],
        planned=none,
        rehearsed=np.full((1, slots), np.nan, dtype=np.float32),
        groups={},
    )


def _strain_of_loss(trace: Trace) -> NDArray[np.float64]:
    """(T,) of a lost sample: which share of the day that ends with it was lost, over what an hour may lose; 1 at the least.

    A single loss says no more than that a limit was broken; a line that loses all, or a third of all, is beyond it by far.
    """
    until = np.arange(1, len(trace.time_ns) + 1)
    first = np.searchsorted(trace.time_ns, trace.time_ns - DAY_NS, side="right")
    lost = np.concatenate([[0], np.cumsum(np.isnan(trace.rtt_ms))])
    return np.asarray(np.maximum((lost[until] - lost[first]) / (until - first) / FAILS_SHARE, 1.0))


def _floor_of_samples(
    trace: Trace, now_ns: NDArray[np.int64], floor_ms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The floor by which each sample is judged: as of the last full hour; on the first day, of all that came before."""
    asked_ns = int(now_ns[0]) if len(now_ns) else int(trace.time_ns[-1]) + 2 * HOUR_NS
    early = np.arange(int(trace.time_ns[0]) + HOUR_NS, asked_ns, HOUR_NS, dtype=np.int64)
    times = np.concatenate([early, now_ns])
    floors = np.concatenate([_floors(trace, early), floor_ms])
    # The samples of the first hour have no past: they are judged by that hour's own floor.
    return np.asarray(floors[np.maximum(np.searchsorted(times, trace.time_ns, side="right") - 1, 0)])
