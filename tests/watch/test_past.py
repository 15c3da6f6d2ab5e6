"""The past: loaded from the store in blocks, refreshed, mended by what came late; and what it is used for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from telemetry.decisions import ReasonCode, State
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from conftest import Town

    from tatpar.watching.past import Past


TWO = ("agra", "meerut")


def hours_of(past: Past, site: str) -> list[int]:
    row = past.shape.lines.site_index[site]
    return past.history.measured[row, 0].tolist()


def test_the_past_is_loaded_once_and_then_refreshed(town: Town) -> None:
    """A load counts every window of an hour; a refresh adds what came since without touching the rest."""
    town.remember(town.t0 - 4 * HOUR_NS, town.t0 - HOUR_NS, TWO)
    town.play(20)
    past = town.watch.refresh_past(town.now_ns)
    assert past is not None
    assert past.history.measured[past.shape.lines.site_index["agra"], 0].sum() == 3 * 240
    assert sum(hours_of(past, "ballia")) == 0
    assert past.climate.hours_known(past.shape.lines.site_index["meerut"], 0) >= 2
    town.now_ns = town.t0 + HOUR_NS
    town.remember(town.t0 - HOUR_NS, town.t0 + HOUR_NS, TWO)
    town.watch.step(town.now_ns + 60 * SECOND_NS)
    newer = town.watch.refresh_past(town.now_ns + 120 * SECOND_NS)
    assert newer is not None
    assert newer.history.measured[newer.shape.lines.site_index["agra"], 0].sum() == 5 * 240 - 20, (
        "the last slot is not closed yet"
    )
    assert newer.until_ns > past.until_ns


def test_what_came_late_mends_the_past(town: Town) -> None:
    """A back-filled hour, long before the last refresh, is in the history after the next one."""
    town.remember(town.t0 - 10 * HOUR_NS, town.t0 - 9 * HOUR_NS, TWO)
    town.play(20)
    town.watch.refresh_past(town.now_ns)
    starts = range(town.t0 - 8 * HOUR_NS, town.t0 - 7 * HOUR_NS, WINDOW_NS)
    town.store.append([one for at in starts for one in town.received(at, town.now_ns, ("agra",))])
    while town.store.maintain(town.now_ns):
        pass
    town.play(5)
    past = town.watch.refresh_past(town.now_ns + 60 * SECOND_NS)
    assert past is not None
    assert past.history.measured[past.shape.lines.site_index["agra"], 0].sum() == 2 * 240


def test_lost_contact_is_part_of_the_past(town: Town) -> None:
    """Hours in which an office that is measured otherwise had lost contact count as failed."""
    town.remember(town.t0 - 6 * HOUR_NS, town.t0 - 3 * HOUR_NS, TWO)
    town.now_ns = town.t0 - 3 * HOUR_NS
    town.presence("agra", online=False)
    town.now_ns = town.t0 - HOUR_NS
    town.presence("agra", online=True)
    town.now_ns = town.t0
    town.watch.step(town.now_ns)
    past = town.watch.refresh_past(town.now_ns)
    assert past is not None
    rows = past.shape.lines.site_index
    assert past.climate.failed[0, rows["agra"], 0].sum() == 3, "08:30 to 10:30 local touches three hours"
    assert past.climate.failed[0, rows["meerut"], 0].sum() == 0


def test_a_bad_hour_in_past_weeks_spoils_a_verdict(town: Town) -> None:
    """A line that broke at the meeting's hour in each past week is not ready for it, with the hour as the reason; one that held is."""
    for week in range(1, 4):
        meeting = town.t0 + HOUR_NS - 7 * week * DAY_NS
        town.remember(meeting - HOUR_NS, meeting, TWO)
        town.break_line("agra", up=0.05)
        town.remember(meeting, meeting + HOUR_NS, TWO)
        town.heal("agra")
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    town.play(60)
    verdict = town.verdict("agra")
    assert verdict.state in (State.AT_RISK, State.NOT_READY)
    assert [reason.code for reason in verdict.reasons] == [ReasonCode.USUAL_HOUR]
    assert town.verdict("meerut").state is State.READY


def test_emulated_windows_are_never_the_present(town: Town) -> None:
    """Imported windows of a terrible line up to the present raise no flag."""
    town.break_line("agra", up=0.4)
    town.remember(town.t0 - 2 * HOUR_NS, town.t0 - HOUR_NS, ("agra",))
    town.heal("agra")
    table = town.reader.streams(Selection(town.t0 - 3 * HOUR_NS, town.t0))
    columns = dict(table.columns) | {"emulated": np.ones(len(table), dtype=np.int64)}
    for name in ("start_ns", "received_ns"):
        columns[name] = table.columns[name] + HOUR_NS  # type: ignore[operator]
    town.store.import_streams(replace(table, columns=columns))
    town.play(20)
    assert len(town.reader.streams(Selection(town.t0 - 60 * SECOND_NS, town.t0))) >= 8
    assert town.flags() == {}
