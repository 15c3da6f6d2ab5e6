"""From plan to sessions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.address import HostPort, parse_address
from probes.measuring.session import Session
from probes.publishing.plan import (
    MAX_ENDS,
    MAX_RATE_PPS,
    MAX_TOTAL_PPS,
    chart,
    in_meeting,
    next_change_ns,
    rate_at,
    sessions_at,
)
from telemetry.control import Plan, PlannedEnd, Rate

STATE = PlannedEnd(end="state", reflectors=("10.0.0.1:862", "10.0.0.2:863"))
NATIONAL = PlannedEnd(end="national", reflectors=("reflector.example:862",))


def plan(
    *rates: tuple[int, int, float], ends: tuple[PlannedEnd, ...] = (STATE, NATIONAL), until: int = 1000
) -> Plan:
    spans = tuple(Rate(from_ns=a, until_ns=b, rate_pps=r) for a, b, r in rates)
    return Plan(valid_until_ns=until, ends=ends, rates=spans)


def test_first_reflector_of_each_end_at_the_base_rate() -> None:
    """Without anything special each end is measured to its first reflector at the base rate."""
    assert sessions_at(chart(plan()), "agra/p1", 0) == [
        Session("agra/p1", "main.state", "10.0.0.1", 862, 10.0),
        Session("agra/p1", "main.national", "reflector.example", 862, 10.0),
    ]


def test_highest_overlapping_rate_applies() -> None:
    """Of overlapping spans the highest applies, from its beginning to just before its end."""
    course = chart(plan((100, 200, 50.0), (150, 160, 80.0), (120, 300, 20.0)))
    assert [rate_at(course, t) for t in (99, 100, 149, 150, 159, 160, 199, 200, 299, 300)] == [
        10.0, 50.0, 50.0, 80.0, 80.0, 50.0, 50.0, 20.0, 20.0, 10.0,
    ]  # fmt: skip


def test_a_span_below_the_base_rate_changes_nothing() -> None:
    """A plan cannot slow a probe below its base rate by a span."""
    assert rate_at(chart(plan((0, 100, 1.0))), 50) == 10.0


def test_plan_that_ran_out_leaves_ends_and_base_rate() -> None:
    """After its validity the ends are still measured, at the base rate."""
    course = chart(plan((0, 5000, 50.0), until=1000))
    assert rate_at(course, 999) == 50.0
    assert rate_at(course, 1000) == 10.0
    assert len(sessions_at(course, "o", 1000)) == 2


def test_operators_address_wins() -> None:
    """An own address replaces the plan's, for every uplink or for one; one that the plan does not name is measured too."""
    backup = PlannedEnd(end="state", uplink="backup", reflectors=("10.0.0.9:862",))
    course = chart(
        plan(ends=(STATE, backup)),
        {
            "state": "127.0.0.1:1",
            "backup.state": "127.0.0.1:2",
            "local": "[::1]:3",
            "sat.local": "127.0.0.1:4",
        },
    )
    assert [(s.path, s.host, s.port) for s in sessions_at(course, "o", 0)] == [
        ("main.state", "127.0.0.1", 1),
        ("backup.state", "127.0.0.1", 2),
        ("main.local", "::1", 3),
        ("sat.local", "127.0.0.1", 4),
    ]
    assert course.clamped == ()


def test_overrides_alone_are_measured() -> None:
    """Before any plan came the operator's ends are measured at the base rate; without either nothing is."""
    assert [(s.path, s.rate_pps) for s in sessions_at(chart(None, {"state": "a:1"}), "o", 0)] == [
        ("main.state", 10.0)
    ]
    assert sessions_at(chart(None), "o", 0) == []


def test_chosen_reflector_is_used() -> None:
    """The choice picks another reflector of a path; beyond the last it wraps."""
    course = chart(plan())
    assert sessions_at(course.with_choice({"main.state": 1}), "o", 0)[0].host == "10.0.0.2"
    assert (
        sessions_at(course.with_choice({"main.state": 2, "main.national": 1}), "o", 0)[1].host
        == "reflector.example"
    )


