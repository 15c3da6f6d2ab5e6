"""When boots began, kept for all collectors: each is read once, and quickly however many are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.state.clocks import KnownBoot, NewBoots

if TYPE_CHECKING:
    from telemetry.state.db import StateDb


def boot(number: int, at_ns: int, *, began_ns: int = 0) -> KnownBoot:
    return KnownBoot("agra", f"p{number}", "b", at_ns, began_ns)


def test_a_boot_is_told_once_and_again_when_it_is_kept_anew(state: StateDb) -> None:
    """Read each second from so far back that what somebody wrote late is not missed."""
    others = NewBoots(state)
    state.put_boots([boot(1, 100), boot(2, 200)])
    assert others.since(150) == [boot(2, 200)]
    assert others.since(50) == [boot(1, 100)], "written late"
    assert others.since(50) == []
    state.put_boots([boot(2, 200, began_ns=7), boot(1, 300)])
    assert others.since(50) == [boot(2, 200, began_ns=7), boot(1, 300)]


def test_boots_of_these_minutes_are_found_without_going_through_all(state: StateDb) -> None:
    """Eight a probe are kept, and collectors that share the work ask each second."""
    asked: list[str] = []
    state._connection.set_trace_callback(asked.append)
    state.boots(1)
    [query] = asked
    plan = state._connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    assert [row[3] for row in plan] == ["SEARCH boot USING INDEX boot_by_time (at_ns>?)"]
