"""Seeded fault schedules against real processes; `python -m bench faults` runs any number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench._faults.campaign import Outcome, campaign
from bench._faults.databases import INFLUX1, VICTORIA
from bench._faults.schedule import SQLITE, Shape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.server]
SEED = 20261125
AT_ONCE = 3


@pytest.mark.parametrize(
    ("store", "collectors", "schedules"), [(SQLITE, 1, 20), (SQLITE, 3, 5), (INFLUX1, 2, 5), (VICTORIA, 1, 5)]
)
async def test_whatever_fails_what_was_sent_is_stored_exactly_once(
    tmp_path: Path, program: Callable[[str], str], store: str, collectors: int, schedules: int
) -> None:
    """Killed, cut off, out of disk, with stepped clocks and a sick database: in the end sent = stored, spools empty, nothing open."""
    for needed in ("mosquitto", "faketime", "influxd", "victoria-metrics"):
        program(needed)
    shape = Shape(store=store, collectors=collectors)
    outcomes: list[Outcome] = []
    total = await campaign(
        SEED, range(schedules), shape=shape, jobs=AT_ONCE, keep=tmp_path, done=outcomes.append
    )
    assert not total.failed, "\n".join(line for outcome in total.failed for line in outcome.lines())
    assert len(outcomes) == schedules
    assert set(total.faults) <= {kind.value for kind in shape.kinds}
    assert len(total.faults) == len(shape.kinds) or schedules < 20
    assert total.sent == total.stored > schedules * 4
    assert total.unnumbered < total.sent / 10
