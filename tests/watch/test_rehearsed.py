"""The forecast sees what rehearsals held, in the slot in which they ended, and nothing of those that proved nothing."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from analytics.lines import Lines
from tatpar.watching.rehearsed import rehearsed_slots
from telemetry.rehearsing import OfficeProgress, OfficeState, RehearsalRecord, RehearsalRequest
from telemetry.windows import SECOND_NS, SLOT_NS

LINES = Lines(("agra", "etah", "jhansi"), ("main.state", "main.national"))
REQUEST = RehearsalRequest(id="r", key="r", meeting="m", recurrence_ns=1, who="asha", asked_ns=1)
HELD = OfficeProgress(site="agra", probe="p1", stage=1, state=OfficeState.HELD, rung_up="b", rung_down="b")


def test_the_worse_way_in_the_slot_of_its_end() -> None:
    """Two of three rungs down, all of them up: two thirds; the other end and the other slots know nothing."""
    broke = structs.replace(HELD, site="etah", state=OfficeState.BROKE, rung_up="c", rung_down="b")
    silent = structs.replace(HELD, site="jhansi", state=OfficeState.SILENT)
    stranger = structs.replace(HELD, site="mars")
    record = RehearsalRecord(
        request=REQUEST, path="main.national", rungs=("a", "b", "c"), rung_s=7.0,
        starts_ns=(12 * SLOT_NS - 10 * SECOND_NS,),
        offices=(structs.replace(HELD, rung_up="c", rung_down="c"), broke, silent, stranger),
    )  # fmt: skip
    found = rehearsed_slots([record], LINES, 10, 5)
    assert found is not None
    assert np.isfinite(found).sum() == 2
    assert found[1, 2] == 1.0
    assert found[3, 2] == np.float32(2 / 3)


def test_nothing_to_tell() -> None:
    """No rehearsals, one that was refused, one of a path that is not there, one of long ago."""
    assert rehearsed_slots([], LINES, 10, 5) is None
    bare = RehearsalRecord(request=REQUEST)
    old = RehearsalRecord(
        request=REQUEST, path="main.state", rungs=("b",), rung_s=7.0, starts_ns=(0,), offices=(HELD,)
    )
    assert rehearsed_slots([bare, old, structs.replace(old, path="main.moon")], LINES, 10, 5) is None
