"""An imported trace judged by the round trip alone: the store's past against a plain reading of the trace."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import numpy as np

from analytics.floor import LEAST_SLOTS
from analytics.limits import limit_sets
from analytics.lines import Lines
from config.load import load_config
from reports.past.slots import read_slots
from telemetry.store.open import open_reader
from telemetry.traces import read_trace
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS, window_start

if TYPE_CHECKING:
    from conftest import Desk

PROFILE = """[[profile]]
id = "round-trip"
name_en = "Round trip"
name_hi = "आना-जाना"
rank = 1
source = "tests"
[profile.target]
[profile.alarm]
rtt_above_floor_ms = 15.0
"""


def test_a_trace_breaks_where_it_lies_above_its_own_floor(desk: Desk) -> None:
    """Slot by slot: lost, or over 15 ms above the 2nd percentile of the 7 days before the hour; no floor in the first hour."""
    source = next(iter(sorted((desk.folder.cwd() / "bench/data/rtt_labelled").glob("*.csv"))))
    desk.writes("profiles.toml", PROFILE)
    desk.writes("tatpar.toml", '[files]\nprofiles = "profiles.toml"\n')
    mapping = desk.writes("m.toml", '[file]\nform = "trace"\n[path]\nis = "main.state"\n')
    assert desk.imports([source], mapping, "--site", "agra").exit_code == 0
    trace = read_trace(source)
    config = load_config(desk.config)
    limits = limit_sets({"round-trip": config.profiles["round-trip"]}).limits
    span = (int(trace.time_ns[0]), int(trace.time_ns[-1]))
    with contextlib.closing(open_reader(config.settings.store, desk.data)) as reader:
        grid = read_slots(reader, Lines(("agra", "etah"), ("main.state",)), limits, span)
    broken = {
        (grid.first_slot + i) * SLOT_NS: int(n)
        for i, n in enumerate(grid.broken[0, 0, 0])
        if grid.measured[0, 0, i]
    }
    expected = plainly(dict(zip(trace.time_ns.tolist(), trace.rtt_ms.tolist(), strict=True)))
    assert set(broken) == set(expected)
    sure = [slot for slot, (_, close) in expected.items() if not close]
    assert len(sure) > 0.9 * len(expected)
    assert [broken[slot] for slot in sure] == [expected[slot][0] for slot in sure]
    assert 0 < sum(broken.values()) < len(broken)


def plainly(samples: dict[int, float]) -> dict[int, tuple[int, bool]]:
    """By slot: how many windows broke, and whether one lies so near the limit that a histogram's 1 % decides."""
    windows: dict[int, list[float]] = {}
    for at, rtt in samples.items():
        windows.setdefault(window_start(at), []).append(rtt)
    slots: dict[int, list[float]] = {}
    for at, rtt in samples.items():
        if not math.isnan(rtt):
            slots.setdefault(at // SLOT_NS * SLOT_NS, []).append(rtt)
    medians = {slot: sorted(found)[(len(found) + 1) // 2 - 1] for slot, found in slots.items()}
    starts, values = np.array(sorted(medians)), np.array([medians[slot] for slot in sorted(medians)])
    out: dict[int, tuple[int, bool]] = {}
    for start, found in windows.items():
        hour = start // HOUR_NS * HOUR_NS
        known = np.sort(values[np.searchsorted(starts, hour - 7 * DAY_NS) : np.searchsorted(starts, hour)])
        back = [rtt for rtt in found if not math.isnan(rtt)]
        floor = known[math.ceil(0.02 * len(known)) - 1] if len(known) >= LEAST_SLOTS else math.nan
        above = max(back) - floor if back else math.inf
        broke, close = out.get(start // SLOT_NS * SLOT_NS, (0, False))
        out[start // SLOT_NS * SLOT_NS] = (
            broke + int(above > 15.0),
            close or abs(above - 15.0) < 0.011 * floor,
        )
    return out
