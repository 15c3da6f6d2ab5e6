"""Twenty seeded fault schedules against real processes; `python -m bench faults` runs any number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench._faults.campaign import Outcome, campaign
from bench._faults.schedule import Shape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.server]
SEED = 20261125
SCHEDULES = 20
AT_ONCE = 3


async def test_whatever_fails_what_was_sent_is_stored_exactly_once(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    """Killed, cut off, out of disk and with stepped clocks: in the end sent = stored, spools empty, nothing open."""
    for needed in ("mosquitto", "faketime"):
        program(needed)
    outcomes: list[Outcome] = []
    total = await campaign(
        SEED, range(SCHEDULES), shape=Shape(), jobs=AT_ONCE, keep=tmp_path, done=outcomes.append
    )
    assert not total.failed, "\n".join(line for outcome in total.failed for line in outcome.lines())
    assert len(outcomes) == SCHEDULES
    assert set(total.faults) == {kind.value for kind in Shape().kinds}
    assert total.sent == total.stored > SCHEDULES * 4
    assert total.unnumbered < total.sent / 10
