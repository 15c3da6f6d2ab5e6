"""Imported slots that what was measured covers: who asks what was known in time finds them, who asks how it was does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from telemetry.store.imported import of_other_tools
from telemetry.windows import DAY_NS, HOUR_NS, SLOT_NS
from tests.telemetry.store.backlog import LATER_NS, file_of, measures

if TYPE_CHECKING:
    from telemetry.store.protocol import ReportStore, Selection


def kept(store: ReportStore, everything: Selection) -> list[int]:
    """The slots that have given way, of both lines alike; each is in `rollups` once, as it was measured."""
    table = store.rollups(everything, histograms=False, columns=("stamps",), window_values=())
    assert not of_other_tools(table).any()
    assert len(table) == 8
    given_way = store.superseded(everything, histograms=False, columns=("stamps",), window_values=())
    assert of_other_tools(given_way).all()
    lines = [given_way.columns["slot_ns"][given_way.columns["path"] == path].tolist() for path in (0, 1)]
    assert lines[0] == lines[1]
    return lines[0]


def test_what_was_imported_in_time_is_kept_where_all_that_was_measured_came_later(
    held, fleet, same, everything
) -> None:
    """To the last figure; where anything was measured in time it goes. Importing once more, or only afterwards, is the same."""
    file, late = file_of(fleet), [fleet.t0 + 2 * SLOT_NS, fleet.t0 + 3 * SLOT_NS]
    held.store.import_rollups(file)
    measures(held.store, fleet)
    for _ in range(2):
        assert kept(held.store, everything) == late
        table = held.store.superseded(everything)
        wanted = np.isin(file.columns["slot_ns"], late)
        for name in ("received_ns", "sent", "rtt_p50_ms", "up_jitter_ms"):
            same(table.columns[name], file.columns[name][wanted], name)
        assert (table.histograms["rtt_hist"].counts.sum()) == table.columns["received"].sum()
        held.store.import_rollups(file)
    assert len(held.store.superseded(replace(everything, as_of_ns=fleet.t0 + HOUR_NS // 2))) == 4
    assert len(held.store.superseded(replace(everything, as_of_ns=fleet.t0))) == 0
    held.store.prune(fleet.t0 + 4000 * DAY_NS)
    assert len(held.store.superseded(everything)) == 0


@pytest.mark.parametrize(("late_ns", "slots"), [(0, [2, 3]), (HOUR_NS, [2, 3]), (2 * LATER_NS, [])])
def test_what_is_imported_after_the_backlog_is_kept_where_it_had_come_before(
    held, fleet, everything, late_ns: int, slots: list[int]
) -> None:
    """By the times of arrival that it has itself; one that came later than what was measured tells nobody anything."""
    measures(held.store, fleet)
    held.store.import_rollups(file_of(fleet, late_ns=late_ns))
    assert kept(held.store, everything) == [fleet.t0 + slot * SLOT_NS for slot in slots]
    held.store.import_rollups(file_of(fleet, late_ns=2 * LATER_NS))
    assert kept(held.store, everything) == [], "a later import takes the place of an earlier one's slots"


def test_a_file_does_not_keep_what_another_file_replaces(held, fleet, everything) -> None:
    """An import that mends an earlier one, as of a wrong zone, leaves nothing of it."""
    held.store.import_rollups(file_of(fleet))
    held.store.import_rollups(file_of(fleet, late_ns=2 * LATER_NS))
    assert len(held.store.superseded(everything)) == 0
    measures(held.store, fleet)
    assert kept(held.store, everything) == []


def test_it_is_kept_also_where_it_lies_on_a_server_alone_by_then(held, fleet, same, everything) -> None:
    """A journal has let go of it; the point of another probe covers none."""
    file = file_of(fleet)
    held.store.import_rollups(file)
    held.maintain(fleet.t0 + HOUR_NS)
    measures(held.store, fleet)
    held.maintain(fleet.t0 + 6 * HOUR_NS)
    late = [fleet.t0 + 2 * SLOT_NS, fleet.t0 + 3 * SLOT_NS]
    assert kept(held.store, everything) == late
    wanted = np.isin(file.columns["slot_ns"], late)
    table = held.store.superseded(everything, columns=("sent", "rtt_p50_ms"), window_values=("lost",))
    assert set(table.window_values) == {"lost"}
    for name in ("received_ns", "sent", "rtt_p50_ms"):
        same(table.columns[name], file.columns[name][wanted], name)
