"""The doctor says that people wait for an all-clear, since when, and how far the watch is behind."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from tatpar.examination import hub
from telemetry.state.db import StateDb
from telemetry.state.heard import HEARD_UNTIL
from telemetry.state.held_back import HELD_BACK, HELD_SINCE
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path


def test_all_clears_that_wait_are_a_finding(tmp_path: Path) -> None:
    """In both languages, with what to look at; nothing while none waits."""
    now_ns = time.time_ns()
    with closing(StateDb(tmp_path / "state.db")) as state:
        state.beat("watch", now_ns, {HEARD_UNTIL: now_ns - 40 * SECOND_NS})
        state.beat("alerts", now_ns, {HELD_BACK: 3, HELD_SINCE: now_ns - 300 * SECOND_NS})
    found = {one.subject: one for one in hub.state(tmp_path, [], now_ns)}["all-clears"]
    assert found.level == "less"
    assert found.text.startswith(
        "3 held back for 300 s: the newest window that the watch has judged is 40 s old"
    )
    assert "the watch is too slow" in found.remedy
    assert found.told("hi").text.startswith("3 संदेश 300 सेकंड से रुके हैं")
    with closing(StateDb(tmp_path / "state.db")) as state:
        state.beat("alerts", now_ns, {HELD_BACK: 0})
    assert "all-clears" not in {one.subject for one in hub.state(tmp_path, [], now_ns)}
