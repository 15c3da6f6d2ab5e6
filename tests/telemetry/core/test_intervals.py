"""Sets of integers as ranges, against plain sets."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from telemetry.intervals import IntervalSet

numbers = st.integers(0, 60)


class Ranges(RuleBasedStateMachine):
    """Every operation on both; they must never differ."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges = IntervalSet()
        self.model: set[int] = set()

    @rule(value=numbers)
    def add(self, value: int) -> None:
        assert self.ranges.add(value) == (value not in self.model)
        self.model.add(value)

    @rule(first=numbers, length=st.integers(0, 15))
    def add_range(self, first: int, length: int) -> None:
        self.ranges.add_range(first, first + length)
        self.model |= set(range(first, first + length + 1))

    @rule(first=numbers, length=st.integers(-3, 40))
    def holes(self, first: int, length: int) -> None:
        found = self.ranges.holes(first, first + length)
        missing = {n for a, b in found for n in range(a, b + 1)}
        assert missing == set(range(first, first + length + 1)) - self.model
        assert all(b + 1 < c for (_, b), (c, _) in itertools.pairwise(found))

    @invariant()
    def agrees(self) -> None:
        pairs = list(self.ranges)
        assert {n for a, b in pairs for n in range(a, b + 1)} == self.model
        assert all(b + 1 < c for (_, b), (c, _) in itertools.pairwise(pairs))  # apart, and in order
        assert len(self.ranges) == len(self.model)
        assert bool(self.ranges) == bool(self.model)
        assert self.ranges.top == max(self.model, default=None)
        assert all((n in self.ranges) == (n in self.model) for n in range(-1, 80))
        assert IntervalSet(reversed(pairs)) == self.ranges


TestRanges = Ranges.TestCase
TestRanges.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_a_range_that_runs_backwards_is_refused() -> None:
    """It is an error of the caller, not an empty range."""
    with pytest.raises(ValueError, match=r"range 5\.\.4 runs backwards"):
        IntervalSet([(5, 4)])


def test_a_huge_range_costs_no_more_than_a_small_one() -> None:
    """Members are never listed."""
    huge = IntervalSet([(0, 2**53)])
    assert 2**52 in huge
    assert not huge.add(7)
    assert huge.holes(2**53 - 1, 2**53 + 2) == [(2**53 + 1, 2**53 + 2)]


def test_a_set_says_what_it_holds_and_cannot_be_hashed() -> None:
    """It changes, so it is no key."""
    assert repr(IntervalSet([(1, 3), (9, 9)])) == "IntervalSet([(1, 3), (9, 9)])"
    with pytest.raises(TypeError):
        hash(IntervalSet())
    assert IntervalSet([(1, 2)]) != {1, 2}


def test_a_copy_is_equal_and_independent() -> None:
    """What is added to one is not in the other."""
    first = IntervalSet([(1, 3), (7, 9)])
    twin = first.copy()
    assert twin == first
    twin.add(4)
    first.add_range(20, 30)
    assert list(twin) == [(1, 4), (7, 9)]
    assert list(first) == [(1, 3), (7, 9), (20, 30)]
