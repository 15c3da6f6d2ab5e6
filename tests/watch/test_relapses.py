"""How often a line has failed within the hour, and since when: spells of one and the same reason that are over."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from analytics.lines import Lines
from tatpar.watching.raised import relapses
from telemetry.decisions import Flag, Reason, ReasonCode
from telemetry.state.db import StateDb
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

T0 = 1_795_392_000 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS
LINES = Lines(("agra", "etah"), ("main.state",))


def spell(state: StateDb, code: ReasonCode, since_ns: int) -> None:
    """A flag of the first office that is raised and cleared within half a minute."""
    reason = Reason(code=code, path="main.state", since_ns=since_ns)
    seen_ns = since_ns + 15 * SECOND_NS
    flag = Flag(site="agra", path="main.state", reason=reason, since_ns=since_ns, seen_ns=seen_ns)
    state.put_flags([flag], seen_ns)
    state.put_flags([], seen_ns + 15 * SECOND_NS)


def test_the_spells_of_one_reason_are_counted_from_the_first_of_them(tmp_path: Path) -> None:
    """One of another reason before them is neither counted nor the beginning; an hour later nothing is left."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        spell(state, ReasonCode.LOSS_UP, T0)
        for minute in range(10, 14):
            spell(state, ReasonCode.OUTAGE, T0 + minute * MINUTE_NS)
        now_ns = T0 + 15 * MINUTE_NS
        count, since_ns = relapses(state, LINES, now_ns)
        assert count.tolist() == [[4], [0]]
        assert since_ns.tolist() == [[T0 + 10 * MINUTE_NS], [0]]
        assert not relapses(state, LINES, now_ns + 2 * HOUR_NS)[0].any()
