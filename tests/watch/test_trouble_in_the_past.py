"""What the probe's own trouble did weeks ago is no sign of a bad line: roll-ups keep its sums, and judging them leaves it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from analytics.lines import Lines
from analytics.own_trouble import (
    MOST_SLOTS,
    MOST_WINDOWS,
    TROUBLE_COLUMNS,
    claimed_beyond,
    rolled_without_own_trouble,
    without_own_trouble,
)
from config.load import load_config
from reports.past.judged import JudgedSpan, read_judged
from telemetry.messages import SelfReport
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Received
from telemetry.windows import SLOT_NS, SLOTS_PER_DAY, WINDOW_NS, WINDOWS_PER_SLOT
from tests.telemetry.store.conftest import T0, Fleet

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOTS = 3
PATH = "main.state"


def broken(self_report: SelfReport, *, lost: tuple[int, int] = (0, 0), jitter_ms: float = 0.5) -> int:
    """Broken windows of an hour in which one window a minute was bad and the probe said this of itself then."""
    fleet, store = Fleet(), MemoryStore()
    for seq in range(SLOTS * WINDOWS_PER_SLOT):
        is_bad = seq % 4 == 1
        stream = fleet.stream(PATH, sent=150, lost=lost if is_bad else (0, 0))
        calm = structs.replace(stream.up, jitter_ms=jitter_ms if is_bad else 0.5)
        stream = structs.replace(
            stream, up=calm, down=structs.replace(stream.down, jitter_ms=0.5), straddled=0
        )
        envelope = fleet.envelope("agra", seq, items=(stream,))
        envelope = structs.replace(envelope, self_report=self_report if is_bad else SelfReport())
        store.append([Received(envelope, envelope.start_ns + WINDOW_NS)])
    until_ns = T0 + 2 * SLOTS * SLOT_NS
    store.maintain(until_ns)
    limits = (load_config(None).profiles["video-720p"].alarm,)
    first = T0 // SLOT_NS
    span = JudgedSpan(Lines(("agra",), (PATH,)), limits, first, first + SLOTS, until_ns)
    grid, figures = read_judged(store, span, with_figures=True)
    assert figures is not None
    assert grid.measured.sum() == SLOTS * WINDOWS_PER_SLOT
    return int(grid.broken.sum())


def test_replies_that_the_kernel_dropped_here() -> None:
    """The same losses: the line's own break windows; those that the probe's socket dropped do not; those on the way up always do."""
    assert broken(SelfReport(), lost=(0, 60)) >= SLOTS * 5
    assert broken(SelfReport(rx_drops=60), lost=(0, 60)) == 0
    assert broken(SelfReport(rx_drops=60), lost=(60, 0)) >= SLOTS * 5
    assert broken(SelfReport(rx_drops=5), lost=(0, 60)) >= SLOTS * 5


def test_a_machine_that_stood_still() -> None:
    """Jitter of windows whose packets left late is not judged; where one packet in a hundred did, it is."""
    assert broken(SelfReport(), jitter_ms=300.0) == SLOTS * 5
    assert broken(SelfReport(late_sends=60), jitter_ms=300.0) == 0
    assert broken(SelfReport(late_sends=1), jitter_ms=300.0) == SLOTS * 5


def test_a_look_at_two_hours_believes_no_more_than_one_at_the_day() -> None:
    """The watch reads the newest hours again and again: what is believed of a probe that is always in trouble is of the day, not of the look."""
    slots = 4 * MOST_SLOTS
    fleet, store = Fleet(), MemoryStore()
    for seq in range(slots * WINDOWS_PER_SLOT):
        stream = structs.replace(fleet.stream(PATH, sent=150, lost=(0, 60)), straddled=0)
        envelope = structs.replace(
            fleet.envelope("agra", seq, items=(stream,)), self_report=SelfReport(rx_drops=60)
        )
        store.append([Received(envelope, envelope.start_ns + WINDOW_NS)])
    until_ns = T0 + (slots + 2) * SLOT_NS
    store.maintain(until_ns)
    limits = (load_config(None).profiles["video-720p"].alarm,)
    first = T0 // SLOT_NS
    assert first // SLOTS_PER_DAY == (first + slots) // SLOTS_PER_DAY

    def broken_from(slot: int) -> NDArray[np.integer]:
        span = JudgedSpan(Lines(("agra",), (PATH,)), limits, slot, first + slots, until_ns)
        return read_judged(store, span, with_figures=False)[0].broken[0, 0, 0]

    whole = broken_from(first)
    assert (whole[:MOST_SLOTS] == 0).all()
    assert (whole[MOST_SLOTS + 1 :] > 0).all()
    np.testing.assert_array_equal(broken_from(first + 2 * MOST_SLOTS), whole[2 * MOST_SLOTS :])


def made(
    rng: np.random.Generator, rows: int
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float64]]]:
    """Window values (rows, W) and trouble (rows, W)."""
    shape = (rows, WINDOWS_PER_SLOT)
    values = {name: rng.random(shape, dtype=np.float32) * 9 for name in WINDOW_VALUE_COLUMNS}
    values["sent"] = np.full(shape, 150, np.float32)
    values["lost"] = rng.integers(0, 40, shape).astype(np.float32)
    values["up_lost"] = np.minimum(values["lost"], rng.integers(0, 20, shape)).astype(np.float32)
    values["down_lost"] = values["lost"] - values["up_lost"]
    trouble = {name: np.zeros(shape) for name in TROUBLE_COLUMNS}
    return values, trouble


@pytest.mark.parametrize("seed", range(20))
def test_sums_are_put_down_no_less_to_the_windows_than_the_windows_themselves_would(seed: int) -> None:
    """Of one window in trouble: as much loss goes as by the window itself, none of the way up, and nothing below zero."""
    rng = np.random.default_rng(seed)
    values, trouble = made(rng, 3)
    at = int(rng.integers(WINDOWS_PER_SLOT))
    for row in range(3):
        trouble["rx_drops"][row, at] = rng.integers(1, 60)
    exact = without_own_trouble(
        {name: column[:, None] for name, column in values.items()},
        {name: column[:, None] for name, column in trouble.items()},
    )
    rolled = rolled_without_own_trouble(
        values, {name: column.sum(axis=1) for name, column in trouble.items()}, np.arange(3), np.arange(3)
    )
    assert (rolled["lost"].sum(axis=1) <= exact["lost"].sum(axis=(1, 2))).all()
    for found in (rolled["lost"] - values["up_lost"], rolled["sent"], rolled["down_lost"]):
        assert (found >= 0).all()
    taken = values["lost"].sum(axis=1) - rolled["lost"].sum(axis=1)
    assert (taken <= trouble["rx_drops"].sum(axis=1)).all()
    np.testing.assert_array_equal(values["up_lost"], rolled["up_lost"])


def test_without_trouble_nothing_is_copied() -> None:
    """The same object: weeks of sound windows cost nothing."""
    values, trouble = made(np.random.default_rng(1), 2)
    sums = {name: column.sum(axis=1) for name, column in trouble.items()}
    assert rolled_without_own_trouble(values, sums, np.arange(2), np.arange(2)) is values


def test_a_probe_that_is_always_in_trouble_wipes_an_hour_of_a_day_and_no_more() -> None:
    """Whatever it says of itself, its figures of the rest of the day stand as it reported them; the other day has an hour of its own."""
    shape = (2 * SLOTS_PER_DAY, WINDOWS_PER_SLOT)
    values = {name: np.full(shape, 0.5, np.float32) for name in WINDOW_VALUE_COLUMNS}
    for name, count in (
        ("sent", 150),
        ("lost", 60),
        ("up_lost", 0),
        ("down_lost", 60),
        ("up_jitter_ms", 300),
    ):
        values[name] = np.full(shape, count, np.float32)
    trouble = {name: np.full(len(values["sent"]), 1e9) for name in TROUBLE_COLUMNS}
    slots = np.arange(len(values["sent"]))
    cleared = rolled_without_own_trouble(values, trouble, slots, slots // SLOTS_PER_DAY)
    for name in ("lost", "up_jitter_ms"):
        stands = (cleared[name] == values[name]).all(axis=1).reshape(2, SLOTS_PER_DAY)
        assert not stands[:, :MOST_SLOTS].any()
        assert stands[:, MOST_SLOTS:].all()
    late = slots.copy()
    late[:5] = len(slots)  # known after all others
    of_arrival = rolled_without_own_trouble(values, trouble, slots, slots // SLOTS_PER_DAY, late)
    stands = (of_arrival["lost"] == values["lost"]).all(axis=1)
    assert np.flatnonzero(~stands[:SLOTS_PER_DAY]).tolist() == list(range(5, 5 + MOST_SLOTS))


def test_windows_in_trouble_are_believed_for_ten_minutes() -> None:
    """Of one line; sound windows between them do not count, and what the other line says is its own."""
    shape = (1, 2, 120)
    values = {name: np.full(shape, 0.5) for name in WINDOW_VALUE_COLUMNS}
    for name, count in (("sent", 150.0), ("lost", 60.0), ("up_lost", 0.0), ("down_lost", 60.0)):
        values[name] = np.full(shape, count)
    trouble = {name: np.zeros(shape) for name in TROUBLE_COLUMNS}
    trouble["rx_drops"][0, 0, ::2] = 1e9
    trouble["rx_drops"][0, 1, :5] = 1e9
    cleared = without_own_trouble(values, trouble)
    left_out = cleared["lost"] != values["lost"]
    assert left_out.sum(axis=-1).tolist() == [[MOST_WINDOWS, 5]]
    assert np.flatnonzero(left_out[0, 0])[-1] == 2 * (MOST_WINDOWS - 1)
    assert claimed_beyond(values, cleared, trouble).tolist() == [[True, False]]


def test_a_claim_that_changes_nothing_goes_beyond_no_belief() -> None:
    """Without room: one late packet of 150 is nothing that could not be believed, a starved window is."""
    shape = (1, 2, 120)
    values = {name: np.full(shape, 0.5) for name in WINDOW_VALUE_COLUMNS}
    for name, count in (("sent", 150.0), ("lost", 0.0), ("up_lost", 0.0), ("down_lost", 0.0)):
        values[name] = np.full(shape, count)
    trouble = {name: np.zeros(shape) for name in TROUBLE_COLUMNS}
    trouble["late_sends"][..., -1] = 1.0
    none = np.zeros((1, 2), dtype=np.int64)
    cleared = without_own_trouble(values, trouble, none)
    assert claimed_beyond(values, cleared, trouble, none).tolist() == [[False, False]]
    trouble["late_sends"][..., -2] = 100.0  # the whole probe's, and so of both its lines
    some = np.array([[0, 2]])
    cleared = without_own_trouble(values, trouble, some)
    assert claimed_beyond(values, cleared, trouble, some).tolist() == [[True, False]]