def test_silly_plans_are_cut_and_said() -> None:
    """Too many ends, too high a rate, addresses that are none: cut to what a probe allows, one line each."""
    ends = tuple(PlannedEnd(end=f"e{n}", reflectors=("h:1",)) for n in range(MAX_ENDS + 2))
    course = chart(plan((0, 10, 900.0), ends=ends))
    assert len(course.targets) == MAX_ENDS
    assert rate_at(course, 5) == MAX_TOTAL_PPS / MAX_ENDS
    assert course.clamped == (
        f"main.e8: more than {MAX_ENDS} ends",
        f"main.e9: more than {MAX_ENDS} ends",
        "rate 900 is cut to 100 a second",
    )
    lone = chart(
        plan(ends=(PlannedEnd(end="x", reflectors=("no port", "h:0", "h:70000", "", "h:99999999999")),))
    )
    assert lone.targets == ()
    assert lone.clamped[-1] == "main.x: no reflector address can be used"
    assert len(lone.clamped) == 6


def test_same_path_twice_is_measured_once() -> None:
    """Two ends of one plan with the same path make one session, the first."""
    course = chart(plan(ends=(STATE, PlannedEnd(end="state", reflectors=("other:1",)))))
    assert [(s.path, s.host) for s in sessions_at(course, "o", 0)] == [("main.state", "10.0.0.1")]


def test_meeting_is_when_more_than_the_base_is_asked() -> None:
    """A call is near when a span above the base rate covers the instant, while the plan is valid."""
    course = chart(plan((100, 200, 50.0), (300, 400, 10.0), until=150))
    assert [in_meeting(course, t) for t in (99, 100, 149, 150, 350)] == [False, True, True, False, False]
    assert in_meeting(chart(None), 0) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1.2.3:862", HostPort("10.1.2.3", 862)),
        ("a-b.example:1", HostPort("a-b.example", 1)),
        ("[2001:db8::1]:862", HostPort("2001:db8::1", 862)),
        ("host", None),
        ("host:", None),
        (":862", None),
        ("host:65536", None),
        ("host:0", None),
        ("ho st:862", None),
        ("2001:db8::1:862", None),
        ("host:8６2", None),
        ("host:862\n", None),
    ],
)
def test_addresses(text: str, expected: HostPort | None) -> None:
    """host:port and [v6]:port are addresses, nothing else is."""
    assert parse_address(text) == expected


@given(
    rates=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 1000.0)), max_size=6),
    base=st.floats(0.1, 1000.0),
    until=st.integers(0, 60),
)
def test_rate_is_the_highest_that_covers_and_changes_only_when_said(
    rates: list[tuple[int, int, float]], base: float, until: int
) -> None:
    """At every instant the rate is the clamped maximum, and between announced changes it stays."""
    spans = tuple(Rate(from_ns=a, until_ns=b, rate_pps=r) for a, b, r in rates)
    course = chart(Plan(valid_until_ns=until, base_rate_pps=base, ends=(STATE,), rates=spans))
    announced = 0
    for now in range(70):
        covering = [r for a, b, r in rates if a <= now < b] if now < until else []
        assert rate_at(course, now) == min(max([base, *covering]), MAX_RATE_PPS)
        if now > 0 and rate_at(course, now) != rate_at(course, now - 1):
            assert next_change_ns(course, now - 1) == now
            announced += 1
    assert next_change_ns(course, 70) is None


def test_a_span_for_one_end_leaves_the_others_alone() -> None:
    """The rate of a meeting holds towards the end that it is connected to; a span without an end holds for all."""
    spans = (
        Rate(from_ns=10, until_ns=20, rate_pps=50.0, end="state"),
        Rate(from_ns=15, until_ns=20, rate_pps=20.0),
    )
    ends = tuple(PlannedEnd(end=end, reflectors=("127.0.0.1:862",)) for end in ("state", "national"))
    course = chart(Plan(valid_until_ns=100, ends=ends, rates=spans))
    assert [[s.rate_pps for s in sessions_at(course, "agra/p1", now)] for now in (9, 10, 15, 20)] == [
        [10.0, 10.0],
        [50.0, 10.0],
        [50.0, 20.0],
        [10.0, 10.0],
    ]
