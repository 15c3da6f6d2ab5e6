"""The readiness pass: 92 offices, two lines each, eight weeks of five-minute roll-ups, ten occurrences, one ladder.

Beside it, in the same run and on the same block of roll-ups, the way that comes to mind first: line by line with
pandas, windows exploded into a frame, binomial tails by scipy, groupby the hour.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
from scipy.stats import binom

from analytics.baseline import UsualNow
from analytics.climatology import climatology
from analytics.condition import SUSPECT, condition
from analytics.flags import Present, degraded
from analytics.flapping import flapping, no_outages
from analytics.forecast.deployment import Surroundings, awaited_slots, tracks_of
from analytics.forecast.features import digests_until
from analytics.forecast.foresight import Foresight
from analytics.forecast.laid_over import LaidOver
from analytics.forecast.newest import Now, asked_ns, put_newest
from analytics.forecast.slots import SlotGrid, empty_slots, history_of, merged_slots, put_rollups
from analytics.ground import Ground
from analytics.history import empty_history, joined, merged
from analytics.hours import HourSpan, local_hour
from analytics.limits import limit_sets
from analytics.lines import Lines
from analytics.readiness import asked_spans, expect
from analytics.recent import Recent
from analytics.verdicts import verdicts
from bench._shipped_model import shipped_model
from config.load import load_config
from config.meetings import Meeting, Occurrence
from config.profiles import ladder_of
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.tables import RollupTable
from telemetry.windows import HOUR_NS, SECOND_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from analytics.climatology import Climatology
    from analytics.condition import Condition
    from analytics.forecast.track import Track
    from analytics.history import History
    from analytics.limits import LimitSets
    from config.profiles import CallProfile

SITES: Final = 92
BLOCK: Final = 8
WEEKS: Final = 8
PATHS: Final = ("main.state", "main.national")
SLOTS: Final = 2016
OCCURRENCES: Final = 10
ZONE: Final = ZoneInfo("Asia/Kolkata")
T0: Final = 1_795_392_000 * SECOND_NS


def run(progress: Callable[[str], None]) -> dict[str, object]:
    """CPU seconds of the parts, and how many times slower the line-by-line way is on one block."""
    rng = np.random.default_rng(1)
    every = load_config(None).profiles
    profiles = {rung.id: rung for rung in ladder_of(every, "video-1080p")}
    progress(f"one block: {BLOCK} offices x {len(PATHS)} lines x a week")
    block = _block(rng)
    ours_s = _best(lambda: _history_of(block, profiles), 3)
    progress("the same block line by line with pandas")
    pandas_s = _best(lambda: _line_by_line(block, profiles), 1)
    progress(f"{SITES} offices x {WEEKS} weeks")
    begin = time.process_time()
    parts = []
    for first in range(0, SITES, BLOCK):
        lines = Lines(tuple(f"s{i}" for i in range(first, min(first + BLOCK, SITES))), PATHS)
        parts.append(_weeks(block, lines, profiles))
    history = joined(Lines(tuple(f"s{i}" for i in range(SITES)), PATHS), parts)
    history_s = time.process_time() - begin
    begin = time.process_time()
    climate = climatology(history)
    climate_s = time.process_time() - begin
    progress("the tracks of the forecast")
    recent = _recent(rng, history.lines)
    tracks = _tracks(block, history.lines, profiles)
    begin = time.process_time()
    before = digests_until(tracks, T0)
    sums_s = time.process_time() - begin
    progress("one look at the present")
    model = shipped_model()

    def asking() -> Foresight:
        return Foresight(model, "shipped", tracks, before, asked_ns(T0))

    looks = _looks(recent, profiles, history, climate, asking)
    look_ms, quiet_ms = ([1e3 * each for each in of] for of in looks)
    return {
        "windows": SITES * len(PATHS) * WEEKS * SLOTS * WINDOWS_PER_SLOT,
        "limit_sets": len(limit_sets(profiles).limits),
        "history_cpu_s": history_s,
        "climatology_cpu_s": climate_s,
        "forecast_sums_cpu_s": sums_s,
        "pass_cpu_s": sums_s + climate_s + statistics.median(look_ms) / 1e3,
        "look_cpu_ms_median": statistics.median(look_ms),
        "look_cpu_ms_worst": max(look_ms),
        "look_without_news_cpu_ms_median": statistics.median(quiet_ms),
        "block_ours_cpu_s": ours_s,
        "block_pandas_cpu_s": pandas_s,
        "pandas_over_ours": pandas_s / ours_s,
    }


def _best(work: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def _block(rng: np.random.Generator) -> RollupTable:
    """0.1 % random loss, and in one slot of fifty a fault."""
    rows = BLOCK * len(PATHS) * SLOTS
    site, path, slot = np.unravel_index(np.arange(rows), (BLOCK, len(PATHS), SLOTS))
    shape = (rows, WINDOWS_PER_SLOT)
    values = {name: np.zeros(shape, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = 150
    loss = np.where(rng.random(rows) < 0.02, 0.05, 0.001)[:, None]
    values["up_lost"][...] = values["lost"][...] = rng.binomial(150, loss, shape)
    values["up_jitter_ms"][...] = rng.gamma(2.0, 2.0, shape)
    values["down_jitter_ms"][...] = rng.gamma(2.0, 2.0, shape)
    values["rtt_p95_ms"][...] = 40.0 + rng.gamma(2.0, 10.0, shape)
    columns: dict[str, NDArray[np.generic]] = {
        "site": site.astype(np.int32),
        "probe": np.zeros(rows, dtype=np.int32),
        "path": path.astype(np.int32),
        "slot_ns": T0 + slot.astype(np.int64) * SLOT_NS,
        "received_ns": T0 + (slot.astype(np.int64) + 1) * SLOT_NS + 4 * SECOND_NS,
    }
    for name in ("up_jitter_ms", "down_jitter_ms", "rtt_p95_ms"):
        columns[name] = values[name].mean(axis=-1).astype(np.float64)
    return RollupTable(tuple(f"s{i}" for i in range(BLOCK)), ("p1",), PATHS, columns, values, {})


def _history_of(block: RollupTable, profiles: Mapping[str, CallProfile]) -> object:
    span = HourSpan(local_hour(T0, ZONE), 169, ZONE)
    return history_of(block, Lines(block.sites, PATHS), limit_sets(profiles).limits, span)


def _weeks(block: RollupTable, lines: Lines, profiles: Mapping[str, CallProfile]) -> History:
    """The block's week as each of eight, under other names."""
    limits, first = limit_sets(profiles).limits, local_hour(T0, ZONE)
    named = RollupTable(lines.sites, ("p1",), PATHS, block.columns, block.window_values, {})
    keep = block.columns["site"] < len(lines.sites)
    if not keep.all():
        named = RollupTable(
            lines.sites,
            ("p1",),
            PATHS,
            {name: column[keep] for name, column in block.columns.items()},
            {name: column[keep] for name, column in block.window_values.items()},
            {},
        )
    out = empty_history(lines, len(limits), first - (WEEKS - 1) * 168, WEEKS * 168)
    slot_ns = np.asarray(named.columns["slot_ns"], dtype=np.int64)
    for week in range(WEEKS):
        columns = dict(named.columns) | {"slot_ns": slot_ns - week * 168 * HOUR_NS}
        table = RollupTable(named.sites, named.probes, PATHS, columns, named.window_values, {})
        part = history_of(table, lines, limits, HourSpan(first - week * 168, 168, ZONE))
        out = merged(out, part, WEEKS * 168)
    return out


