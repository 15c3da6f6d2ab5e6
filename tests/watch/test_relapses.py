"""How often a line has failed within the hour, and since when: spells of one and the same reason that are over."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from analytics.lines import Lines
from tatpar.watching.raised import RaisedFlags, relapses, spells_until, told_outages
from telemetry.decisions import Evidence, Factor, FactorKind, Flag, Incident, Reason, ReasonCode
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


def test_the_last_spell_says_until_when_the_line_was_bad(tmp_path: Path) -> None:
    """Whatever its reason, as it was seen last; what is up still, and what was over an hour ago, is not among them."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        spell(state, ReasonCode.LOSS_UP, T0)
        spell(state, ReasonCode.RTT, T0 + 4 * MINUTE_NS)
        state.put_flags(
            [flag(ReasonCode.LOSS_UP, T0 + 8 * MINUTE_NS, T0 + 9 * MINUTE_NS)], T0 + 9 * MINUTE_NS
        )
        last_ns = T0 + 4 * MINUTE_NS + 15 * SECOND_NS
        assert spells_until(state, LINES, T0 + 10 * MINUTE_NS).tolist() == [[last_ns], [0]]
        state.put_flags([], T0 + 10 * MINUTE_NS)
        assert not spells_until(state, LINES, T0 + 2 * HOUR_NS).any()


def test_outages_alone_are_what_a_line_comes_and_goes_by(tmp_path: Path) -> None:
    """Losses between them are not counted; from the first outage to the last, and an hour after that none."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        for minute in range(3):
            spell(state, ReasonCode.OUTAGE, T0 + 2 * minute * MINUTE_NS)
            spell(state, ReasonCode.LOSS_UP, T0 + (2 * minute + 1) * MINUTE_NS)
        found = told_outages(state, LINES, T0 + 15 * MINUTE_NS)
        assert found.count.tolist() == [[3], [0]]
        assert found.since_ns.tolist() == [[T0], [0]]
        assert found.until_ns.tolist() == [[T0 + 4 * MINUTE_NS + 15 * SECOND_NS], [0]]
        each = {(at_ns, at_ns + 15 * SECOND_NS) for at_ns in (T0, T0 + 2 * MINUTE_NS, T0 + 4 * MINUTE_NS)}
        assert {line: set(spans) for line, spans in found.told.items()} == {(0, 0): each}
        assert told_outages(state, LINES, T0 + 62 * MINUTE_NS + 15 * SECOND_NS).count.tolist() == [[1], [0]]
        assert not told_outages(state, LINES, T0 + 2 * HOUR_NS).count.any()


def flag(code: ReasonCode, since_ns: int, seen_ns: int) -> Flag:
    reason = Reason(code=code, path="main.state", since_ns=since_ns)
    return Flag(site="agra", path="main.state", reason=reason, since_ns=since_ns, seen_ns=seen_ns)


def test_a_loss_after_an_outage_does_not_begin_before_it(tmp_path: Path) -> None:
    """The flag was up all the time, and its spell began before the outage; told is since when the line loses now, and the trouble's age stays."""
    at = [T0 + minute * MINUTE_NS for minute in range(30)]
    with closing(StateDb(tmp_path / "state.db")) as state:
        raised = RaisedFlags()
        raised.put(state, [flag(ReasonCode.LOSS_UP, at[0], at[5])], at[5])
        down = flag(ReasonCode.OUTAGE, at[6], at[8])
        raised.put(state, [down, flag(ReasonCode.LOSS_UP, at[0], at[6])], at[7])
        raised.put(state, [down, flag(ReasonCode.LOSS_UP, at[8], at[9])], at[9])
        assert raised.since("agra", "main.state", ReasonCode.LOSS_UP) == at[8]
        assert raised.line_since_ns(LINES).tolist() == [[at[0]], [0]]
        raised.put(state, [flag(ReasonCode.LOSS_UP, at[12], at[22])], at[22])  # the ring forgets
        assert raised.since("agra", "main.state", ReasonCode.LOSS_UP) == at[8]


