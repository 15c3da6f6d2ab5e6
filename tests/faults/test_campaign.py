"""Seeded fault schedules against real processes; `python -m bench faults` runs any number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench._faults.campaign import Outcome, campaign
from bench._faults.databases import INFLUX1, VICTORIA
from bench._faults.schedule import Kind, Shape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.server]
SEED = 20261125
AT_ONCE = 3


@pytest.mark.parametrize(
    ("shape", "schedules"),
    [
        (Shape(), 20),
        (Shape(collectors=3), 5),
        (Shape(store=INFLUX1, collectors=2), 5),
        # That VictoriaMetrics was killed is noticed a minute later when nothing is being written: `python -m bench faults` waits.
        (Shape(store=VICTORIA, spared=(Kind.KILL_DATABASE,)), 5),
    ],
    ids=["sqlite", "sqlite-shared", "influxdb1-shared", "victoriametrics"],
)
async def test_whatever_fails_what_was_sent_is_stored_exactly_once(
    tmp_path: Path, program: Callable[[str], str], shape: Shape, schedules: int
) -> None:
    """Killed, cut off, out of disk, with stepped clocks and a sick database: in the end sent = stored, spools empty, nothing open."""
    for needed in ("mosquitto", "faketime", "influxd", "victoria-metrics"):
        program(needed)
    outcomes: list[Outcome] = []
    total = await campaign(
        SEED, range(schedules), shape=shape, jobs=AT_ONCE, keep=tmp_path, done=outcomes.append
    )
    assert not total.failed, "\n".join(line for outcome in total.failed for line in outcome.lines())
    assert len(outcomes) == schedules
    assert set(total.faults) <= {kind.value for kind in shape.kinds}
    assert len(total.faults) == len(set(shape.kinds)) or schedules < 20
    assert total.sent == total.stored > schedules * 4
    assert total.unnumbered < total.sent / 10