def _line_by_line(block: RollupTable, profiles: Mapping[str, CallProfile]) -> dict[tuple[int, int], object]:
    """Broken windows by hour, and medians, of each line by itself."""
    found: dict[tuple[int, int], object] = {}
    values = block.window_values
    for site in range(BLOCK):
        for path in range(len(PATHS)):
            rows = np.flatnonzero((block.columns["site"] == site) & (block.columns["path"] == path))
            start = np.repeat(np.asarray(block.columns["slot_ns"])[rows], WINDOWS_PER_SLOT)
            frame = pd.DataFrame({name: values[name][rows].ravel() for name in WINDOW_VALUE_COLUMNS})
            frame["hour"] = pd.to_datetime(start, utc=True).tz_convert(ZONE).floor("h")
            for index, limits in enumerate(limit_sets(profiles).limits):
                broken = pd.Series(data=False, index=frame.index)
                for lost in ("up_lost", "down_lost"):
                    tail = binom.sf(frame[lost] - 1, frame["sent"], limits.loss_ratio or 1.0)
                    broken |= (tail <= 0.05) & (frame[lost] > 1)
                broken |= (frame["up_jitter_ms"] > limits.jitter_ms) | (frame["rtt_p95_ms"] > limits.rtt_ms)
                frame[f"broken{index}"] = broken
            found[site, path] = frame.groupby("hour").agg("sum"), frame.groupby("hour").median()
    return found


