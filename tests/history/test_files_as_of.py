"""What a replay knows of a file at some time is what it would know of the file as it was then, whatever was written later."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.lines import Lines
from config.load import load_config
from config.profiles import Limits
from reports.past.slots import read_slots
from telemetry.store.open import open_reader
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from conftest import Desk

    from analytics.forecast.slots import SlotGrid

T0 = 20_780 * DAY_NS
SPAN_NS = 10 * HOUR_NS
X_NS = T0 + 6 * HOUR_NS + 137 * SECOND_NS
LIMITS = (Limits(rtt_ms=45.0), Limits(rtt_above_floor_ms=8.0))
MAPPING = """
[time]
column = "t"
format = "unix_s"
[arrived]
column = "came"
format = "unix_s"
[path]
is = "main.state"
[ping]
rtt = { column = "rtt" }
"""
Row = tuple[int, str, int]
"""When it was measured, what it says, and when it came, in s."""


def rows_of(seed: int) -> list[Row]:
    """One to four pings a minute, their times exact or of the minute, the other way from X on; some come late, some are written again."""
    lot = np.random.default_rng(seed)
    coarse, often = lot.random(2) < 0.5
    lag_s, again = lot.choice([1.0, 40.0, 4_000.0]), lot.random() / 2
    out: list[Row] = []
    for minute in range(SPAN_NS // (60 * SECOND_NS)):
        at_s = T0 // SECOND_NS + 60 * minute
        later = at_s * SECOND_NS >= X_NS
        for ping in range(4 if often != later else 1):
            time_s = at_s if coarse != later else at_s + 15 * ping
            rtt = "" if lot.random() < 0.1 else f"{30 + lot.gamma(2.0, 4.0):.0f}"
            came_s = at_s + 15 * ping + 1 + (int(lot.exponential(lag_s)) if lot.random() < 0.3 else 0)
            out.append((time_s, rtt, came_s))
            if lot.random() < again:
                out.append((time_s, rtt, came_s + int(lot.exponential(9_000.0)) * int(lot.integers(2))))
    return out


def replayed(desk: Desk) -> SlotGrid:
    with contextlib.closing(open_reader(load_config(desk.config).settings.store, desk.data)) as reader:
        lines = Lines(("agra", "etah"), ("main.state",))
        return read_slots(reader, lines, LIMITS, (T0, T0 + SPAN_NS), as_closed=True)


@pytest.mark.parametrize("seed", range(8))
def test_a_replay_knows_of_a_file_what_was_in_it(desk: Desk, seed: int) -> None:
    """Agra has two files whole, etah has them as they were at X: of what was told by then both say the same."""
    rows, lot = rows_of(seed), np.random.default_rng(seed)
    second = [row for row in rows if lot.random() < 0.2]
    mapping = desk.writes("m.toml", MAPPING)
    for site, until_s in (("agra", 2**40), ("etah", X_NS // SECOND_NS)):
        files = []
        for name, part in (("a", rows), ("b", second)):
            lines = [f"{time_s},{rtt},{came_s}" for time_s, rtt, came_s in part if came_s <= until_s]
            files.append(desk.writes(f"{site}-{name}.csv", "\n".join(["t,rtt,came", *lines]) + "\n"))
        done = desk.imports(files, mapping, "--site", site)
        assert done.exit_code == 0, done.output
    told = replayed(desk)
    closes_ns = T0 + np.arange(1, told.measured.shape[-1] + 1) * SLOT_NS + 60 * SECOND_NS
    known = (np.maximum(told.received_ns, closes_ns) <= X_NS) & (told.measured > 0)
    assert np.array_equal(known[0], known[1])
    assert known[0].sum() > 40
    for name in ("measured", "received_ns", "broken", "strain"):
        whole, then = (getattr(told, name)[..., site, :, :][..., known[0]] for site in (0, 1))
        assert np.array_equal(whole, then, equal_nan=True), name
