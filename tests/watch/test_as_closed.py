"""Slots that came late, as a replay sees them: what had come when a slot was told, whether the rest came later or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.lines import Lines
from config.profiles import Limits
from reports.past.slots import read_slots
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from conftest import Town

    from analytics.forecast.slots import SlotGrid

LATE, NEVER = "agra", "etah"
PATHS = ("main.national", "main.state")
LIMITS = (Limits(loss_ratio=0.01), Limits(loss_ratio=0.5))
SLOTS = 24
CUT, BACK = 8 * WINDOWS_PER_SLOT + 7, 12 * WINDOWS_PER_SLOT
"""Windows from the one, in the middle of a slot, up to the other were not sent when they were measured."""


def cut_off(town: Town, again_ns: int = 0) -> int:
    """Two hours, of which both offices lost contact for twenty minutes; one sends them three hours later, twenty a second. Where they begin.

    `again_ns`: every tenth of them comes so long after the others.
    """
    from_ns = town.t0 // HOUR_NS * HOUR_NS - 6 * HOUR_NS
    for window in range(SLOTS * WINDOWS_PER_SLOT):
        start_ns = from_ns + window * WINDOW_NS
        cut = CUT <= window < BACK
        for site in (LATE, NEVER):
            if cut or window % 5 == 0:
                town.break_line(site, up=0.2)
            else:
                town.heal(site)
        if not cut:
            town.report(start_ns, start_ns + 20 * SECOND_NS, (LATE, NEVER))
        else:
            came_ns = sent_ns(from_ns, window) + (again_ns if window % 10 == 3 else 0)
            town.report(start_ns, came_ns, (LATE,))
    while town.store.maintain(town.now_ns):
        pass
    return from_ns


def sent_ns(from_ns: int, window: int) -> int:
    return from_ns + SLOTS * SLOT_NS + 3 * HOUR_NS + (window - CUT) * SECOND_NS // 20


def read(town: Town, from_ns: int, *, as_closed: bool) -> SlotGrid:
    lines, span = Lines((LATE, NEVER), PATHS), (from_ns, from_ns + SLOTS * SLOT_NS)
    return read_slots(town.reader, lines, LIMITS, span, as_closed=as_closed)


def alike(grid: SlotGrid, slots: slice) -> bool:
    """Whether both offices' slots say the same: windows, when they came, and what broke."""
    of = ((getattr(grid, name)[..., slots]) for name in ("measured", "received_ns"))
    same = all(np.array_equal(*each) for each in of)
    return same and np.array_equal(grid.broken[:, 0, :, slots], grid.broken[:, 1, :, slots])


def test_what_came_in_time_of_a_slot_stands_whatever_comes_later(town: Town) -> None:
    """The slot of the cut reads as that of the office of which the rest never came; those after it are late as a whole, or not there."""
    from_ns = cut_off(town)
    slot = slice(8, 9)
    whole = read(town, from_ns, as_closed=False)
    assert (whole.measured[0, :, 8] == WINDOWS_PER_SLOT).all()
    assert not alike(whole, slot)
    grid = read(town, from_ns, as_closed=True)
    for slots in (slice(0, 9), slice(12, SLOTS)):
        assert alike(grid, slots)
    assert (grid.measured[:, :, 8] == CUT % WINDOWS_PER_SLOT).all()
    assert (grid.broken[0, :, :, 8] == 2).all()
    assert (grid.received_ns[0, :, 8] <= from_ns + 9 * SLOT_NS + MINUTE_NS).all()
    for name in ("measured", "broken", "strain"):
        late = [getattr(each, name)[..., 0, :, 9:12] for each in (grid, whole)]
        assert np.array_equal(*late), "late as a whole: as it came"
    told_ns = [sent_ns(from_ns, slot * WINDOWS_PER_SLOT) + MINUTE_NS for slot in (9, 10, 11)]
    assert grid.received_ns[0, :, 9:12].tolist() == [told_ns, told_ns]


def test_a_backlog_of_which_some_is_sent_again_is_told_a_minute_after_its_first(town: Town) -> None:
    """Whatever comes ten minutes later is left out for good; what comes half a minute later is in it. Nothing is told before that minute is over."""
    from_ns = cut_off(town, 10 * MINUTE_NS)
    grid = read(town, from_ns, as_closed=True)
    assert (grid.measured[0, :, 9:12] == WINDOWS_PER_SLOT - 2).all()
    told_ns = [sent_ns(from_ns, slot * WINDOWS_PER_SLOT) + MINUTE_NS for slot in (9, 10, 11)]
    assert grid.received_ns[0, :, 9:12].tolist() == [told_ns, told_ns]


def test_what_is_sent_again_within_the_minute_is_in_it(town: Town) -> None:
    from_ns = cut_off(town, MINUTE_NS // 2)
    assert (read(town, from_ns, as_closed=True).measured[0, :, 9:12] == WINDOWS_PER_SLOT).all()


def test_without_its_windows_a_late_slot_stays_late(town: Town) -> None:
    """Raw windows that were let go of tell nothing, and nothing of the slot is lost with them."""
    from_ns = cut_off(town)
    town.store.prune(from_ns + 100 * DAY_NS)  # raw windows are kept for 90
    grid = read(town, from_ns, as_closed=True)
    assert (grid.measured[0, :, 8] == WINDOWS_PER_SLOT).all()
    assert (grid.received_ns[0, :, 8] >= sent_ns(from_ns, CUT)).all()