def _recent(rng: np.random.Generator, lines: Lines) -> Recent:
    shape = (*lines.shape, 120)
    values = {name: np.zeros(shape, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = 150
    values["up_lost"][...] = values["lost"][...] = rng.binomial(150, 0.001, shape)
    values["up_jitter_ms"][...] = values["down_jitter_ms"][...] = 3.0
    values["rtt_p95_ms"][...] = 45.0
    values["longest_loss_run"] = np.minimum(values["lost"], 1)
    for site in (3, 40):
        values["up_lost"][site, :, -4:] = values["lost"][site, :, -4:] = 8
    return Recent(lines, T0 + (np.arange(120, dtype=np.int64) - 120) * WINDOW_NS, values)


def _tracks(block: RollupTable, lines: Lines, profiles: Mapping[str, CallProfile]) -> tuple[Track, ...]:
    """The block's week as each of eight and for as many offices as there are, up to now, and a day of room ahead."""
    limits = limit_sets(profiles).limits
    slots = WEEKS * SLOTS
    grid = empty_slots(Lines(block.sites, PATHS), len(limits), T0 // SLOT_NS, SLOTS)
    put_rollups(grid, block, limits)
    times = -(-SITES // BLOCK)

    def spread(values: NDArray[np.generic]) -> NDArray[np.generic]:
        many = np.concatenate([values] * times, axis=-3)[..., :SITES, :, :]
        return np.concatenate([many] * WEEKS, axis=-1)

    first = T0 // SLOT_NS - slots
    ends_ns = (first + 1 + np.arange(slots, dtype=np.int64)) * SLOT_NS
    whole = SlotGrid(
        lines, first, spread(grid.measured), spread(grid.broken), spread(grid.strain),  # type: ignore[arg-type]
        np.broadcast_to(ends_ns + 4 * SECOND_NS, (*lines.shape, slots)),
    )  # fmt: skip
    whole = merged_slots(whole, empty_slots(lines, len(limits), T0 // SLOT_NS, 288), slots + 288)
    sites, paths, count = whole.measured.shape
    around = Surroundings(
        {
            "provider": np.repeat(np.arange(sites, dtype=np.int32) % 7, paths),
            "region": np.repeat(np.arange(sites, dtype=np.int32) % 6, paths),
            "end": np.tile(np.arange(paths, dtype=np.int32), sites),
        },
        awaited_slots(whole, np.zeros((sites, count), dtype=bool)),
        np.zeros((sites, paths, count), dtype=bool),
    )
    return tracks_of(whole, around)


def _looks(
    recent: Recent,
    profiles: Mapping[str, CallProfile],
    history: History,
    climate: Climatology,
    asking: Callable[[], Foresight],
) -> tuple[list[float], list[float]]:
    """CPU seconds of flags, condition and ten forecasts over all offices, with the verdicts of two: with new windows, and without.

    As the watch does it: without news the condition and what the model said are those of the look before.
    """
    sets, usual = limit_sets(profiles), UsualNow(history, history.end_hour)
    seconds: tuple[list[float], list[float]] = ([], [])
    laid_over = LaidOver()
    for _ in range(12):
        fresh = Recent(recent.lines, recent.start_ns, recent.values)
        foresight, state = asking(), None
        for quiet in range(2):
            begin = time.process_time()
            if state is None:
                state = condition(fresh, sets.limits)
                dark = np.zeros(len(fresh.lines.sites), dtype=bool)
                present = Now(T0, dark, state.suspicion < SUSPECT, T0 // SLOT_NS)
                put_newest(foresight.tracks, fresh, sets.limits, present, laid_over)
            _look(fresh, (profiles, sets), (usual, climate), (state, foresight))
            seconds[quiet].append(time.process_time() - begin)
    return seconds


def _look(
    recent: Recent,
    judged_by: tuple[Mapping[str, CallProfile], LimitSets],
    past: tuple[UsualNow, Climatology],
    now: tuple[Condition, Foresight],
) -> None:
    (profiles, sets), (usual, climate), (state, foresight) = judged_by, past, now
    sites, paths = recent.lines.shape
    asked = np.full(sites, sets.of_profile["video-720p"])
    degraded(recent, sets.limits, asked, Present(T0, 120 * SECOND_NS, usual))
    ground = Ground(
        now_ns=T0,
        zone=ZONE,
        profiles=profiles,
        sets=sets,
        recent=recent,
        condition=state,
        climate=climate,
        usual=usual,
        fault_since_ns=np.where(state.since >= 0, recent.start_ns[state.since], 0),
        relapses=np.zeros((sites, paths), dtype=np.int64),
        flapping=flapping(recent, no_outages((sites, paths))),
        silent_since_ns=np.full((sites, paths), T0),
        dark=np.zeros(sites, dtype=bool),
        foresight=foresight,
        linked=np.ones(sites, dtype=bool),
        link_bps=np.full((sites, 2), np.nan),
        dark_after_ns=120 * SECOND_NS,
    )
    occurrences = [_occurrence(number) for number in range(OCCURRENCES)]
    foresight.foresee(recent.lines.shape, asked_spans(ground, occurrences))
    for occurrence in occurrences:
        verdicts(ground, occurrence, expect(ground, occurrence), (3, 40))


def _occurrence(number: int) -> Occurrence:
    start_ns = T0 + (2 + 4 * number) * HOUR_NS
    meeting = Meeting(uid=f"m{number}", title="m", invited=(), end="state", profile="video-720p")
    return Occurrence(meeting=meeting, recurrence_ns=start_ns, starts_ns=start_ns, ends_ns=start_ns + HOUR_NS)