def test_an_outage_after_another_has_its_own_beginning(tmp_path: Path) -> None:
    """It came back for too short a time for the flag to go down; one that lasts longer than is remembered keeps its own."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        raised = RaisedFlags()
        raised.put(state, [flag(ReasonCode.OUTAGE, T0, T0 + MINUTE_NS)], T0 + MINUTE_NS)
        second = flag(ReasonCode.OUTAGE, T0 + 80 * SECOND_NS, T0 + 2 * MINUTE_NS)
        raised.put(state, [second], T0 + 2 * MINUTE_NS)
        assert raised.since("agra", "main.state", ReasonCode.OUTAGE) == second.since_ns
        late = flag(ReasonCode.OUTAGE, T0 + 110 * SECOND_NS, T0 + 40 * MINUTE_NS)
        raised.put(state, [late], T0 + 40 * MINUTE_NS)
        assert raised.since("agra", "main.state", ReasonCode.OUTAGE) == second.since_ns


def shared(state: StateDb, name: str, since_ns: int, until_ns: int | None, *sites: str) -> None:
    """A fault of a provider of that name that was told."""
    seen = Evidence(members=2, suffer=2, others=5, others_suffer=0, log_odds=9.0)
    made = Incident(
        id=name,
        factor=Factor(FactorKind.PROVIDER, name),
        since_ns=since_ns,
        told_ns=since_ns + MINUTE_NS,
        seen_ns=until_ns or since_ns + MINUTE_NS,
        sites=sites,
        evidence=seen,
        until_ns=until_ns,
    )
    state.put_incidents([made])


def test_what_came_and_went_within_a_shared_fault_came_once(tmp_path: Path) -> None:
    """Five spells of a provider's brown-out are one, while it lasts and afterwards; another office's fault explains none; each of two faults counts."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        for minute in range(0, 10, 2):
            spell(state, ReasonCode.LOSS_UP, T0 + minute * MINUTE_NS)
        now_ns = T0 + 12 * MINUTE_NS
        shared(state, "other", T0, T0 + 10 * MINUTE_NS, "etah")
        assert relapses(state, LINES, now_ns)[0].tolist() == [[5], [0]]
        shared(state, "one", T0, None, "agra", "etah")
        assert relapses(state, LINES, now_ns)[0].tolist() == [[1], [0]]
        shared(state, "one", T0, T0 + 3 * MINUTE_NS, "agra", "etah")
        shared(state, "two", T0 + 6 * MINUTE_NS, T0 + 9 * MINUTE_NS, "agra", "etah")
        assert relapses(state, LINES, now_ns)[0].tolist() == [[2], [0]]
        spell(state, ReasonCode.LOSS_UP, T0 + 20 * MINUTE_NS)
        assert relapses(state, LINES, T0 + 22 * MINUTE_NS)[0].tolist() == [[3], [0]], "of itself"


def test_after_a_blindness_what_was_seen_since_is_told_as_it_is(tmp_path: Path) -> None:
    """The time in which nobody looked joins what lies on both its sides, and nothing that is seen later."""
    at = [T0 + minute * MINUTE_NS for minute in range(60)]
    with closing(StateDb(tmp_path / "state.db")) as state:
        raised = RaisedFlags()
        raised.put(state, [flag(ReasonCode.OUTAGE, at[0], at[5])], at[5])
        raised.listen_anew(at[30])
        (goes_on,) = raised.carried([flag(ReasonCode.OUTAGE, at[29], at[31])])
        assert goes_on.since_ns == at[0]
        raised.put(state, [goes_on], at[31])
        second = flag(ReasonCode.OUTAGE, at[33], at[34])
        raised.put(state, [second], at[34])
        assert raised.since("agra", "main.state", ReasonCode.OUTAGE) == second.since_ns
